"""Calendars are read whole, or every fault is told with file, line and column."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from shared.catalogue.calendars import CALENDARS, EXCEPTIONS, read_calendars
from shared.catalogue.files import CentreFiles, Problems
from shared.kernel.calendar_rules import CalendarException, CalendarRules, Window

CALENDAR = "week,Asia/Ho_Chi_Minh,1; 2; 3; 4; 5,07:00-11:30; 13:30-17:00,2026-01-01,2026-12-31,03/QĐ,,"
SWAP = "2026-01-02,off,,Nghỉ hoán đổi,,12729/VPCP-KGVX,2025-12-25,,,decided,"


def read(
    *exceptions: str, calendars: tuple[str, ...] = (CALENDAR,), more: tuple[str, ...] = ()
) -> tuple[tuple[CalendarRules, ...], list[str]]:
    content = {
        "calendars.csv": "\n".join([",".join(CALENDARS), *calendars, ""]),
        "calendars/week.csv": "\n".join([",".join(EXCEPTIONS), *exceptions, ""]),
        **dict.fromkeys(more, ""),
    }
    problems = Problems()
    files = CentreFiles(Path("centre"), {name: text.encode() for name, text in content.items()}, "v")
    return read_calendars(files, problems), [str(problem) for problem in problems.found]


def test_a_calendar_with_its_exceptions() -> None:
    """Standard windows, span, decision, and an exception known from 00:00 local of its day."""
    (rules,), faults = read(SWAP)
    assert faults == []
    assert rules == CalendarRules(
        name="week",
        zone="Asia/Ho_Chi_Minh",
        weekdays=frozenset({1, 2, 3, 4, 5}),
        windows=(Window(time(7), time(11, 30)), Window(time(13, 30), time(17))),
        first_date=date(2026, 1, 1),
        last_date=date(2026, 12, 31),
        exceptions=(
            CalendarException(
                on=date(2026, 1, 2),
                kind="off",
                status="decided",
                name="Nghỉ hoán đổi",
                decided_by="12729/VPCP-KGVX",
                known_from=datetime(2025, 12, 24, 17, tzinfo=UTC),
            ),
        ),
        decision="03/QĐ",
    )


def test_working_day_with_its_own_windows() -> None:
    """A swap day may give its windows."""
    (rules,), _ = read("2026-01-10,working,07:30-11:30,Làm bù,,12729/VPCP-KGVX,2025-12-25,,,decided,")
    assert rules.exceptions[0].windows == (Window(time(7, 30), time(11, 30)),)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (SWAP.replace("2026-01-02", "2027-01-02"), "date: 2027-01-02 lies outside what week covers"),
        (SWAP.replace("2026-01-02", "2026-02-30"), "date: '2026-02-30' is not a date"),
        (SWAP.replace("off", "closed"), "kind: 'closed' is not one of off, working, half_day"),
        (SWAP.replace(",off,,", ",off,07:00-11:30,"), "windows: a day off has no windows"),
        (SWAP.replace("decided,", "rumoured,"), "status: 'rumoured' is not one of"),
        (SWAP.replace("12729/VPCP-KGVX", ""), "decided_by: empty: what is decided names its document"),
        (SWAP.replace("2025-12-25", "soon"), "known_from: 'soon' is not a date"),
        (SWAP.replace("Nghỉ hoán đổi", ""), "name_vi: empty: a value is needed"),
    ],
)
def test_faults_of_an_exception(line: str, fault: str) -> None:
    """Each fault names file, line, column, and what to do."""
    _, faults = read(SWAP, line)
    assert [text for text in faults if text.startswith(f"calendars/week.csv:3: {fault}")]


@pytest.mark.parametrize(
    ("windows", "fault"),
    [
        ("07:00-11:30; 11:00-17:00", "'11:00-17:00' overlaps the window before it"),
        ("13:30-17:00; 07:00-11:30", "'07:00-11:30' overlaps the window before it"),
        ("11:30-07:00", "'11:30-07:00' ends before it starts"),
        ("07:00", "'07:00' does not fit: expected is a window"),
        ("07:00-25:00", "'25:00' is not a time of day"),
    ],
)
def test_faults_of_windows(windows: str, fault: str) -> None:
    """Windows are in order and apart from each other."""
    _, faults = read(calendars=(CALENDAR.replace("07:00-11:30; 13:30-17:00", windows),))
    assert [text for text in faults if text.startswith(f"calendars.csv:2: windows: {fault}")]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Asia/Ho_Chi_Minh", "Asia/Saigon_City", "zone: 'Asia/Saigon_City' is not a time zone"),
        ("1; 2; 3; 4; 5", "", "weekdays: empty"),
        ("1; 2; 3; 4; 5", "0; 1", "weekdays: '0' is not a whole number from 1 to 7"),
        ("07:00-11:30; 13:30-17:00", "", "windows: empty"),
        ("2026-12-31", "2025-12-31", "valid_to: 2025-12-31 is before valid_from"),
        ("2026-12-31", "", "valid_to: '' is not a date"),
        ("03/QĐ", "", "decision: empty"),
    ],
)
def test_faults_of_a_calendar(old: str, new: str, fault: str) -> None:
    """Nothing of a calendar has a default."""
    _, faults = read(calendars=(CALENDAR.replace(old, new),))
    assert [text for text in faults if text.startswith(f"calendars.csv:2: {fault}")]


def test_a_date_twice() -> None:
    """Two exceptions for a date that became known together contradict each other."""
    _, faults = read(SWAP, SWAP)
    assert faults == ["calendars/week.csv:3: date: 2026-01-02 stands on line 2, too, known from the same day: keep one"]


def test_a_date_decided_anew() -> None:
    """A date whose exception was changed by a later decision keeps both."""
    (rules,), faults = read(SWAP, SWAP.replace("off", "working").replace("2025-12-25", "2025-12-30"))
    assert (len(rules.exceptions), faults) == (2, [])


def test_a_calendar_twice_and_a_file_without_one() -> None:
    """One line a calendar, one file a calendar, none left over."""
    _, faults = read(calendars=(CALENDAR, CALENDAR), more=("calendars/other.csv",))
    assert faults == [
        "calendars.csv:3: name: week stands twice: keep one line a calendar",
        "calendars/other.csv: belongs to no calendar of calendars.csv: enter it there, or remove the file",
    ]


def test_no_calendar() -> None:
    """A centre without a calendar cannot promise any date."""
    _, faults = read(calendars=())
    assert "calendars.csv: no calendar: the first one is the centre's own" in faults
