"""Explanations of due dates: the days, sums and decisions that they follow from."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given

from services.sla.domain.calendar import compile_calendar, rules_known_at
from services.sla.domain.clock import ClockChange, derive
from services.sla.domain.explanation import Explanation, explain
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term
from tests.unit.sla.builders import RULES, VIETNAM, at, change, local, with_exceptions
from tests.unit.sla.test_extensions import extended, paused
from tests.unit.sla.test_term_properties import derived, extended_courses, in_calendar_days, in_working_time, terms

TWO_DAYS = Term(2, "working_day")
FIVE_CALENDAR_DAYS = Term(5, "calendar_day")
MONDAY = change("received", "2017-11-06 07:00")


def explained(*changes: ClockChange, term: Term | None = TWO_DAYS) -> Explanation:
    return explain(derive(changes, term, VIETNAM), VIETNAM)


def counted(explanation: Explanation) -> list[tuple[str, float]]:
    """Day of the month and hours of each day."""
    return [(f"{day.on:%d}", day.length / timedelta(hours=1)) for day in explanation.days]


def recomputed(explanation: Explanation) -> datetime:
    """The due date from the explanation alone: the end of the time given, summed up day by day."""
    assert explanation.given is not None
    left = explanation.given
    for day in explanation.days:
        for start, end in day.counted:
            if left <= end - start:
                return start + left
            left -= end - start
    raise AssertionError(f"{left} of {explanation.given} is not covered by the days")


def recomputed_date(explanation: Explanation) -> date:
    """The due date of a term in calendar days: the first working day from the last day given."""
    (last,) = (day.on for day in explanation.days if day.number == explanation.given_days)
    return next(day.on for day in explanation.days if day.on >= last and day.worked)


@given(in_working_time, extended_courses())
def test_days_sum_up_to_the_due_date(term: Term, changes: tuple[ClockChange, ...]) -> None:
    """With any pauses and extensions, the days' sums end at the due date."""
    deadline = derived(changes, term)
    found = explain(deadline, VIETNAM)
    if deadline.due_at is not None:
        assert found.counted == found.given
        assert recomputed(found) == deadline.due_at
    else:
        assert found.given is not None
        assert deadline.remaining == found.given - found.counted


@given(in_calendar_days, extended_courses())
def test_day_numbers_end_at_the_due_date_of_calendar_days(term: Term, changes: tuple[ClockChange, ...]) -> None:
    """For calendar days, the numbers of the days end at the due date."""
    deadline = derived(changes, term)
    found = explain(deadline, VIETNAM)
    if deadline.due_at is not None:
        assert recomputed_date(found) == deadline.due_date
    else:
        assert found.given_days is not None
        assert deadline.remaining_days == found.given_days - sum(day.number is not None for day in found.days)


@given(terms, extended_courses())
def test_every_day_occurs_once(term: Term, changes: tuple[ClockChange, ...]) -> None:
    """From the receipt on, no date is left out, and only working days have counted or paused time."""
    deadline = derived(changes, term)
    days = explain(deadline, VIETNAM).days
    first = VIETNAM.worktime.local_date(deadline.received_at)
    assert [day.on for day in days] == [first + timedelta(days=n) for n in range(len(days))]
    assert all(day.worked or not (day.counted or day.paused) for day in days)
    if deadline.due_at is not None:
        assert days[-1].on == deadline.due_date


def test_weekend_days_count_nothing() -> None:
    """Received Friday 15:00: 2 h on Friday, 8 h on Monday, 6 h on Tuesday."""
    found = explained(change("received", "2017-11-03 15:00"))
    assert counted(found) == [("03", 2), ("04", 0), ("05", 0), ("06", 8), ("07", 6)]
    assert [day.worked for day in found.days] == [True, False, False, True, True]


def test_day_off_names_its_decision() -> None:
    """Monday 4 September 2017 compensates for the holiday on Saturday, by law."""
    found = explained(change("received", "2017-09-01 16:00"), term=Term(1, "working_day"))
    ruled = [(f"{day.on:%d}", day.ruled_by.kind, day.ruled_by.decided_by) for day in found.days if day.ruled_by]
    assert ruled == [
        ("02", "off", "Labour Code 2012, art. 115"),
        ("04", "off", "Labour Code 2012, art. 115 (next working day)"),
    ]


def test_unconfirmed_day_is_counted_and_named() -> None:
    """24 November 2026 is not off yet; the explanation counts it and names the unconfirmed exception."""
    (day,) = (day for day in explained(change("received", "2026-11-23 15:00")).days if day.on == date(2026, 11, 24))
    assert (day.length, day.ruled_by) == (timedelta(hours=8), None)
    assert day.unconfirmed is not None
    assert day.unconfirmed.name == "Ngày Văn hóa Việt Nam"


@pytest.mark.parametrize(
    ("received", "term", "reason"),
    [
        ("2017-11-06 07:00", TWO_DAYS, "in_working_time"),
        ("2017-11-06 06:59", TWO_DAYS, "outside_working_time"),
        ("2017-11-04 09:00", TWO_DAYS, "outside_working_time"),
        (
            "2017-11-06 15:01",
            Term(2, "working_day", cut_off=at("2017-11-06 15:00").astimezone(VIETNAM.worktime.zone).time()),
            "after_cut_off",
        ),
        ("2017-11-06 17:00", TWO_DAYS, "outside_working_time"),
    ],
)
def test_reason_names_the_counted_start(received: str, term: Term, reason: str) -> None:
    """The term counts from the receipt, the next window, or the next working day after the cut-off."""
    assert explained(change("received", received), term=term).reason == reason


def test_paused_time_is_in_the_days() -> None:
    """3 h on Monday, nothing on Tuesday (8 h paused), 5 h of Wednesday from 10:00, 8 h on Thursday: 16 h."""
    found = explained(MONDAY, *paused("2017-11-06 10:00", "2017-11-08 10:00"))
    assert counted(found) == [("06", 3), ("07", 0), ("08", 5), ("09", 8)]
    assert [day.paused / timedelta(hours=1) for day in found.days] == [5, 8, 3, 0]


def test_extensions_add_to_the_time_given() -> None:
    """16 h of the term, 8 h of a further day, and 8 h from Wednesday's close to Thursday's."""
    found = explained(MONDAY, extended("2017-11-06 10:00", 1), extended("2017-11-06 11:00", "2017-11-09"))
    assert [(local(each.shift.before), local(each.shift.after), each.adds) for each in found.shifts] == [
        ("2017-11-07 17:00", "2017-11-08 17:00", timedelta(hours=8)),
        ("2017-11-08 17:00", "2017-11-09 17:00", timedelta(hours=8)),
    ]
    assert found.given == timedelta(hours=32)


def test_present_pause_ends_the_days() -> None:
    """3 h of 16 h counted on Monday, 13 h remain."""
    found = explained(MONDAY, *paused("2017-11-06 10:00"))
    assert (counted(found), found.given, found.deadline.remaining) == (
        [("06", 3)],
        timedelta(hours=16),
        timedelta(hours=13),
    )


def test_paused_calendar_days_have_no_number() -> None:
    """Two of the days from Tuesday on are paused (9 and 10): the fifth is Monday 13."""
    found = explained(MONDAY, *paused("2017-11-08 09:00", "2017-11-10 09:00"), term=FIVE_CALENDAR_DAYS)
    numbers = [(f"{day.on:%d}", day.number) for day in found.days]
    assert numbers == [("06", None), ("07", 1), ("08", 2), ("09", None), ("10", None), ("11", 3), ("12", 4), ("13", 5)]
    assert found.given_days == 5


def test_working_days_counted_by_days_are_numbered() -> None:
    """Tuesday is the first day, Wednesday the second."""
    found = explained(MONDAY, term=Term(2, "working_day", "by_days"))
    assert [day.number for day in found.days] == [None, 1, 2]


def test_explanation_as_known_at_omits_later_decisions() -> None:
    """Before 25 December 2025, 2 January was an ordinary Friday without a decision."""
    known_at = at("2025-12-24 12:00")
    calendar = compile_calendar(rules_known_at(RULES, known_at))
    received = change("received", "2025-12-31 14:00")
    found = explain(derive([received], Term(1, "working_day"), calendar), calendar, known_at)
    (day,) = (day for day in found.days if day.on == date(2026, 1, 2))
    assert (day.length, day.ruled_by, found.as_known_at) == (timedelta(hours=5), None, known_at)


def test_half_day_is_named_with_its_hours() -> None:
    """A half day within the term is named and counts 4.5 h."""
    half = with_exceptions(CalendarException(date(2017, 11, 7), "half_day", "decided", decided_by="12/QĐ"))
    found = explain(derive((MONDAY,), TWO_DAYS, half), half)
    assert counted(found) == [("06", 8), ("07", 4.5), ("08", 3.5)]
    assert found.days[1].ruled_by is not None


def test_explanation_without_a_term_has_no_days() -> None:
    """Without a term, no day is counted."""
    found = explained(MONDAY, term=None)
    assert (found.reason, found.days, found.given) == (None, (), None)
