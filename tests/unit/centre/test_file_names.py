"""A file with an unknown name in a centre's folder is a fault, since it would be ignored silently."""

from pathlib import Path

import pytest

from shared.catalogue import load_centre
from shared.kernel.errors import StartError
from tests.support.centre_folder import write_centre

KNOWN = (
    "centre.toml, calendars.csv, departments.csv, counters.csv, procedures.csv, requirements.csv, receiving.csv, "
    "steps.csv, staffing.csv, service_times.csv, runs.csv, activities.csv, calendars/, messages/ and *mapping.toml"
)


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("run.csv", "run.csv: Unknown file (did you mean runs.csv?)"),
        ("counter.csv", "counter.csv: Unknown file (did you mean counters.csv?)"),
        ("mesages/0001.toml", "mesages/: Unknown folder (did you mean messages/?)"),
        ("notes.txt", "notes.txt: Unknown file"),
    ],
)
def test_unknown_name_is_reported_with_the_known_ones(tmp_path: Path, path: str, fault: str) -> None:
    """The fault lists the known names, and suggests a similar one."""
    folder = write_centre(tmp_path)
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text("anything")
    with pytest.raises(StartError) as refused:
        load_centre(folder)
    assert str(refused.value).splitlines()[1:] == [
        f"  {fault}. Rename it, or move it to another folder. Known are {KNOWN}."
    ]


@pytest.mark.parametrize("path", ["messages/0001.tml", "messages/old/0001.toml"])
def test_other_file_among_the_texts_is_reported(tmp_path: Path, path: str) -> None:
    """A version with another extension or in a subfolder would never be used."""
    folder = write_centre(tmp_path)
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_text("version = 1")
    with pytest.raises(StartError, match=f"{path}: Not a version of the texts, which are messages/"):
        load_centre(folder)


@pytest.mark.parametrize("name", ["mapping.toml", "log-mapping.toml"])
def test_mapping_of_a_log_may_be_in_the_folder(tmp_path: Path, name: str) -> None:
    """`motcua replay` expects the centre next to the mapping."""
    folder = write_centre(tmp_path)
    (folder / name).write_text("format = 1")
    assert name in load_centre(folder).files
