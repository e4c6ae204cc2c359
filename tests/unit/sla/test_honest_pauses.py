"""Pauses and settlements for a leader to check; five working days from Monday 6 November 2017 are due on Friday."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.sla.domain.clock import ClockChange, derive
from services.sla.domain.honest_pauses import find_doubtful
from shared.kernel.centre import Term
from tests.unit.sla.builders import VIETNAM, at, change
from tests.unit.sla.harness import THRESHOLDS

MONDAY = change("received", "2017-11-06 07:00")
HOUR = timedelta(hours=1)
RULES = replace(THRESHOLDS, pause_ceiling_working_days=2)


def found_by(
    *changes: ClockChange, now: str = "2017-11-24 17:00", result: str | None = None
) -> list[tuple[str, float]]:
    """The kinds of the findings and their working hours."""
    course = (MONDAY, *changes)
    found = find_doubtful(
        course,
        derive(course, Term(5, "working_day"), VIETNAM),
        result_at=None if result is None else at(result),
        now=at(now),
        near=8 * HOUR,
        patience=8 * HOUR,
        rules=RULES,
        calendar=VIETNAM,
    )
    return [(each.kind, each.working_time / HOUR) for each in found]


def paused(start: str, end: str) -> tuple[ClockChange, ClockChange]:
    return change("paused", start, "supplement"), change("resumed", end)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2017-11-09 16:59", []),
        ("2017-11-09 17:00", [("paused_near_due", 8.0)]),
        ("2017-11-10 16:00", [("paused_near_due", 1.0)]),
        ("2017-11-10 17:00", []),  # a pause at or after the due date moves nothing
    ],
)
def test_pause_near_the_due_date_is_found(start: str, expected: list[tuple[str, float]]) -> None:
    """A pause with at most this many working hours left is found."""
    assert found_by(*paused(start, "2017-11-13 08:00")) == expected


@pytest.mark.parametrize(
    ("end", "expected"), [("2017-11-09 07:00", []), ("2017-11-09 07:30", [("paused_too_long", 16.5)])]
)
def test_pause_longer_than_the_ceiling_is_found(end: str, expected: list[tuple[str, float]]) -> None:
    """A pause longer than two working days is found, an equally long one is not."""
    assert found_by(*paused("2017-11-07 07:00", end)) == expected


def test_present_pause_is_measured_up_to_now() -> None:
    """A present pause lasts until now, a pause ended with the dossier until that end."""
    asked = change("paused", "2017-11-07 07:00", "payment")
    assert found_by(asked, now="2017-11-09 11:30") == [("paused_too_long", 20.5)]
    assert found_by(asked, change("withdrawn", "2017-11-08 17:00")) == []


@pytest.mark.parametrize(
    ("now", "result", "expected"),
    [
        ("2017-11-10 08:00", None, []),
        ("2017-11-10 08:30", None, [("settled_without_result", 8.5)]),
        ("2017-11-24 08:00", "2017-11-09 09:00", []),
    ],
)
def test_settlement_without_a_result_is_found(now: str, result: str | None, expected: list[tuple[str, float]]) -> None:
    """A settlement whose result is missing for more than a working day is found."""
    assert found_by(change("settled", "2017-11-09 08:00"), now=now, result=result) == expected


def test_time_before_a_reopening_is_not_a_pause() -> None:
    """It counts as a pause for the due date, but nothing was requested from the applicant."""
    again = (change("settled", "2017-11-09 17:00"), change("reopened", "2017-11-24 07:00"))
    assert found_by(*again) == []


def test_time_after_the_calendar_is_not_counted() -> None:
    """A report after the end of the calendar counts working time up to that end."""
    course = (change("received", "2027-12-20 07:00"), change("settled", "2027-12-30 17:00"))
    found = find_doubtful(
        course,
        derive(course, Term(5, "working_day"), VIETNAM),
        result_at=None,
        now=at("2028-03-01 08:00"),
        near=8 * HOUR,
        patience=timedelta(),
        rules=RULES,
        calendar=VIETNAM,
    )
    assert [(each.kind, each.working_time / HOUR) for each in found] == [("settled_without_result", 8.0)]
