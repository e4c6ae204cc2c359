"""The clock with pauses and ends, by tables computed by hand."""

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


def test_runs_towards_its_due_date() -> None:
    """From receipt on the clock runs; what it counts from and the local due date are told."""
    deadline = run(MONDAY)
    assert (deadline.state, local(deadline.counted_from), local(deadline.due_at), deadline.due_date) == (
        "running",
        "2017-11-06 07:00",
        "2017-11-07 17:00",
        date(2017, 11, 7),
    )


def test_true_instant_of_receipt_is_kept() -> None:
    """The counted start may be later; the receipt stays what it was."""
    deadline = run(change("received", "2017-11-04 09:00"))
    assert (local(deadline.received_at), local(deadline.counted_from)) == ("2017-11-04 09:00", "2017-11-06 07:00")


def test_no_due_date_while_paused() -> None:
    """While paused there is no due date, only the working time that remains."""
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
def test_remaining_time_is_walked_from_the_resume(pauses: list[tuple[str, str]], expected: str) -> None:
    """What was left at the pause is walked from the resume; a pause from the due date on moves nothing."""
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
def test_pause_before_the_counted_start(start: str, end: str, expected: str) -> None:
    """A pause before the counted start pauses from there: nothing has run yet, so nothing is lost."""
    assert local(run(change("received", "2017-11-04 09:00"), *paused(start, end)).due_at) == expected


def test_whole_term_remains_before_the_counted_start() -> None:
    """Paused before the term began to count, all of it remains."""
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
    """For calendar days the local-date difference is added to the last day, then the end moves off days off."""
    assert local(run(MONDAY, *paused(start, end), term=FIVE_CALENDAR_DAYS).due_at) == expected


def test_calendar_days_remain_while_paused() -> None:
    """A term in calendar days tells how many of them remain."""
    assert run(MONDAY, *paused("2017-11-08 09:00"), term=FIVE_CALENDAR_DAYS).remaining_days == 3


def test_by_days_is_walked_on_in_working_time() -> None:
    """Only calendar days are shifted by days: two following working days from Monday leave 16 hours on Tuesday."""
    term = Term(2, "working_day", "by_days")
    deadline = run(MONDAY, *paused("2017-11-07 07:00", "2017-11-08 09:00"), term=term)
    assert local(deadline.due_at) == "2017-11-10 09:00"


def test_pause_after_the_due_date_leaves_it_standing() -> None:
    """An overdue dossier stays overdue while it is paused: nothing remains and the due date is not taken back."""
    deadline = run(MONDAY, *paused("2017-11-08 09:00"))
    assert (deadline.state, deadline.remaining, local(deadline.due_at)) == ("paused", timedelta(0), "2017-11-07 17:00")


def test_pauses_that_touch_are_one() -> None:
    """A pause split at any instant changes nothing, even where the first part alone would end after the due date."""
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
def test_on_time_is_judged_by_local_date(settled: str, outcome: str) -> None:
    """Earlier date early, same date on time (Decision 766): the hour is shown, not judged."""
    deadline = run(MONDAY, change("settled", settled))
    assert (deadline.state, deadline.ended, deadline.outcome, local(deadline.due_at)) == (
        "ended",
        "settled",
        outcome,
        "2017-11-07 17:00",
    )


def test_withdrawn_while_paused_had_no_due_date() -> None:
    """An end in a pause has no due date to be judged by."""
    deadline = run(MONDAY, *paused("2017-11-06 10:00"), change("withdrawn", "2017-11-06 11:00"))
    assert (deadline.state, deadline.ended, deadline.due_at, deadline.outcome) == ("ended", "withdrawn", None, None)


def test_stopped_is_not_judged() -> None:
    """Only a settlement is early, on time or late."""
    assert run(MONDAY, change("stopped", "2017-11-20 09:00")).outcome is None


@pytest.mark.parametrize("step", [(), paused("2017-11-06 10:00"), (change("settled", "2017-11-06 10:00"),)])
def test_no_term_no_due_date(step: tuple[ClockChange, ...]) -> None:
    """Without a term there is never a due date, a remaining time or a judgement."""
    deadline = run(MONDAY, *step, term=None)
    assert (deadline.due_at, deadline.remaining, deadline.outcome) == (None, None, None)


def test_provisional_where_a_projected_exception_is_crossed() -> None:
    """Tết 2027 is projected: it counts, and a due date behind it says that it may move."""
    deadline = run(change("received", "2027-02-03 10:00"), term=Term(1, "working_day"))
    assert (local(deadline.due_at), deadline.provisional) == ("2027-02-11 10:00", True)
    assert not run(change("received", "2027-02-02 10:00"), term=Term(1, "working_day")).provisional


def test_crossed_unconfirmed_exceptions_are_named() -> None:
    """24 November 2026 is unconfirmed: it does not count, and a due date behind it says so."""
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
def test_events_that_contradict_each_other(changes: tuple[ClockChange, ...]) -> None:
    """No due date is derived from changes that cannot all be true."""
    with pytest.raises(ClockError):
        run(*changes)


def test_tables_are_in_local_time() -> None:
    """The tables above are read in Vietnam's time, seven hours ahead of UTC."""
    assert at("2017-11-06 07:00").isoformat() == "2017-11-06T00:00:00+00:00"
