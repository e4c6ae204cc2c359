"""Extensions and reopenings of the clock, by tables computed by hand.

Two working days received on Monday 6 November 2017 at 07:00 are due on Tuesday at 17:00; a day has 4.5 + 3.5 hours.
"""

from datetime import date, timedelta

import pytest

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import ClockChange, Deadline, derive
from services.sla.domain.errors import ClockError, ExtensionRefusedError
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term
from tests.unit.sla.builders import VIETNAM, at, change, local, with_exceptions

TWO_DAYS = Term(2, "working_day")
FIVE_CALENDAR_DAYS = Term(5, "calendar_day")  # last day Saturday 11, due Monday 13, 17:00
MONDAY = change("received", "2017-11-06 07:00")
HALF_WEDNESDAY = with_exceptions(CalendarException(date(2017, 11, 8), "half_day", "decided"))


def extended(when: str, by: int | str) -> ClockChange:
    """An extension by working days or to a date."""
    if isinstance(by, int):
        return ClockChange("extended", at(when), at(when), working_days=by)
    return ClockChange("extended", at(when), at(when), to_date=date.fromisoformat(by))


def paused(start: str, end: str | None = None) -> tuple[ClockChange, ...]:
    begin = change("paused", start, "supplement")
    return (begin,) if end is None else (begin, change("resumed", end))


def run(*changes: ClockChange, term: Term = TWO_DAYS) -> Deadline:
    return derive(changes, term, VIETNAM)


@pytest.mark.parametrize(
    ("term", "received", "by", "expected"),
    [
        (TWO_DAYS, "2017-11-06 07:00", 1, "2017-11-08 17:00"),
        (TWO_DAYS, "2017-11-06 07:00", 4, "2017-11-13 17:00"),
        (Term(1, "working_day"), "2017-11-06 15:00", 1, "2017-11-08 15:00"),
        (Term(3, "working_hour"), "2017-11-06 07:00", 1, "2017-11-07 10:00"),
        (Term(0, "same_day"), "2017-11-06 10:00", 1, "2017-11-07 17:00"),
        (Term(2, "working_day", "by_days"), "2017-11-06 10:00", 3, "2017-11-13 17:00"),
        (FIVE_CALENDAR_DAYS, "2017-11-06 07:00", 2, "2017-11-15 17:00"),
        (TWO_DAYS, "2017-11-06 07:00", "2017-11-10", "2017-11-10 17:00"),
        (Term(1, "working_day"), "2017-11-06 15:00", "2017-11-07", "2017-11-07 17:00"),
        # received on a Saturday and extended before the term begins to count on Monday
        (TWO_DAYS, "2017-11-04 08:00", 1, "2017-11-08 17:00"),
    ],
)
def test_extension_counts_from_the_due_date(term: Term, received: str, by: int | str, expected: str) -> None:
    """An extension adds standard days of working time to the due date, or sets the close of a date."""
    assert local(run(change("received", received), extended(received, by), term=term).due_at) == expected


def test_extension_over_a_half_day_counts_its_hours() -> None:
    """Wednesday gives 4.5 of the 8 hours, Thursday 3.5: 10:30. A date ends at its own close."""
    changes = (MONDAY, extended("2017-11-06 10:00", 1))
    assert local(derive(changes, TWO_DAYS, HALF_WEDNESDAY).due_at) == "2017-11-09 10:30"
    changes = (MONDAY, extended("2017-11-06 10:00", "2017-11-08"))
    assert local(derive(changes, TWO_DAYS, HALF_WEDNESDAY).due_at) == "2017-11-08 11:30"


def test_accepted_extension_is_not_checked_again() -> None:
    """If the calendar has changed since, an accepted extension still adds time and never takes any."""

    def accepted(*changes: ClockChange, calendar: Calendar = VIETNAM, term: Term = TWO_DAYS) -> str | None:
        return local(derive((MONDAY, *changes), term, calendar, accepted=True).due_at)

    friday_off = with_exceptions(CalendarException(date(2017, 11, 10), "off", "decided"))
    late = extended("2017-11-07 17:00", 1)
    assert accepted(late) == "2017-11-08 17:00"
    assert accepted(extended("2017-11-06 10:00", "2017-11-10"), calendar=friday_off) == "2017-11-13 17:00"
    assert accepted(extended("2017-11-06 10:00", "2017-11-07")) == "2017-11-07 17:00"
    assert accepted(extended("2017-11-06 10:00", "2017-11-06")) == "2017-11-07 17:00"
    days = (extended("2017-11-06 10:00", "2017-11-14"),)
    assert accepted(*days, term=FIVE_CALENDAR_DAYS) == "2017-11-14 17:00"
    assert accepted(extended("2017-11-06 10:00", "2017-11-11"), term=FIVE_CALENDAR_DAYS) == "2017-11-13 17:00"


def test_extension_keeps_both_dates() -> None:
    """Each extension has the due date before and after it, and the due date is in force from the extension on."""
    deadline = run(MONDAY, extended("2017-11-06 10:00", 1), extended("2017-11-08 16:59", "2017-11-10"))
    assert [(local(shift.before), local(shift.after)) for shift in deadline.shifts] == [
        ("2017-11-07 17:00", "2017-11-08 17:00"),
        ("2017-11-08 17:00", "2017-11-10 17:00"),
    ]
    assert local(deadline.in_force_from) == "2017-11-08 16:59"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ((extended("2017-11-07 17:00", 1),), "too late"),
        ((extended("2017-11-09 09:00", "2017-11-20"),), "too late"),
        ((extended("2017-11-06 10:00", "2017-11-11"),), "2017-11-11: it is a day off"),
        ((extended("2017-11-06 10:00", "2017-11-07"),), "gives no more time"),
        ((extended("2017-11-06 10:00", "2017-11-06"),), "gives no more time"),
        # a pause from the due date on does not bring it back
        ((*paused("2017-11-07 17:00"), extended("2017-11-08 09:00", 1)), "too late"),
        # 13 h are left in the pause: resumed on Wednesday 10:00 it would be due on Thursday 17:00 anyway
        ((*paused("2017-11-06 10:00"), extended("2017-11-08 10:00", "2017-11-09")), "gives no more time"),
    ],
)
def test_invalid_extension_is_refused(changes: tuple[ClockChange, ...], said: str) -> None:
    """An extension at or after the due date, to a day off, or to a date that is not later is refused."""
    with pytest.raises(ExtensionRefusedError, match=said):
        run(MONDAY, *changes)


def test_extension_before_the_due_date_is_accepted() -> None:
    """A due date can be extended until it has come."""
    assert local(run(MONDAY, extended("2017-11-07 16:59:59", 1)).due_at) == "2017-11-08 17:00"


def test_extension_during_a_pause_adds_to_the_remaining_time() -> None:
    """13 h are left, 21 h with a further day: Wednesday 10:00 to 17:00 5 h, Thursday and Friday 8 h each."""
    in_pause = (*paused("2017-11-06 10:00"), extended("2017-11-07 09:00", 1))
    deadline = run(MONDAY, *in_pause)
    assert (deadline.state, deadline.due_at, deadline.remaining) == ("paused", None, timedelta(hours=21))
    assert local(run(MONDAY, *in_pause, change("resumed", "2017-11-08 10:00")).due_at) == "2017-11-10 17:00"


@pytest.mark.parametrize(
    ("resumed", "expected"),
    [
        ("2017-11-08 10:00", "2017-11-10 17:00"),
        # 21 h from Thursday 10:00: 5 h, Friday 8 h, Monday 8 h
        ("2017-11-09 10:00", "2017-11-13 17:00"),
    ],
)
def test_date_set_during_a_pause_moves_only_by_later_paused_time(resumed: str, expected: str) -> None:
    """Set on Wednesday 10:00 to Friday: 5 + 8 + 8 = 21 h are left, and only later paused time moves it."""
    in_pause = (*paused("2017-11-06 10:00"), extended("2017-11-08 10:00", "2017-11-10"))
    assert run(MONDAY, *in_pause).remaining == timedelta(hours=21)
    assert local(run(MONDAY, *in_pause, change("resumed", resumed)).due_at) == expected


def test_pause_moves_extended_calendar_days() -> None:
    """Extended from Monday 13 to Wednesday 15, then paused for two days: Friday 17."""
    changes = (MONDAY, extended("2017-11-07 09:00", 2), *paused("2017-11-08 09:00", "2017-11-10 09:00"))
    assert local(run(*changes, term=FIVE_CALENDAR_DAYS).due_at) == "2017-11-17 17:00"


def test_calendar_days_are_extended_during_a_pause() -> None:
    """Five paused days move the last day from Saturday 11 to Thursday 16; two more working days: Monday 20.

    During the pause: 6 + 8 + 8 + 8 = 30 h to Monday 13 at 17:00, and 16 h more.
    """
    in_pause = (*paused("2017-11-08 09:00"), extended("2017-11-09 09:00", 2))
    deadline = run(MONDAY, *in_pause, term=FIVE_CALENDAR_DAYS)
    assert (deadline.remaining, deadline.remaining_days, deadline.added_days) == (timedelta(hours=46), 3, 2)
    resumed = run(MONDAY, *in_pause, change("resumed", "2017-11-13 06:00"), term=FIVE_CALENDAR_DAYS)
    assert local(resumed.due_at) == "2017-11-20 17:00"


def test_calendar_days_set_to_a_date_during_a_pause_move_by_later_days() -> None:
    """Set on Thursday 9 to Wednesday 15; resumed on Monday, four days later: Sunday 19, so Monday 20."""
    in_pause = (*paused("2017-11-08 09:00"), extended("2017-11-09 09:00", "2017-11-15"))
    resumed = run(MONDAY, *in_pause, change("resumed", "2017-11-13 06:00"), term=FIVE_CALENDAR_DAYS)
    assert local(resumed.due_at) == "2017-11-20 17:00"


@pytest.mark.parametrize(
    ("made", "to_date", "why"),
    [
        ("2017-11-17 10:00", "2017-11-16", r"the dossier is due at 2017-11-17T17:00:00\+07:00 without it"),
        ("2017-11-17 10:00", "2017-11-17", r"the dossier is due at 2017-11-17T17:00:00\+07:00 without it"),
        ("2017-11-17 20:00", "2017-11-17", r"the extension is made at 2017-11-17T20:00:00\+07:00"),
    ],
)
def test_extension_to_a_past_date_is_refused(made: str, to_date: str, why: str) -> None:
    """Due on Monday 13 for Saturday 11, paused that Monday: on Friday 17 it is due on that Friday at 17:00.

    At 20:00 this close has passed. Monday 20 leaves 5 h of Friday from 10:00 on, and 8 h.
    """
    in_pause = (MONDAY, *paused("2017-11-13 10:00"))
    with pytest.raises(ExtensionRefusedError, match=f"{to_date} gives no more time: {why}"):
        run(*in_pause, extended(made, to_date), term=FIVE_CALENDAR_DAYS)
    found = run(*in_pause, extended("2017-11-17 10:00", "2017-11-20"), term=FIVE_CALENDAR_DAYS)
    assert found.remaining == timedelta(hours=13)


def test_extension_to_a_date_before_the_calendar_is_refused() -> None:
    """It is refused as too early, regardless of what the calendar covers."""
    with pytest.raises(
        ExtensionRefusedError, match="1990-01-01 gives no more time: the dossier is due at 2017-11-07T17:00:00"
    ):
        run(MONDAY, extended("2017-11-06 10:00", "1990-01-01"))


@pytest.mark.parametrize(
    ("settled", "reopened", "expected"),
    [
        # 13 h left at 10:00: 5 h on Wednesday from 10:00, Thursday 8 h
        ("2017-11-06 10:00", "2017-11-08 10:00", "2017-11-09 17:00"),
        ("2017-11-06 18:00", "2017-11-07 06:00", "2017-11-07 17:00"),
        # settled late: the due date had passed, and stays
        ("2017-11-08 09:00", "2017-11-10 09:00", "2017-11-07 17:00"),
    ],
)
def test_time_from_settlement_to_reopening_is_a_pause(settled: str, reopened: str, expected: str) -> None:
    """After a reopening, the department has the time that was left at the settlement."""
    deadline = run(MONDAY, change("settled", settled), change("reopened", reopened))
    assert (deadline.state, local(deadline.due_at), deadline.ended, deadline.outcome) == (
        "running",
        expected,
        None,
        None,
    )


def test_reopening_moves_calendar_days() -> None:
    """Five days from settlement to reopening: Saturday 11 becomes Thursday 16."""
    changes = (MONDAY, change("settled", "2017-11-08 09:00"), change("reopened", "2017-11-13 06:00"))
    assert local(run(*changes, term=FIVE_CALENDAR_DAYS).due_at) == "2017-11-16 17:00"


def test_last_settlement_gives_the_outcome() -> None:
    """A dossier settled early, reopened and settled late is late."""
    changes = (MONDAY, change("settled", "2017-11-06 10:00"), change("reopened", "2017-11-08 10:00"))
    assert run(*changes, change("settled", "2017-11-09 12:00")).outcome == "on_time"
    assert run(*changes, change("settled", "2017-11-10 08:00")).outcome == "late"


def test_reopened_clock_can_be_paused_and_extended() -> None:
    """13 h left, a further day: 21 h from Wednesday 10:00."""
    changes = (MONDAY, change("settled", "2017-11-06 10:00"), change("reopened", "2017-11-08 10:00"))
    assert local(run(*changes, extended("2017-11-08 11:00", 1)).due_at) == "2017-11-10 17:00"
    assert run(*changes, *paused("2017-11-08 11:30")).remaining == timedelta(hours=11.5)


@pytest.mark.parametrize(
    "changes",
    [
        (change("reopened", "2017-11-06 10:00"),),
        (change("withdrawn", "2017-11-06 10:00"), change("reopened", "2017-11-06 11:00")),
        (change("settled", "2017-11-06 10:00"), extended("2017-11-06 11:00", 1)),
        (change("settled", "2017-11-06 10:00"), change("reopened", "2017-11-06 09:00")),
        (change("extended", "2017-11-06 10:00"),),
        (ClockChange("extended", at("2017-11-06 10:00"), at("2017-11-06 10:00"), None, 1, date(2017, 11, 10)),),
        (extended("2017-11-06 10:00", 0),),
        (extended("2017-11-06 06:00", 1),),
    ],
)
def test_contradicting_changes_are_an_error(changes: tuple[ClockChange, ...]) -> None:
    """Only a settled clock is reopened, and only a running clock is extended, by days or to a date."""
    with pytest.raises(ClockError):
        run(MONDAY, *changes)


def test_extension_without_a_term_has_no_effect() -> None:
    """Without a term there is no due date to move."""
    assert derive((MONDAY, extended("2017-11-06 10:00", 1)), None, VIETNAM).due_at is None
