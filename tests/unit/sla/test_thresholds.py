"""When a due date makes itself felt."""

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
    found = thresholds(derive(changes, term, VIETNAM), RULES, VIETNAM)
    return [(each.level, each.step, local(each.at)) for each in found]


def test_every_level_of_a_due_date() -> None:
    """Near 8 working hours before, reached at the due date, breached at 24:00 local, escalated in working time."""
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
def test_near(term: Term, near: str) -> None:
    """Half the term for terms of 16 working hours or less, otherwise 8 working hours before."""
    assert levels(MONDAY, term=term)[0] == ("near", 0, near)


def test_near_comes_at_the_resume_where_less_is_left() -> None:
    """A due date that begins to hold when it is already near is near from then on."""
    changes = (MONDAY, change("paused", "2017-11-07 15:00", "payment"), change("resumed", "2017-11-09 09:00"))
    assert levels(*changes, term=Term(2, "working_day"))[:2] == [
        ("near", 0, "2017-11-09 09:00"),
        ("reached", 0, "2017-11-09 11:00"),
    ]


def test_nothing_of_a_due_date_while_the_clock_stands() -> None:
    """A paused clock has no threshold but that of its pause; an ended one and one without a term have none."""
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
def test_pause_ceiling(ceiling: int, paused: str, exceeded: str) -> None:
    """So many standard days of working time from the beginning of the pause, inside working time or not."""
    changes = (change("received", "2017-11-03 07:00"), change("paused", paused, "supplement"))
    rules = replace(RULES, pause_ceiling_working_days=ceiling)
    for term in (Term(20, "working_day"), Term(30, "calendar_day"), None):
        (only,) = thresholds(derive(changes, term, VIETNAM), rules, VIETNAM)
        assert (only.level, local(only.anchor_at), local(only.at)) == ("pause_exceeded", paused, exceeded)


def test_pause_that_ended_has_no_ceiling() -> None:
    """Resumed, settled or reopened: nobody waits for the applicant any more."""
    paused = (MONDAY, change("paused", "2017-11-06 10:00", "payment"))
    for changes in (
        (*paused, change("resumed", "2018-01-02 07:00")),
        (*paused, change("settled", "2018-01-02 07:00")),
        (*paused, change("settled", "2018-01-02 07:00"), change("reopened", "2018-06-01 07:00")),
    ):
        assert "pause_exceeded" not in [level for level, _, _ in levels(*changes, term=Term(5, "working_day"))]


def test_second_pause_counts_from_its_own_beginning() -> None:
    """Each pause waits for something else, even where it begins as the one before it ends."""
    changes = (
        MONDAY,
        change("paused", "2017-11-06 10:00", "supplement"),
        change("resumed", "2017-11-08 10:00"),
        change("paused", "2017-11-08 10:00", "payment"),
    )
    assert levels(*changes, term=Term(5, "working_day")) == [("pause_exceeded", 0, "2017-12-20 10:00")]


def test_pause_from_the_due_date_on_stands_among_its_thresholds() -> None:
    """In the order of their instants, so that the next one to be told is the first."""
    changes = (MONDAY, change("paused", "2017-11-10 18:00", "payment"))
    rules = replace(RULES, pause_ceiling_working_days=1, escalation_working_hours=(4, 16))
    found = thresholds(derive(changes, Term(5, "working_day"), VIETNAM), rules, VIETNAM)
    assert [(each.level, local(each.at)) for each in found][2:] == [
        ("breached", "2017-11-11 00:00"),
        ("escalated", "2017-11-13 11:00"),
        ("pause_exceeded", "2017-11-13 17:00"),
        ("escalated", "2017-11-14 17:00"),
    ]


def test_ceiling_beyond_the_calendar_is_left_out() -> None:
    """A pause whose ceiling no calendar can date is told of once the calendar is prolonged."""
    changes = (change("received", "2027-12-06 07:00"), change("paused", "2027-12-06 10:00", "supplement"))
    assert levels(*changes, term=Term(5, "working_day")) == []


def test_overdue_pause_breaches_all_the_same() -> None:
    """A pause from the due date on does not move it, so the breach comes as reports will judge it."""
    changes = (MONDAY, change("paused", "2017-11-10 18:00", "payment"))
    assert ("breached", 0, "2017-11-11 00:00") in levels(*changes, term=Term(5, "working_day"))


def test_escalations_beyond_the_calendar_are_left_out() -> None:
    """An escalation that no calendar can date does not keep the other levels from firing."""
    late = change("received", "2027-12-31 07:00")
    assert [level for level, _, _ in levels(late, term=Term(1, "working_day"))] == ["near", "reached", "breached"]


def test_each_level_once_per_due_date() -> None:
    """What was told of a due date is not told again, whatever the generation; another due date is another matter."""
    all_of_them = thresholds(derive((MONDAY,), Term(5, "working_day"), VIETNAM), RULES, VIETNAM)
    near = all_of_them[0]
    assert near not in pending(all_of_them, [near])
    moved = Threshold(near.level, at("2017-11-13 17:00"), near.at)
    assert near in pending(all_of_them, [moved])


def test_levels_of_escalation_are_told_apart() -> None:
    """The first escalation does not stand for the second."""
    all_of_them = thresholds(derive((MONDAY,), Term(5, "working_day"), VIETNAM), RULES, VIETNAM)
    told = all_of_them[:4]
    assert pending(all_of_them, told) == all_of_them[4:]


def test_passed_includes_the_instant_itself() -> None:
    """A threshold has passed when its instant has come."""
    reached = Threshold("reached", at("2017-11-10 17:00"), at("2017-11-10 17:00"))
    assert passed([reached], at("2017-11-10 17:00")) == (reached,)
    assert passed([reached], at("2017-11-10 16:59:59.999999")) == ()


def test_late_record_makes_later_thresholds_untrue() -> None:
    """Settled at 16:00 but recorded the next day: reached and breached were told and were not so; near was so."""
    told = thresholds(derive((MONDAY,), Term(5, "working_day"), VIETNAM), RULES, VIETNAM)[:3]
    assert refuted_by_act(told, at("2017-11-10 16:00"), current=()) == told[1:]


def test_threshold_at_the_act_itself_stays_true() -> None:
    """Settled exactly at the due date: it had come."""
    reached = Threshold("reached", at("2017-11-10 17:00"), at("2017-11-10 17:00"))
    assert refuted_by_act([reached], at("2017-11-10 17:00"), current=()) == ()


def test_what_still_stands_is_not_untrue() -> None:
    """A pause from after the due date, recorded after the breach: the due date did not move, the breach is true."""
    changes = (MONDAY, change("paused", "2017-11-10 18:00", "payment"))
    standing = thresholds(derive(changes, Term(5, "working_day"), VIETNAM), RULES, VIETNAM)
    fired = standing[:3]
    assert refuted_by_act(fired, at("2017-11-10 18:00"), standing) == ()
