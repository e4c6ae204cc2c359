"""Thresholds of due dates and pauses."""

from dataclasses import replace
from datetime import date

import pytest

from services.sla.domain.clock import ClockChange, derive
from services.sla.domain.thresholds import Threshold, passed, pending, refuted_by_act, thresholds
from shared.kernel.centre import Term, Thresholds
from tests.unit.sla.builders import VIETNAM, at, change, local

MONDAY = change("received", "2017-11-06 07:00")
RULES = Thresholds(
    valid_from=date(2017, 4, 28),
    decision="03/QĐ-TTHCC",
    max_backdate_working_days=1,
    near_working_hours=8,
    short_term_working_hours=16,
    escalation_working_hours=(8, 16),
    pause_ceiling_working_days=30,
    max_extensions=1,
)


def levels(*changes: ClockChange, term: Term) -> list[tuple[str, int, str | None]]:
    """Level, step and local time of each threshold."""
    found = thresholds(derive(changes, term, VIETNAM), RULES, VIETNAM)
    return [(each.level, each.step, local(each.at)) for each in found]


def test_due_date_has_every_level() -> None:
    """Near is 8 working hours before, reached at the due date, breached at 24:00 local, escalated in working time."""
    assert levels(MONDAY, term=Term(5, "working_day")) == [
        ("near", 0, "2017-11-10 07:00"),
        ("reached", 0, "2017-11-10 17:00"),
        ("breached", 0, "2017-11-11 00:00"),
        ("escalated", 1, "2017-11-13 17:00"),
        ("escalated", 2, "2017-11-14 17:00"),
    ]


@pytest.mark.parametrize(
    ("term", "near"),
    [
        (Term(1, "working_hour"), "2017-11-06 07:30"),
        (Term(1, "working_day"), "2017-11-06 11:00"),
        (Term(2, "working_day"), "2017-11-07 07:00"),
        (Term(16, "working_hour"), "2017-11-07 07:00"),
        (Term(17, "working_hour"), "2017-11-07 08:00"),
        (Term(20, "working_hour"), "2017-11-07 11:00"),
        (Term(0, "same_day"), "2017-11-06 11:00"),
        (Term(1, "calendar_day"), "2017-11-07 07:00"),
        (Term(3, "calendar_day"), "2017-11-09 07:00"),
    ],
)
def test_near_comes_at_half_the_term_or_eight_hours_before(term: Term, near: str) -> None:
    """Near is at half the term for terms of 16 working hours or less, otherwise 8 working hours before."""
    assert levels(MONDAY, term=term)[0] == ("near", 0, near)


def test_near_comes_at_the_resumption_if_less_time_is_left() -> None:
    """A due date that comes into force with less time left is near from then on."""
    changes = (MONDAY, change("paused", "2017-11-07 15:00", "payment"), change("resumed", "2017-11-09 09:00"))
    assert levels(*changes, term=Term(2, "working_day"))[:2] == [
        ("near", 0, "2017-11-09 09:00"),
        ("reached", 0, "2017-11-09 11:00"),
    ]


def test_paused_clock_has_only_the_threshold_of_its_pause() -> None:
    """A paused clock has the threshold of its pause; an ended clock and a clock without a term have none."""
    term = Term(5, "working_day")
    paused = levels(MONDAY, change("paused", "2017-11-06 10:00", "payment"), term=term)
    assert [level for level, _, _ in paused] == ["pause_exceeded"]
    assert levels(MONDAY, change("settled", "2017-11-06 10:00"), term=term) == []
    assert thresholds(derive((MONDAY,), None, VIETNAM), RULES, VIETNAM) == ()


@pytest.mark.parametrize(
    ("ceiling", "paused", "exceeded"),
    [
        (1, "2017-11-06 07:00", "2017-11-06 17:00"),
        (1, "2017-11-06 10:00", "2017-11-07 10:00"),
        (1, "2017-11-06 12:00", "2017-11-07 11:30"),
        (2, "2017-11-10 16:00", "2017-11-14 16:00"),
        (1, "2017-11-11 10:00", "2017-11-13 17:00"),
        (1, "2017-11-05 20:00", "2017-11-06 17:00"),
        (5, "2017-11-06 07:00", "2017-11-10 17:00"),
    ],
)
def test_pause_ceiling_counts_standard_days_from_the_pause(ceiling: int, paused: str, exceeded: str) -> None:
    """The ceiling is a number of standard days of working time from the begin of the pause."""
    changes = (change("received", "2017-11-03 07:00"), change("paused", paused, "supplement"))
    rules = replace(RULES, pause_ceiling_working_days=ceiling)
    for term in (Term(20, "working_day"), Term(30, "calendar_day"), None):
        (only,) = thresholds(derive(changes, term, VIETNAM), rules, VIETNAM)
        assert (only.level, local(only.anchor_at), local(only.at)) == ("pause_exceeded", paused, exceeded)


def test_finished_pause_has_no_ceiling() -> None:
    """A pause ended by a resumption, settlement or reopening has no threshold."""
    paused = (MONDAY, change("paused", "2017-11-06 10:00", "payment"))
    for changes in (
        (*paused, change("resumed", "2018-01-02 07:00")),
        (*paused, change("settled", "2018-01-02 07:00")),
        (*paused, change("settled", "2018-01-02 07:00"), change("reopened", "2018-06-01 07:00")),
    ):
        assert "pause_exceeded" not in [level for level, _, _ in levels(*changes, term=Term(5, "working_day"))]


def test_second_pause_counts_from_its_own_begin() -> None:
    """Each pause has its own ceiling, even if it begins when the previous pause ends."""
    changes = (
        MONDAY,
        change("paused", "2017-11-06 10:00", "supplement"),
        change("resumed", "2017-11-08 10:00"),
        change("paused", "2017-11-08 10:00", "payment"),
    )
    assert levels(*changes, term=Term(5, "working_day")) == [("pause_exceeded", 0, "2017-12-20 10:00")]


def test_pause_after_the_due_date_is_ordered_among_the_thresholds() -> None:
    """Thresholds are in time order, so that the first is the next one."""
    changes = (MONDAY, change("paused", "2017-11-10 18:00", "payment"))
    rules = replace(RULES, pause_ceiling_working_days=1, escalation_working_hours=(4, 16))
    found = thresholds(derive(changes, Term(5, "working_day"), VIETNAM), rules, VIETNAM)
    assert [(each.level, local(each.at)) for each in found][2:] == [
        ("breached", "2017-11-11 00:00"),
        ("escalated", "2017-11-13 11:00"),
        ("pause_exceeded", "2017-11-13 17:00"),
        ("escalated", "2017-11-14 17:00"),
    ]


def test_ceiling_after_the_calendar_is_left_out() -> None:
    """A pause ceiling after the end of the calendar has no threshold until the calendar is extended."""
    changes = (change("received", "2027-12-06 07:00"), change("paused", "2027-12-06 10:00", "supplement"))
    assert levels(*changes, term=Term(5, "working_day")) == []


def test_pause_after_the_due_date_does_not_prevent_the_breach() -> None:
    """A pause at or after the due date does not move it."""
    changes = (MONDAY, change("paused", "2017-11-10 18:00", "payment"))
    assert ("breached", 0, "2017-11-11 00:00") in levels(*changes, term=Term(5, "working_day"))


def test_escalation_after_the_calendar_is_left_out() -> None:
    """An escalation after the end of the calendar does not prevent the other levels."""
    late = change("received", "2027-12-31 07:00")
    assert [level for level, _, _ in levels(late, term=Term(1, "working_day"))] == ["near", "reached", "breached"]


def test_level_fires_once_per_due_date() -> None:
    """A level that fired for a due date is not pending, whatever its generation; for another due date it is."""
    every_level = thresholds(derive((MONDAY,), Term(5, "working_day"), VIETNAM), RULES, VIETNAM)
    near = every_level[0]
    assert near not in pending(every_level, [near])
    moved = Threshold(near.level, at("2017-11-13 17:00"), near.at)
    assert near in pending(every_level, [moved])


def test_escalation_levels_are_distinct() -> None:
    """The first escalation does not count for the second."""
    every_level = thresholds(derive((MONDAY,), Term(5, "working_day"), VIETNAM), RULES, VIETNAM)
    fired = every_level[:4]
    assert pending(every_level, fired) == every_level[4:]


def test_threshold_has_passed_at_its_instant() -> None:
    """A threshold has passed when its instant has come."""
    reached = Threshold("reached", at("2017-11-10 17:00"), at("2017-11-10 17:00"))
    assert passed([reached], at("2017-11-10 17:00")) == (reached,)
    assert passed([reached], at("2017-11-10 16:59:59.999999")) == ()


def test_act_recorded_late_refutes_later_thresholds() -> None:
    """A settlement at 16:00 refutes reached and breached, which fired later, and not near."""
    fired = thresholds(derive((MONDAY,), Term(5, "working_day"), VIETNAM), RULES, VIETNAM)[:3]
    assert refuted_by_act(fired, at("2017-11-10 16:00"), current=()) == fired[1:]


def test_threshold_at_the_instant_of_the_act_is_not_refuted() -> None:
    """A settlement exactly at the due date does not refute that the due date was reached."""
    reached = Threshold("reached", at("2017-11-10 17:00"), at("2017-11-10 17:00"))
    assert refuted_by_act([reached], at("2017-11-10 17:00"), current=()) == ()


def test_threshold_of_the_current_deadline_is_not_refuted() -> None:
    """A pause after the due date, recorded after the breach, does not move the due date."""
    changes = (MONDAY, change("paused", "2017-11-10 18:00", "payment"))
    current = thresholds(derive(changes, Term(5, "working_day"), VIETNAM), RULES, VIETNAM)
    fired = current[:3]
    assert refuted_by_act(fired, at("2017-11-10 18:00"), current) == ()
