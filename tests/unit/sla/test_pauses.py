"""Pauses that touch, are empty, come late, or begin on the days off before the due date of calendar days."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given

from services.sla.domain.clock import ClockChange, Deadline, derive
from services.sla.domain.explanation import explain
from services.sla.domain.term_run import Pause
from services.sla.explanations.sentences import sentences
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term
from tests.unit.sla.builders import VIETNAM, at, change, dossier_events, local, with_exceptions
from tests.unit.sla.harness import RULES_IN_FORCE, ClockHarness, centre
from tests.unit.sla.test_extensions import extended, paused
from tests.unit.sla.test_term_properties import course, instants, pauses, terms

MONDAY = change("received", "2017-11-06 07:00")
TWO_DAYS = Term(2, "working_day")  # due on Tuesday 7 at 17:00
FIVE_CALENDAR_DAYS = Term(5, "calendar_day")  # last day Saturday 11, due on Monday 13 at 17:00
BY_DAYS, SAME_DAY = Term(1, "working_day", "by_days"), Term(0, "same_day")
SETTLED_ON_SUNDAY = (change("settled", "2017-11-12 10:00"), change("reopened", "2017-11-15 10:00"))


def run(*changes: ClockChange, term: Term = TWO_DAYS) -> Deadline:
    return derive((MONDAY, *changes), term, VIETNAM)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # on the last day: Saturday and three days are Tuesday
        (paused("2017-11-11 10:00", "2017-11-14 10:00"), "2017-11-14 17:00"),
        # on the day off after it: Monday and two days, five days (a Saturday), no day
        (paused("2017-11-12 10:00", "2017-11-14 10:00"), "2017-11-15 17:00"),
        (paused("2017-11-12 10:00", "2017-11-17 10:00"), "2017-11-20 17:00"),
        (paused("2017-11-12 10:00", "2017-11-12 20:00"), "2017-11-13 17:00"),
        # on the moved date itself, before its close
        (paused("2017-11-13 16:59", "2017-11-15 10:00"), "2017-11-15 17:00"),
        (paused("2017-11-13 17:00", "2017-11-15 10:00"), "2017-11-13 17:00"),
        # Wednesday 15 is the last day now: two more days are Friday
        (
            (*paused("2017-11-12 10:00", "2017-11-14 10:00"), *paused("2017-11-15 10:00", "2017-11-17 10:00")),
            "2017-11-17 17:00",
        ),
        (SETTLED_ON_SUNDAY, "2017-11-16 17:00"),
        # Monday and three days, and one working day more; Monday 20 is set on Tuesday 14 and moves by one day
        (
            (*paused("2017-11-12 10:00"), extended("2017-11-13 09:00", 1), change("resumed", "2017-11-15 10:00")),
            "2017-11-17 17:00",
        ),
        (
            (
                *paused("2017-11-12 10:00"),
                extended("2017-11-14 09:00", "2017-11-20"),
                change("resumed", "2017-11-15 10:00"),
            ),
            "2017-11-21 17:00",
        ),
    ],
)
def test_days_paused_after_the_last_day_are_added_to_the_moved_date(
    changes: tuple[ClockChange, ...], expected: str
) -> None:
    """The last day is a Saturday and the due date the Monday after it, until which the pause may begin."""
    assert local(run(*changes, term=FIVE_CALENDAR_DAYS).due_at) == expected


def test_days_paused_between_holidays_are_added_to_the_moved_date() -> None:
    """Tết 2018 is off from Wednesday 14 to Tuesday 20 February: due on Wednesday 21, and with two days on Friday."""
    received = change("received", "2018-02-12 08:00")
    term = Term(3, "calendar_day")  # last day Thursday 15
    assert local(derive((received,), term, VIETNAM).due_at) == "2018-02-21 17:00"
    changes = (received, *paused("2018-02-19 08:00", "2018-02-21 08:00"))
    assert local(derive(changes, term, VIETNAM).due_at) == "2018-02-23 17:00"


@pytest.mark.parametrize(
    ("start", "remaining"), [("2017-11-11 10:00", 0), ("2017-11-12 10:00", 1), ("2017-11-13 10:00", 0)]
)
def test_pause_after_the_last_day_has_the_days_to_the_moved_date_left(start: str, remaining: int) -> None:
    """On Sunday, one day is left until Monday; on Saturday and on Monday, none."""
    assert run(*paused(start), term=FIVE_CALENDAR_DAYS).remaining_days == remaining


@given(terms, instants, pauses)
def test_no_clock_is_due_before_the_date_of_its_resumption(
    term: Term, received_at: datetime, pauses: list[tuple[timedelta, timedelta]]
) -> None:
    """After each pause that moved it, the due date is not before the local date of the resumption."""
    local_date = VIETNAM.worktime.local_date
    for shift in derive(course(received_at, pauses), term, VIETNAM).shifts:
        if isinstance(shift.by, Pause) and shift.by.end is not None:
            assert shift.after is not None
            assert local_date(shift.after) >= local_date(shift.by.end)
            assert shift.after > shift.by.end or term.unit == "calendar_day"


@pytest.mark.parametrize(
    ("first", "second", "due"),
    [
        # Monday 10:00 to Tuesday 09:00: 13 h left, Tuesday 6 h and Wednesday 7 h
        (("2017-11-06 10:00", "2017-11-06 15:00"), ("2017-11-06 15:00", "2017-11-07 09:00"), "2017-11-08 16:00"),
        # the second begins after the first due date, and still is part of a pause that began before it
        (("2017-11-07 16:00", "2017-11-07 18:00"), ("2017-11-07 18:00", "2017-11-09 07:00"), "2017-11-09 08:00"),
        # a pause of no length between two others
        (("2017-11-07 16:00", "2017-11-07 16:00"), ("2017-11-07 16:00", "2017-11-09 07:00"), "2017-11-09 08:00"),
    ],
)
def test_pauses_that_touch_are_one_pause(first: tuple[str, str], second: tuple[str, str], due: str) -> None:
    """The next begins at the instant at which the one before ends."""
    whole = run(*paused(first[0], second[1]))
    assert local(whole.due_at) == due
    assert run(*paused(*first), *paused(*second)) == whole


@pytest.mark.parametrize("term", [TWO_DAYS, FIVE_CALENDAR_DAYS, BY_DAYS, SAME_DAY])
@pytest.mark.parametrize("instant", ["2017-11-06 07:00", "2017-11-06 12:00", "2017-11-06 16:00", "2017-11-12 10:00"])
def test_pause_of_no_length_moves_nothing(term: Term, instant: str) -> None:
    """The due date and the instant from which it applies stay."""
    assert run(*paused(instant, instant), term=term) == run(term=term)


@pytest.mark.parametrize(
    ("term", "due"),
    [
        (TWO_DAYS, "2017-11-07 17:00"),
        (FIVE_CALENDAR_DAYS, "2017-11-13 17:00"),
        (BY_DAYS, "2017-11-07 17:00"),
        (SAME_DAY, "2017-11-06 17:00"),
    ],
)
def test_late_pause_keeps_the_date_and_nothing_remains(term: Term, due: str) -> None:
    """A pause that begins at the due date moves it neither while it lasts nor afterwards."""
    during, after = run(*paused(due), term=term), run(*paused(due, "2017-11-20 10:00"), term=term)
    assert (during.state, local(during.due_at), during.remaining) == ("paused", due, timedelta(0))
    assert during.remaining_days == (0 if term is FIVE_CALENDAR_DAYS else None)
    assert (after.state, local(after.due_at), after.remaining) == ("running", due, None)
    just_before = (at(due) - timedelta(seconds=1)).astimezone(VIETNAM.worktime.zone).isoformat()[:19]
    assert run(*paused(just_before), term=term).due_at is None


def test_explanation_says_that_the_moved_date_counts() -> None:
    """The days off until Monday 13 are days of the term, and the two paused days follow: Wednesday 15 is day 7."""
    found = explain(run(*paused("2017-11-12 10:00", "2017-11-14 10:00"), term=FIVE_CALENDAR_DAYS), VIETNAM)
    assert [(f"{day.on:%d}", day.number) for day in found.days[5:]] == [
        ("11", 5),
        ("12", 6),
        ("13", None),
        ("14", None),
        ("15", 7),
    ]
    assert (found.given_days, [each.shift.after_last_day for each in found.shifts]) == (7, [True])
    assert (
        "Paused from Sunday 2017-11-12 10:00 to Tuesday 2017-11-14 10:00, with 8 h left: the due date moved from "
        "Monday 2017-11-13 17:00 to Wednesday 2017-11-15 17:00. The pause began after the last day, so the paused days "
        "are added to Monday 2017-11-13."
    ) in sentences(found, "en")


def test_explanation_of_a_pause_on_the_last_day_does_not() -> None:
    """Saturday 11 is the last day; three paused days are added to it."""
    found = explain(run(*paused("2017-11-11 10:00", "2017-11-14 10:00"), term=FIVE_CALENDAR_DAYS), VIETNAM)
    assert (found.given_days, [each.shift.after_last_day for each in found.shifts]) == (5, [False])
    assert not any("after the last day" in sentence for sentence in sentences(found, "en"))


def test_day_off_may_move_the_last_day_onto_the_day_of_a_pause() -> None:
    """The known exception: with Tuesday 7 off, the last day is Sunday 12, not Saturday 11; both are due on Monday 13.

    Two days paused from that Sunday on are added to Monday, because Saturday has passed; or else to Sunday.
    """
    changes = (change("received", "2017-11-07 08:00"), *paused("2017-11-12 10:00", "2017-11-14 10:00"))
    tuesday_off = with_exceptions(CalendarException(date(2017, 11, 7), "off", "decided"))
    found = [derive(changes, Term(4, "calendar_day"), calendar) for calendar in (VIETNAM, tuesday_off)]
    assert [local(each.first_due_at) for each in found] == ["2017-11-13 17:00", "2017-11-13 17:00"]
    assert [local(each.due_at) for each in found] == ["2017-11-15 17:00", "2017-11-14 17:00"]


def test_clock_resumed_after_the_last_day_is_published_as_not_overdue() -> None:
    """Its due date has not come at the resume, so neither reached nor breached is published."""
    acts = dossier_events()
    harness = ClockHarness(replace(RULES_IN_FORCE, centre=centre(L_9=FIVE_CALENDAR_DAYS))).consume(
        acts.at("2017-11-06 07:00").received("L.9"),
        acts.at("2017-11-12 10:00").supplement_required(),
        acts.at("2017-11-14 10:00").supplement_received(),
    )
    assert (harness.types(), local(harness.last.due_at)) == (["set", "paused", "set"], "2017-11-15 17:00")
    harness.tick("2017-11-15 16:59")
    assert harness.types()[3:] == ["near"]
