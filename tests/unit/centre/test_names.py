"""A file of a centre's folder that would count for nothing is refused, since nobody would see that it does."""

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
        ("run.csv", "run.csv: a centre has no file of this name (did you mean runs.csv?)"),
        ("counter.csv", "counter.csv: a centre has no file of this name (did you mean counters.csv?)"),
        ("mesages/0001.toml", "mesages/: a centre has no folder of this name (did you mean messages/?)"),
        ("notes.txt", "notes.txt: a centre has no file of this name"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_are_known(tmp_path: Path, path: str, fault: str) -> None:
    """What, where, which names there are, and the one that was probably meant."""
    folder = write_centre(tmp_path)
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text("anything")
    with pytest.raises(StartError) as refused:
        load_centre(folder)
    assert str(refused.value).splitlines()[1:] == [f"  {fault}: rename it, or move it away; known are {KNOWN}"]


@pytest.mark.parametrize("path", ["messages/0001.tml", "messages/old/0001.toml"])
def test_what_lies_beside_the_texts_is_refused(tmp_path: Path, path: str) -> None:
    """A version under another ending, or in a folder of its own, would never be told to anybody."""
    folder = write_centre(tmp_path)
    (folder / path).parent.mkdir(parents=True)
    (folder / path).write_text("version = 1")
    with pytest.raises(StartError, match=f"{path}: is no version of the texts, which are messages/"):
        load_centre(folder)


@pytest.mark.parametrize("name", ["mapping.toml", "log-mapping.toml"])
def test_the_mapping_of_a_log_may_lie_beside_its_centre(tmp_path: Path, name: str) -> None:
    """That is where `motcua replay` looks for the centre."""
    folder = write_centre(tmp_path)
    (folder / name).write_text("format = 1")
    assert name in load_centre(folder).files
