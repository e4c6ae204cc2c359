"""Deadlines of clocks with pauses and ends, from tables calculated by hand."""

from datetime import date, timedelta

import pytest

from services.sla.domain.clock import ClockChange, Deadline, derive
from services.sla.domain.errors import ClockError
from shared.kernel.centre import Term
from tests.unit.sla.builders import VIETNAM, at, change, local

TWO_DAYS = Term(2, "working_day")  # received Monday 6 November 2017 07:00: due Tuesday 17:00
FIVE_CALENDAR_DAYS = Term(5, "calendar_day")  # received Monday 6 November: last day Saturday, due Monday 13, 17:00
MONDAY = change("received", "2017-11-06 07:00")


def run(*changes: ClockChange, term: Term | None = TWO_DAYS) -> Deadline:
    return derive(changes, term, VIETNAM)


def paused(start: str, end: str | None = None) -> tuple[ClockChange, ...]:
    begin = change("paused", start, "supplement")
    return (begin,) if end is None else (begin, change("resumed", end))


def test_received_clock_has_a_due_date() -> None:
    """The clock runs from the receipt and has a counted start and a local due date."""
    deadline = run(MONDAY)
    assert (deadline.state, local(deadline.counted_from), local(deadline.due_at), deadline.due_date) == (
        "running",
        "2017-11-06 07:00",
        "2017-11-07 17:00",
        date(2017, 11, 7),
    )


def test_receipt_outside_working_time_keeps_its_instant() -> None:
    """The counted start may be later than the receipt."""
    deadline = run(change("received", "2017-11-04 09:00"))
    assert (local(deadline.received_at), local(deadline.counted_from)) == ("2017-11-04 09:00", "2017-11-06 07:00")


def test_paused_clock_has_remaining_time_and_no_due_date() -> None:
    """A paused clock has the working time that remains."""
    deadline = run(MONDAY, *paused("2017-11-06 10:00"))
    assert (deadline.state, deadline.due_at, deadline.remaining, deadline.ground) == (
        "paused",
        None,
        timedelta(hours=13),
        "supplement",
    )


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ([("2017-11-06 10:00", "2017-11-08 10:00")], "2017-11-09 17:00"),
        ([("2017-11-06 12:00", "2017-11-06 12:30")], "2017-11-07 17:00"),
        ([("2017-11-06 20:00", "2017-11-08 06:00")], "2017-11-08 17:00"),
        ([("2017-11-06 12:00", "2017-11-06 14:30")], "2017-11-08 08:00"),
        ([("2017-11-06 10:00", "2017-11-06 11:00"), ("2017-11-06 14:00", "2017-11-06 15:00")], "2017-11-08 09:00"),
        ([("2017-11-07 17:00", "2017-11-09 10:00")], "2017-11-07 17:00"),
        ([("2017-11-07 18:00", "2017-11-09 10:00")], "2017-11-07 17:00"),
        ([("2017-11-07 16:59", "2017-11-09 10:00")], "2017-11-09 10:01"),
    ],
)
def test_remaining_time_counts_from_the_resumption(pauses: list[tuple[str, str]], expected: str) -> None:
    """Time left at the pause counts from the resumption; a pause at or after the due date moves nothing."""
    changes = [step for start, end in pauses for step in paused(start, end)]
    assert local(run(MONDAY, *changes).due_at) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2017-11-04 10:00", "2017-11-05 10:00", "2017-11-07 17:00"),
        ("2017-11-04 10:00", "2017-11-06 06:59", "2017-11-07 17:00"),
        ("2017-11-04 10:00", "2017-11-06 08:00", "2017-11-08 08:00"),
    ],
)
def test_pause_before_the_counted_start_takes_effect_there(start: str, end: str, expected: str) -> None:
    """Before the counted start no time has run."""
    assert local(run(change("received", "2017-11-04 09:00"), *paused(start, end)).due_at) == expected


def test_pause_before_the_counted_start_leaves_the_whole_term() -> None:
    """The whole term remains."""
    deadline = run(change("received", "2017-11-04 09:00"), *paused("2017-11-04 10:00"))
    assert deadline.remaining == timedelta(hours=16)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2017-11-08 09:00", "2017-11-08 16:00", "2017-11-13 17:00"),
        ("2017-11-08 09:00", "2017-11-10 09:00", "2017-11-13 17:00"),
        ("2017-11-08 23:59", "2017-11-09 00:01", "2017-11-13 17:00"),
        ("2017-11-08 09:00", "2017-11-13 06:00", "2017-11-16 17:00"),
        ("2017-11-13 17:00", "2017-11-20 09:00", "2017-11-13 17:00"),
    ],
)
def test_paused_calendar_days_are_added_to_the_last_day(start: str, end: str, expected: str) -> None:
    """The difference of local dates is added to the last day, and an end on a day off moves on."""
    assert local(run(MONDAY, *paused(start, end), term=FIVE_CALENDAR_DAYS).due_at) == expected


def test_paused_calendar_days_have_remaining_days() -> None:
    """A term in calendar days has remaining days."""
    assert run(MONDAY, *paused("2017-11-08 09:00"), term=FIVE_CALENDAR_DAYS).remaining_days == 3


def test_term_counted_by_days_resumes_in_working_time() -> None:
    """Only calendar days move by days: two days after Monday leave 16 hours on Tuesday."""
    term = Term(2, "working_day", "by_days")
    deadline = run(MONDAY, *paused("2017-11-07 07:00", "2017-11-08 09:00"), term=term)
    assert local(deadline.due_at) == "2017-11-10 09:00"


def test_pause_after_the_due_date_keeps_the_due_date() -> None:
    """An overdue dossier that is paused stays overdue, with no time left."""
    deadline = run(MONDAY, *paused("2017-11-08 09:00"))
    assert (deadline.state, deadline.remaining, local(deadline.due_at)) == ("paused", timedelta(0), "2017-11-07 17:00")


def test_adjacent_pauses_are_joined() -> None:
    """A pause split at any instant has the same effect, even if its first part alone would end after the due date."""
    parts = [*paused("2017-11-13 16:00", "2017-11-14 18:00"), *paused("2017-11-14 18:00", "2017-11-15 10:00")]
    whole = paused("2017-11-13 16:00", "2017-11-15 10:00")
    assert run(MONDAY, *parts, term=FIVE_CALENDAR_DAYS) == run(MONDAY, *whole, term=FIVE_CALENDAR_DAYS)


@pytest.mark.parametrize(
    ("settled", "outcome"),
    [
        ("2017-11-06 23:59", "early"),
        ("2017-11-07 00:00", "on_time"),
        ("2017-11-07 17:00", "on_time"),
        ("2017-11-07 23:59", "on_time"),
        ("2017-11-08 00:00", "late"),
    ],
)
def test_outcome_compares_local_dates(settled: str, outcome: str) -> None:
    """An earlier date is early, the same date on time (Decision 766), at any hour."""
    deadline = run(MONDAY, change("settled", settled))
    assert (deadline.state, deadline.ended, deadline.outcome, local(deadline.due_at)) == (
        "ended",
        "settled",
        outcome,
        "2017-11-07 17:00",
    )


def test_withdrawal_during_a_pause_has_no_due_date() -> None:
    """A clock that ends during a pause has no due date."""
    deadline = run(MONDAY, *paused("2017-11-06 10:00"), change("withdrawn", "2017-11-06 11:00"))
    assert (deadline.state, deadline.ended, deadline.due_at, deadline.outcome) == ("ended", "withdrawn", None, None)


def test_stopped_clock_has_no_outcome() -> None:
    """Only a settlement is early, on time or late."""
    assert run(MONDAY, change("stopped", "2017-11-20 09:00")).outcome is None


@pytest.mark.parametrize("step", [(), paused("2017-11-06 10:00"), (change("settled", "2017-11-06 10:00"),)])
def test_clock_without_a_term_has_no_due_date(step: tuple[ClockChange, ...]) -> None:
    """Without a term there is no due date, remaining time or outcome."""
    deadline = run(MONDAY, *step, term=None)
    assert (deadline.due_at, deadline.remaining, deadline.outcome) == (None, None, None)


def test_due_date_after_a_projected_exception_is_provisional() -> None:
    """Tết 2027 is projected: it counts as off, and a due date after it is provisional."""
    deadline = run(change("received", "2027-02-03 10:00"), term=Term(1, "working_day"))
    assert (local(deadline.due_at), deadline.provisional) == ("2027-02-11 10:00", True)
    assert not run(change("received", "2027-02-02 10:00"), term=Term(1, "working_day")).provisional


def test_due_date_names_crossed_unconfirmed_exceptions() -> None:
    """24 November 2026 is unconfirmed: it does not count as off, and a due date after it names it."""
    deadline = run(change("received", "2026-11-20 10:00"), term=Term(5, "working_day"))
    assert (local(deadline.due_at), deadline.crosses_unconfirmed) == ("2026-11-27 10:00", (date(2026, 11, 24),))


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (change("paused", "2017-11-06 10:00", "supplement"),),
        (MONDAY, MONDAY),
        (MONDAY, change("resumed", "2017-11-06 10:00")),
        (MONDAY, *paused("2017-11-06 10:00"), *paused("2017-11-06 11:00")),
        (MONDAY, *paused("2017-11-06 10:00", "2017-11-06 09:00")),
        (MONDAY, change("settled", "2017-11-06 10:00"), change("settled", "2017-11-06 11:00")),
        (MONDAY, change("settled", "2017-11-06 10:00"), *paused("2017-11-06 11:00")),
    ],
)
def test_contradicting_changes_are_an_error(changes: tuple[ClockChange, ...]) -> None:
    """Changes that cannot all be true have no due date."""
    with pytest.raises(ClockError):
        run(*changes)


def test_tables_are_in_local_time() -> None:
    """The tables are in Vietnam's time, seven hours ahead of UTC."""
    assert at("2017-11-06 07:00").isoformat() == "2017-11-06T00:00:00+00:00"
