"""What follows from one fault alone is not told as many."""

from pathlib import Path

import pytest

from shared.catalogue import load_centre
from shared.kernel.errors import StartError
from tests.support.centre_folder import SMALL_CENTRE, edited, write_centre


def faults(folder: Path) -> list[str]:
    """The lines that the refusal lists."""
    with pytest.raises(StartError) as refused:
        load_centre(folder)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def header(name: str) -> str:
    return SMALL_CENTRE[name].splitlines(keepends=True)[0]


def test_what_an_empty_file_alone_brings_about_is_summed_up(tmp_path: Path) -> None:
    """One fault, that of the file to which the others refer, and how many of their lines follow from it."""
    assert faults(write_centre(tmp_path, departments_csv=header("departments.csv"))) == [
        "departments.csv: no line but the header: 9 lines of other files name what is missing here"
    ]


def test_a_centre_has_at_least_one_department(tmp_path: Path) -> None:
    """Also where nothing else names one."""
    files = ("departments.csv", "counters.csv", "procedures.csv", "requirements.csv", "receiving.csv")
    bare = {name.replace(".", "_"): header(name) for name in files}
    assert faults(write_centre(tmp_path, **bare)) == ["departments.csv: no department: a centre has at least one"]


def test_one_name_that_many_lines_give_is_one_fault(tmp_path: Path) -> None:
    """At its first place, in the order in which files refer to each other."""
    folder = write_centre(tmp_path, departments_csv=edited("departments.csv", "STP,Sở", "SPT,Sở"))
    assert faults(folder) == [
        "counters.csv:2: department: 'STP' is not known: mend it, or enter it in its own file (as 3 further places do)"
    ]
