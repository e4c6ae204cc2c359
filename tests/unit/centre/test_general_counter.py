"""Rules of the general counter, staffing of counters and service times in a centre's folder."""

from datetime import date
from pathlib import Path

import pytest

from shared.catalogue import load_centre
from shared.kernel.errors import StartError
from tests.support.centre_folder import RULE as GENERAL_COUNTER
from tests.support.centre_folder import SMALL_CENTRE, write_centre

RULE = GENERAL_COUNTER.replace("2017-04-28\n", "2017-04-28\nvalid_to = 2017-12-31\n")
LINES = SMALL_CENTRE["centre.toml"].count("\n")


def test_pooling_rule_is_in_force_by_local_date(tmp_path: Path) -> None:
    """Rules follow each other by local date; a centre may have none."""
    later = RULE.replace("2017-04-28\nvalid_to = 2017-12-31", "2018-01-01").replace("04/QĐ", "05/QĐ")
    centre = load_centre(write_centre(tmp_path, centre_toml=SMALL_CENTRE["centre.toml"] + later + RULE))
    found = [centre.pooling_rule(day) for day in (date(2017, 4, 27), date(2017, 12, 31), date(2018, 1, 1))]
    assert [None if rule is None else rule.decision for rule in found] == [None, "04/QĐ", "05/QĐ"]
    assert load_centre(write_centre(tmp_path / "without")).pooling_rule(date(2018, 1, 1)) is None


@pytest.mark.parametrize(
    ("old", "new", "line", "fault"),
    [
        (
            "release_from = 12",
            "release_from = 10",
            11,
            "release_from: release_from (10) must be above pool_below (10), or a department between them would be "
            "pooled and released again and again.",
        ),
        ("pool_weeks = 4\n", "", 2, "pool_weeks: The key is missing, and it has no default. Add it."),
        ("pool_below = 10", "pool_below = 9.5", 9, "pool_below: 9.5 is not a whole number from 1 to 100000."),
        ("2017-12-31", "2017-04-01", 4, "valid_to: It is before valid_from. It is the last day in force."),
        ('"counter", ', '"counters", ', 6, "is not a list of channels. They are online, counter, post."),
        (
            "min_stay",
            "least_stay",
            13,
            "least_stay_weeks: Unknown key (did you mean min_stay_weeks?). Remove it, or correct its name.",
        ),
        (RULE, RULE + RULE, 16, "general_counter is already in force on 2017-04-28 (line "),
        (RULE, "\ngeneral_counter = 3", None, "general_counter: Write it as a section [[general_counter]]."),
    ],
)
def test_faulty_rule_is_reported_with_its_place(
    tmp_path: Path, old: str, new: str, line: int | None, fault: str
) -> None:
    """The fault has the line in the file, or the first line of the section if a key is missing."""
    assert old in RULE
    text = SMALL_CENTRE["centre.toml"]
    # a key of the file itself is before its sections
    faulty = f"{new}\n{text}" if line is None else text + RULE.replace(old, new, 1)
    with pytest.raises(StartError) as refused:
        load_centre(write_centre(tmp_path, centre_toml=faulty))
    place = "centre.toml: " if line is None else f"centre.toml:{LINES + line}: "
    reported = [each.strip() for each in str(refused.value).splitlines()[1:]]
    assert any(each.startswith(place) and fault in each for each in reported), reported


STAFFED = """\
counter,windows,officers,valid_from,valid_to,decision,invented,note
5,07:30-11:00; 14:00-16:30,2,2017-04-28,2017-12-31,06/QĐ,,
5,,3,2018-01-01,,07/QĐ,,
"""
TIMES = """\
procedure,median_minutes,p90_minutes,valid_from,valid_to,decision,invented,note
,12,30,2017-04-28,,05/QĐ,,
L.7,20,40,2018-01-01,,05/QĐ,,
"""


def test_staffing_and_service_times_are_dated(tmp_path: Path) -> None:
    """A procedure's own service time has precedence over that of all others; both files are optional."""
    centre = load_centre(write_centre(tmp_path, staffing_csv=STAFFED, service_times_csv=TIMES))
    before, after = date(2017, 12, 31), date(2018, 1, 1)
    staffed = [centre.staffing_of(5, day) for day in (before, after)]
    assert [None if each is None else (each.officers, len(each.windows)) for each in staffed] == [(2, 2), (3, 0)]
    assert centre.staffing_of(1, after) is None
    times = [centre.service_time(code, day) for code in ("L.7", "2.000908") for day in (before, after)]
    assert [None if each is None else each.median_minutes for each in times] == [12, 20, 12, 12]
    assert load_centre(write_centre(tmp_path / "without")).service_time("L.7", after) is None


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("5,,3,", "9,,3,", "staffing.csv:3: counter: 9 is not in counters.csv. Correct it, or add it there."),
        ("5,,3,2018", "5,,3,2017", "staffing.csv:3: valid_from: 5 is already in force on 2017-04-28 (line 2)"),
        ("5,,3,", "5,,0,", "staffing.csv:3: officers: '0' is not a whole number from 1 to 99."),
        ("07:30-11:00", "11:00-07:30", "staffing.csv:2: windows: '11:00-07:30' ends before it starts"),
        (",12,30,", ",30,30,", "service_times.csv:2: p90_minutes: It must be above median_minutes"),
        ("L.7,", "L.9,", "service_times.csv:3: procedure: 'L.9' is not in procedures.csv"),
        ("L.7,20,40,2018-01-01", ",20,40,2018-01-01", "every other is already in force on 2018-01-01 (line 2)"),
    ],
)
def test_faulty_staffing_or_service_time_is_reported_with_its_place(
    tmp_path: Path, old: str, new: str, fault: str
) -> None:
    """Each fault has file, line, column and reason."""
    staffed, times = STAFFED.replace(old, new, 1), TIMES.replace(old, new, 1)
    if "5,,3,2017" in staffed:
        staffed = staffed.replace("2017-01-01,,07", "2017-04-28,,07")
    assert (staffed, times) != (STAFFED, TIMES)
    with pytest.raises(StartError) as refused:
        load_centre(write_centre(tmp_path, staffing_csv=staffed, service_times_csv=times))
    assert fault in str(refused.value)
