"""runs.csv: the times at which papers leave the counters."""

from datetime import date, time
from pathlib import Path

import pytest

from shared.catalogue import load_centre
from shared.kernel.errors import StartError
from tests.support.centre_folder import write_centre

RUNS = """\
kind,leaves_at,valid_from,valid_to,decision,invented,note
general,11:15; 16:45,2017-04-28,2017-12-31,05/QĐ,leaves_at,
general,10:00,2018-01-01,,06/QĐ,,
department,16:45,2017-04-28,,05/QĐ,,
"""


def test_runs_are_in_force_by_kind_and_local_date(tmp_path: Path) -> None:
    """Runs follow each other by local date. A centre may have none, which means that they are unknown."""
    centre = load_centre(write_centre(tmp_path / "with", runs_csv=RUNS))
    found = [centre.runs_on(day, "general") for day in (date(2017, 4, 27), date(2017, 12, 31), date(2018, 1, 1))]
    assert [None if runs is None else (runs.leaves_at, runs.decision) for runs in found] == [
        None,
        ((time(11, 15), time(16, 45)), "05/QĐ"),
        ((time(10),), "06/QĐ"),
    ]
    assert load_centre(write_centre(tmp_path / "without")).runs_on(date(2018, 1, 1), "general") is None


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("11:15; 16:45", "11:15; 11:15", "runs.csv:2: leaves_at: '11:15; 11:15' contains a value twice. Remove one."),
        ("11:15; 16:45", "11.15", "runs.csv:2: leaves_at: '11.15' is not a time of day. Write HH:MM."),
        ("11:15; 16:45", "", "runs.csv:2: leaves_at: A value is required: the times of day at which papers leave"),
        ("10:00", "12:30", "runs.csv:3: leaves_at: 12:30 is not working time in the centre's calendar, so no papers"),
        ("department,", "guidance,", "runs.csv:4: kind: 'guidance' is not one of department, general"),
        ("2017-12-31", "", "runs.csv:3: valid_from: general is already in force on 2018-01-01 (line 2)"),
        ("leaves_at,valid", "leaves,valid", "runs.csv:1: leaves: Unknown column"),
    ],
)
def test_faulty_run_is_reported_with_its_place(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """Each fault has file, line, column and reason."""
    assert old in RUNS
    with pytest.raises(StartError) as refused:
        load_centre(write_centre(tmp_path, runs_csv=RUNS.replace(old, new, 1)))
    reported = [line.strip() for line in str(refused.value).splitlines()[1:]]
    assert any(line.startswith(fault) for line in reported), reported
