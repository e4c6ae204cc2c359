"""Calendars are read completely, or every fault is reported with file, line and column."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from shared.catalogue.calendar_files import CALENDARS, EXCEPTIONS, read_calendars
from shared.catalogue.faults import Faults
from shared.catalogue.files import CentreFiles
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
    faults = Faults()
    files = CentreFiles(Path("centre"), {name: text.encode() for name, text in content.items()}, "v")
    return read_calendars(files, faults), [str(fault) for fault in faults.found]


def test_calendar_is_read_with_its_exceptions() -> None:
    """A calendar has windows, span and decision; an exception is known from 00:00 local time of its day."""
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


def test_exception_may_have_its_own_windows() -> None:
    """An exceptional working day may have its own windows."""
    (rules,), _ = read("2026-01-10,working,07:30-11:30,Làm bù,,12729/VPCP-KGVX,2025-12-25,,,decided,")
    assert rules.exceptions[0].windows == (Window(time(7, 30), time(11, 30)),)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (SWAP.replace("2026-01-02", "2027-01-02"), "date: 2027-01-02 is outside calendar week, which covers"),
        (SWAP.replace("2026-01-02", "2026-02-30"), "date: '2026-02-30' is not a date"),
        (SWAP.replace("off", "closed"), "kind: 'closed' is not one of off, working, half_day"),
        (SWAP.replace(",off,,", ",off,07:00-11:30,"), "windows: A day off has no windows"),
        (SWAP.replace("decided,", "rumoured,"), "status: 'rumoured' is not one of"),
        (SWAP.replace("12729/VPCP-KGVX", ""), "decided_by: A value is required: the document of a decided exception"),
        (SWAP.replace("2025-12-25", "soon"), "known_from: 'soon' is not a date"),
        (SWAP.replace("Nghỉ hoán đổi", ""), "name_vi: A value is required"),
    ],
)
def test_faulty_exception_is_reported_with_its_place(line: str, fault: str) -> None:
    """Each fault has file, line, column and what to do."""
    _, faults = read(SWAP, line)
    assert [text for text in faults if text.startswith(f"calendars/week.csv:3: {fault}")]


@pytest.mark.parametrize(
    ("windows", "fault"),
    [
        ("07:00-11:30; 11:00-17:00", "'11:00-17:00' overlaps the previous window"),
        ("13:30-17:00; 07:00-11:30", "'07:00-11:30' overlaps the previous window"),
        ("11:30-07:00", "'11:30-07:00' ends before it starts"),
        ("07:00", "'07:00' is not valid. Expected a window"),
        ("07:00-25:00", "'25:00' is not a time of day"),
    ],
)
def test_faulty_windows_are_reported(windows: str, fault: str) -> None:
    """Windows are ascending and do not overlap."""
    _, faults = read(calendars=(CALENDAR.replace("07:00-11:30; 13:30-17:00", windows),))
    assert [text for text in faults if text.startswith(f"calendars.csv:2: windows: {fault}")]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Asia/Ho_Chi_Minh", "Asia/Saigon_City", "zone: 'Asia/Saigon_City' is not a time zone"),
        ("1; 2; 3; 4; 5", "", "weekdays: A value is required"),
        ("1; 2; 3; 4; 5", "0; 1", "weekdays: '0' is not a whole number from 1 to 7"),
        ("07:00-11:30; 13:30-17:00", "", "windows: A value is required"),
        ("2026-12-31", "2025-12-31", "valid_to: 2025-12-31 is before valid_from"),
        ("2026-12-31", "", "valid_to: '' is not a date"),
        ("03/QĐ", "", "decision: A value is required"),
    ],
)
def test_faulty_calendar_is_reported(old: str, new: str, fault: str) -> None:
    """Every column of a calendar is required."""
    _, faults = read(calendars=(CALENDAR.replace(old, new),))
    assert [text for text in faults if text.startswith(f"calendars.csv:2: {fault}")]


def test_date_twice_known_from_one_day_is_a_fault() -> None:
    """Two exceptions of one date that are known from the same day contradict each other."""
    _, faults = read(SWAP, SWAP)
    assert faults == ["calendars/week.csv:3: date: 2026-01-02 is also on line 2, known from the same day. Keep one."]


def test_date_may_be_decided_again() -> None:
    """A date whose exception a later decision changed has both."""
    (rules,), faults = read(SWAP, SWAP.replace("off", "working").replace("2025-12-25", "2025-12-30"))
    assert (len(rules.exceptions), faults) == (2, [])


def test_duplicate_calendar_and_unknown_file_are_faults() -> None:
    """Each calendar has one line and one file, and each file a calendar."""
    _, faults = read(calendars=(CALENDAR, CALENDAR), more=("calendars/other.csv",))
    assert faults == [
        "calendars.csv:3: name: Calendar week occurs twice. Keep one line per calendar.",
        "calendars/other.csv: No calendar in calendars.csv has this name. Add it there, or remove this file.",
    ]


def test_missing_calendar_is_a_fault() -> None:
    """A centre without a calendar has no due dates."""
    _, faults = read(calendars=())
    assert "calendars.csv: The file has no calendar. Add one; the first one is the centre's own." in faults
