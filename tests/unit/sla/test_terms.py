"""Due dates without pauses, from tables calculated by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.terms import counted_from, due
from shared.kernel.calendar_rules import CalendarException, CalendarRules, Window
from shared.kernel.centre import Term
from shared.kernel.worktime import OutsideCalendarError
from tests.unit.sla.builders import PLAIN, RULES, VIETNAM, at, local, with_exceptions

DAY = Term(1, "working_day")
ONE_BY_DAYS = Term(1, "working_day", "by_days")
SAME_DAY_UNTIL_3 = Term(0, "same_day", cut_off=time(15))


def due_local(term: Term, received: str, calendar: Calendar = VIETNAM) -> str | None:
    return local(due(term, counted_from(term, at(received), calendar), calendar).at)


@pytest.mark.parametrize(
    ("received", "counted", "one_day", "by_days"),
    [
        ("2017-11-06 06:59", "2017-11-06 07:00", "2017-11-06 17:00", "2017-11-07 17:00"),
        ("2017-11-06 07:00", "2017-11-06 07:00", "2017-11-06 17:00", "2017-11-07 17:00"),
        ("2017-11-06 11:29", "2017-11-06 11:29", "2017-11-07 11:29", "2017-11-07 17:00"),
        ("2017-11-06 11:30", "2017-11-06 13:30", "2017-11-07 11:30", "2017-11-07 17:00"),
        ("2017-11-06 12:00", "2017-11-06 13:30", "2017-11-07 11:30", "2017-11-07 17:00"),
        ("2017-11-06 13:30", "2017-11-06 13:30", "2017-11-07 11:30", "2017-11-07 17:00"),
        ("2017-11-06 15:00", "2017-11-06 15:00", "2017-11-07 15:00", "2017-11-07 17:00"),
        ("2017-11-06 15:01", "2017-11-06 15:01", "2017-11-07 15:01", "2017-11-07 17:00"),
        ("2017-11-06 16:59", "2017-11-06 16:59", "2017-11-07 16:59", "2017-11-07 17:00"),
        ("2017-11-06 17:00", "2017-11-07 07:00", "2017-11-07 17:00", "2017-11-08 17:00"),
        ("2017-11-06 23:59", "2017-11-07 07:00", "2017-11-07 17:00", "2017-11-08 17:00"),
        ("2017-11-04 09:00", "2017-11-06 07:00", "2017-11-06 17:00", "2017-11-07 17:00"),
        ("2017-11-04 23:59", "2017-11-06 07:00", "2017-11-06 17:00", "2017-11-07 17:00"),
    ],
)
def test_receipt_counts_from_working_time(received: str, counted: str, one_day: str, by_days: str) -> None:
    """A window includes its start and not its end; outside working time the term counts from the next window."""
    assert local(counted_from(DAY, at(received), VIETNAM)) == counted
    assert due_local(DAY, received) == one_day
    assert due_local(ONE_BY_DAYS, received) == by_days


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2017-11-06 06:59", "2017-11-06 17:00"),
        ("2017-11-06 14:59", "2017-11-06 17:00"),
        ("2017-11-06 15:00", "2017-11-06 17:00"),
        ("2017-11-06 15:00:00.000001", "2017-11-07 17:00"),
        ("2017-11-06 15:01", "2017-11-07 17:00"),
        ("2017-11-06 17:00", "2017-11-07 17:00"),
        ("2017-11-06 23:59", "2017-11-07 17:00"),
        ("2017-11-04 16:00", "2017-11-06 17:00"),
        ("2017-11-03 15:01", "2017-11-06 17:00"),
    ],
)
def test_receipt_after_the_cut_off_counts_from_the_next_working_day(received: str, expected: str) -> None:
    """A receipt exactly at the cut-off counts from the same day."""
    assert due_local(SAME_DAY_UNTIL_3, received) == expected


def test_cut_off_applies_to_every_unit() -> None:
    """The counted start moves for every unit."""
    assert due_local(replace(DAY, cut_off=time(15)), "2017-11-06 15:01") == "2017-11-07 17:00"
    assert due_local(Term(3, "calendar_day", cut_off=time(15)), "2017-11-06 15:01") == "2017-11-10 17:00"


@pytest.mark.parametrize(
    ("received", "term", "expected"),
    [
        # Tết 2017: 26 January (Thursday) to 1 February (Wednesday) off.
        ("2017-01-25 16:00", DAY, "2017-02-02 16:00"),
        ("2017-01-25 16:00", ONE_BY_DAYS, "2017-02-02 17:00"),
        ("2017-01-28 09:00", DAY, "2017-02-02 17:00"),
        ("2017-01-28 09:00", ONE_BY_DAYS, "2017-02-03 17:00"),
        ("2017-01-24 07:00", Term(2, "calendar_day"), "2017-02-02 17:00"),
        # Tết 2026: 16 to 20 February (Monday to Friday) off.
        ("2026-02-13 10:00", DAY, "2026-02-23 10:00"),
        ("2026-02-13 10:00", ONE_BY_DAYS, "2026-02-23 17:00"),
        ("2026-02-13 10:00", Term(0, "same_day"), "2026-02-13 17:00"),
        ("2026-02-13 10:00", Term(3, "calendar_day"), "2026-02-23 17:00"),
        ("2026-02-13 10:00", Term(10, "calendar_day"), "2026-02-23 17:00"),
        ("2026-02-13 10:00", Term(11, "calendar_day"), "2026-02-24 17:00"),
        ("2026-02-13 10:00", Term(5, "working_hour"), "2026-02-13 17:00"),
        ("2026-02-13 10:00", Term(6, "working_hour"), "2026-02-23 08:00"),
        # 2 January 2026 off, made up on Saturday 10 January.
        ("2025-12-31 14:00", DAY, "2026-01-05 14:00"),
        ("2026-01-08 14:00", Term(2, "working_day"), "2026-01-10 14:00"),
        ("2026-01-08 14:00", Term(2, "working_day", "by_days"), "2026-01-10 17:00"),
        ("2026-01-08 14:00", Term(2, "calendar_day"), "2026-01-10 17:00"),
        ("2026-01-08 14:00", Term(3, "calendar_day"), "2026-01-12 17:00"),
        ("2026-01-10 15:01", SAME_DAY_UNTIL_3, "2026-01-12 17:00"),
        # 30 April: 2017 with the Monday and Tuesday, 2024 with a swapped Monday, 2025 with a swapped Friday.
        ("2017-04-28 15:00", DAY, "2017-05-03 15:00"),
        ("2024-04-26 15:00", DAY, "2024-05-02 15:00"),
        ("2024-04-26 15:00", Term(3, "working_day"), "2024-05-04 15:00"),
        ("2025-04-25 15:00", DAY, "2025-04-26 15:00"),
        ("2025-04-29 15:00", DAY, "2025-05-05 15:00"),
    ],
)
def test_days_off_are_skipped_and_swap_days_worked(received: str, term: Term, expected: str) -> None:
    """Days off are skipped and swap days are worked, in every unit."""
    assert due_local(term, received) == expected


@pytest.mark.parametrize(
    ("received", "term", "expected"),
    [
        ("2025-12-31 14:00", DAY, "2026-01-02 14:00"),
        ("2026-01-08 14:00", Term(2, "working_day"), "2026-01-12 14:00"),
    ],
)
def test_swap_day_before_its_decision_is_not_worked(received: str, term: Term, expected: str) -> None:
    """Without the decision of 25 December 2025, 2 January is worked and 10 January is an ordinary Saturday."""
    known = [each for each in RULES.exceptions if not each.known_from or each.known_from < at("2025-12-25 00:00")]
    assert due_local(term, received, compile_calendar(replace(RULES, exceptions=tuple(known)))) == expected


def test_half_day_counts_its_own_length() -> None:
    """A half day is the first window unless it has its own; a standard day stays eight hours."""
    half = with_exceptions(CalendarException(date(2017, 11, 7), "half_day", "decided"))
    assert due_local(DAY, "2017-11-06 15:00", half) == "2017-11-08 08:30"
    assert due_local(ONE_BY_DAYS, "2017-11-06 15:00", half) == "2017-11-07 11:30"
    own = with_exceptions(
        CalendarException(date(2017, 11, 7), "half_day", "decided", (Window(time(8), time(10)),)),
    )
    assert due_local(DAY, "2017-11-06 15:00", own) == "2017-11-08 11:00"


def test_swap_day_is_worked_in_its_own_windows() -> None:
    """Windows of a swap day replace the standard windows."""
    morning = CalendarException(date(2017, 11, 4), "working", "decided", (Window(time(7, 30), time(11, 30)),))
    assert due_local(DAY, "2017-11-03 15:00", with_exceptions(morning)) == "2017-11-06 09:00"


def test_unconfirmed_exception_does_not_count() -> None:
    """24 November 2026 may become a day off; until then it is worked."""
    assert due_local(DAY, "2026-11-23 15:00") == "2026-11-24 15:00"


def test_exception_known_last_counts() -> None:
    """Of two exceptions for a date, the one that became known later rules."""
    calendar = with_exceptions(
        CalendarException(date(2017, 11, 7), "off", "decided", known_from=at("2017-11-02 00:00")),
        CalendarException(date(2017, 11, 7), "working", "decided", known_from=at("2017-11-03 00:00")),
    )
    assert due_local(DAY, "2017-11-06 15:00", calendar) == "2017-11-07 15:00"


@pytest.mark.parametrize(
    ("received", "term"),
    [
        ("2015-12-31 09:00", DAY),
        ("2028-01-01 09:00", DAY),
        ("2027-12-31 16:00", DAY),
        ("2027-12-31 17:00", DAY),
        ("2027-12-20 09:00", Term(30, "calendar_day")),
        ("2027-12-20 09:00", Term(30, "working_day", "by_days")),
    ],
)
def test_instant_outside_the_calendar_is_an_error(received: str, term: Term) -> None:
    """The error names the covered span."""
    with pytest.raises(OutsideCalendarError, match="vn-public covers 2016-01-01 to 2027-12-31"):
        due_local(term, received)


@pytest.mark.parametrize(
    ("value", "unit", "counting"),
    [
        (0, "working_day", "by_hours"),
        (-1, "working_hour", "by_hours"),
        (0, "calendar_day", "by_hours"),
        (1, "same_day", "by_hours"),
        (3, "working_hour", "by_days"),
        (3, "fortnight", "by_hours"),
        (3, "working_day", "by_weeks"),
    ],
)
def test_invalid_term_is_refused(value: int, unit: str, counting: str) -> None:
    """A term without a valid meaning is refused."""
    with pytest.raises(ValueError, match=r"term|unit|same_day|by_days"):
        Term(value, unit, counting)  # type: ignore[arg-type] # what a file or a request may hold


def test_calendar_without_exceptions_skips_weekends() -> None:
    """Without exceptions the weekdays decide."""
    assert due_local(Term(5, "working_day"), "2017-01-25 16:00", PLAIN) == "2017-02-01 16:00"


@pytest.mark.parametrize(
    ("zone", "on", "hours", "expected"),
    [
        # 02:00 to 03:00 is skipped: 02:30 counts as 03:30, so the first is turned round, and the second has the third's
        ("Europe/Amsterdam", "2027-03-28", ["02:30-03:15"], []),
        ("Europe/Amsterdam", "2027-03-28", ["02:30-03:15", "08:00-12:00"], ["08:00-12:00"]),
        ("Europe/Amsterdam", "2027-03-28", ["01:00-02:30", "03:00-05:00"], ["01:00-03:30", "03:30-05:00"]),
        ("Europe/Amsterdam", "2027-10-31", ["02:30-03:15"], ["02:30-03:15"]),
        # a date that never was
        ("Pacific/Apia", "2011-12-30", ["08:00-12:00"], []),
        ("Pacific/Apia", "2011-12-31", ["08:00-12:00"], ["08:00-12:00"]),
    ],
)
def test_window_in_a_skipped_hour_is_cut(zone: str, on: str, hours: list[str], expected: list[str]) -> None:
    """A window of which no time is left is omitted on that date, regardless of the calendar's span."""
    day = date.fromisoformat(on)
    windows = (Window(*(time.fromisoformat(each) for each in pair.split("-"))) for pair in hours)
    rules = CalendarRules("summer", zone, frozenset(range(1, 8)), tuple(windows), day, day)
    for first, last in ((0, 0), (0, 1), (1, 0), (400, 400)):
        spanned = replace(rules, first_date=day - timedelta(days=first), last_date=day + timedelta(days=last))
        worktime = compile_calendar(spanned).worktime
        found = [[each.astimezone(worktime.zone) for each in pair] for pair in worktime.windows_on(day)]
        assert ["-".join(f"{each:%H:%M}" for each in pair) for pair in found] == expected


def test_change_of_the_utc_offset_does_not_change_working_time() -> None:
    """Windows are local: in Amsterdam a working day over the night of 26 March 2017 ends at the same local hour."""
    amsterdam = compile_calendar(
        CalendarRules(
            name="nl",
            zone="Europe/Amsterdam",
            weekdays=frozenset({1, 2, 3, 4, 5}),
            windows=(Window(time(8, 30), time(17)),),
            first_date=date(2017, 1, 1),
            last_date=date(2017, 12, 31),
        )
    )
    friday = datetime(2017, 3, 24, 16, tzinfo=amsterdam.worktime.zone)
    monday = datetime(2017, 3, 27, 16, tzinfo=amsterdam.worktime.zone)
    assert due(DAY, friday, amsterdam).at == monday
    assert amsterdam.worktime.end_of(date(2017, 3, 26)) == datetime(2017, 3, 26, 22, tzinfo=UTC)
