"""One fault is reported once, however many lines refer to it."""

from pathlib import Path

import pytest

from shared.catalogue import load_centre
from shared.kernel.errors import StartError
from tests.support.centre_folder import SMALL_CENTRE, edited, write_centre


def faults(folder: Path) -> list[str]:
    """The listed faults of the error."""
    with pytest.raises(StartError) as refused:
        load_centre(folder)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def header(name: str) -> str:
    return SMALL_CENTRE[name].splitlines(keepends=True)[0]


def test_empty_file_is_one_fault(tmp_path: Path) -> None:
    """An empty file is reported once, with the number of lines that refer to it."""
    assert faults(write_centre(tmp_path, departments_csv=header("departments.csv"))) == [
        "departments.csv: The file has no lines below the header, but 9 lines of other files refer to it. Add them."
    ]


def test_centre_needs_a_department(tmp_path: Path) -> None:
    """A centre without a department is faulty even if no line refers to one."""
    files = ("departments.csv", "counters.csv", "procedures.csv", "requirements.csv", "receiving.csv")
    bare = {name.replace(".", "_"): header(name) for name in files}
    assert faults(write_centre(tmp_path, **bare)) == ["departments.csv: The file has no department. Add at least one."]


def test_unknown_name_in_many_lines_is_one_fault(tmp_path: Path) -> None:
    """An unknown name is reported at its first place, in the order in which files refer to each other."""
    folder = write_centre(tmp_path, departments_csv=edited("departments.csv", "STP,Sở", "SPT,Sở"))
    assert faults(folder) == [
        "counters.csv:2: department: 'STP' is not in departments.csv. Correct it, or add it there. "
        "It occurs in 3 other places as well."
    ]
