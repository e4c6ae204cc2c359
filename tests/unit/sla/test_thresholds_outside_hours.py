"""`near` outside working time moves to the start of the next window, or lapses."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.sla.domain.clock import ClockChange, derive
from services.sla.domain.thresholds import thresholds
from shared.kernel.centre import Term, Thresholds
from tests.support.dossier_events import DossierEvents
from tests.unit.sla.builders import VIETNAM, change, dossier_events, local
from tests.unit.sla.harness import RULES_IN_FORCE, THRESHOLDS, ClockHarness, centre
from tests.unit.sla.test_extensions import extended, paused
from tests.unit.sla.test_term_properties import derived, extended_courses, terms

MONDAY = change("received", "2017-11-06 07:00")
TWO_DAYS = Term(2, "working_day")  # due on Tuesday 7 at 17:00; near 8 working hours before
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)


def near(*changes: ClockChange, term: Term = TWO_DAYS, rules: Thresholds = THRESHOLDS) -> list[str | None]:
    """The local time of near; empty if there is none."""
    found = thresholds(derive(changes, term, VIETNAM), rules, VIETNAM)
    return [local(each.at) for each in found if each.level == "near"]


@pytest.mark.parametrize(
    ("resumed", "expected", "due"),
    [
        ("2017-11-08 10:00", "2017-11-08 10:00", "2017-11-08 14:00"),
        ("2017-11-08 20:00", "2017-11-09 07:00", "2017-11-09 09:00"),
        ("2017-11-09 05:00", "2017-11-09 07:00", "2017-11-09 09:00"),
        ("2017-11-08 12:00", "2017-11-08 13:30", "2017-11-08 15:30"),
        ("2017-11-11 10:00", "2017-11-13 07:00", "2017-11-13 09:00"),
        ("2017-11-08 11:30", "2017-11-08 11:30", "2017-11-08 15:30"),
        ("2017-11-08 17:00", "2017-11-08 17:00", "2017-11-09 09:00"),
        ("2017-11-10 17:00:01", "2017-11-13 07:00", "2017-11-13 09:00"),
    ],
)
def test_clock_resumed_with_little_time_left_is_near_in_working_time(resumed: str, expected: str, due: str) -> None:
    """With 2 h left, near is at the resume or reopening, or else at the next window; a closing time stays."""
    in_pause = (MONDAY, *paused("2017-11-07 15:00", resumed))
    settled = (MONDAY, change("settled", "2017-11-07 15:00"), change("reopened", resumed))
    for changes in (in_pause, settled):
        assert local(derive(changes, TWO_DAYS, VIETNAM).due_at) == due
        assert near(*changes) == [expected]


@pytest.mark.parametrize(
    ("extended_at", "expected"),
    [
        ("2017-11-09 20:00", "2017-11-10 07:00"),
        ("2017-11-10 12:30", "2017-11-10 13:30"),
        ("2017-11-10 09:00", "2017-11-10 09:00"),
    ],
)
def test_extension_with_little_time_left_is_near_in_working_time(extended_at: str, expected: str) -> None:
    """Extended from Friday 10 to Monday 13, less than the 24 h of the warning are left."""
    rules = replace(THRESHOLDS, near_working_hours=24)
    changes = (MONDAY, extended(extended_at, 1))
    assert near(*changes, term=Term(5, "working_day"), rules=rules) == [expected]


def test_clock_resumed_with_exactly_the_warning_time_left_is_near_at_the_next_window() -> None:
    """8 h are left at the closing time of Wednesday: near is at the start of Thursday, not moved from Wednesday."""
    assert near(MONDAY, *paused("2017-11-07 07:00", "2017-11-08 17:00")) == ["2017-11-09 07:00"]


def test_clock_resumed_after_the_close_of_its_due_date_is_never_near() -> None:
    """Five calendar days to Saturday 11, paused for two: due on Monday 13 at 17:00, before the resume at 20:00."""
    changes = (MONDAY, *paused("2017-11-11 10:00", "2017-11-13 20:00"))
    assert local(derive(changes, Term(5, "calendar_day"), VIETNAM).due_at) == "2017-11-13 17:00"
    assert near(*changes, term=Term(5, "calendar_day")) == []


@pytest.mark.parametrize(
    ("term", "received", "expected"),
    [
        # 5 h on Monday and 8 h on Tuesday: 6.5 h before Tuesday 17:00
        (Term(1, "working_day", "by_days"), "2017-11-06 10:00", "2017-11-07 08:30"),
        # 5 + 8 + 8 = 21 h are more than 16: 8 h before Wednesday 17:00
        (Term(2, "working_day", "by_days"), "2017-11-06 10:00", "2017-11-08 07:00"),
        # 5 h on Monday: 2.5 h before 17:00
        (Term(0, "same_day"), "2017-11-06 10:00", "2017-11-06 14:30"),
        (Term(1, "calendar_day"), "2017-11-06 10:00", "2017-11-07 08:30"),
        # 2 h on Friday and 8 h on Monday: 5 h before Monday 17:00
        (Term(3, "calendar_day"), "2017-11-10 15:00", "2017-11-13 10:00"),
    ],
)
def test_half_the_term_is_half_the_working_time_to_the_first_due_date(term: Term, received: str, expected: str) -> None:
    """A term that is counted in dates has the working time from its counted start to its first due date."""
    assert near(change("received", received), term=term) == [expected]


def test_half_the_term_does_not_change_by_a_pause() -> None:
    """Half of 5 h before Tuesday 14:00, which is 4 h after the resume at 08:00."""
    changes = (change("received", "2017-11-06 10:00"), *paused("2017-11-06 11:00", "2017-11-07 08:00"))
    assert local(derive(changes, Term(0, "same_day"), VIETNAM).due_at) == "2017-11-07 14:00"
    assert near(*changes, term=Term(0, "same_day")) == ["2017-11-07 09:30"]


def test_escalation_hours_run_on_through_a_pause() -> None:
    """Due on Tuesday 7 and paused that evening for a week: the escalation stays 8 h after the breach."""
    changes = (MONDAY, *paused("2017-11-07 18:00", "2017-11-14 20:00"))
    found = thresholds(derive(changes, TWO_DAYS, VIETNAM), THRESHOLDS, VIETNAM)
    assert [local(each.at) for each in found if each.level == "escalated"] == ["2017-11-08 17:00"]


def resumed_at_night() -> tuple[DossierEvents, ClockHarness]:
    """A clock of two days that is resumed on Wednesday 8 at 20:00 with 2 h left."""
    acts = dossier_events()
    harness = ClockHarness(replace(RULES_IN_FORCE, centre=centre(L_9=TWO_DAYS))).consume(
        acts.at("2017-11-06 15:00").received("L.9"),
        acts.at("2017-11-08 11:00").supplement_required(),
        acts.at("2017-11-08 20:00").supplement_received(),
    )
    assert local(harness.row.due_at) == "2017-11-09 09:00"
    return acts, harness


def test_near_is_published_when_the_next_window_starts() -> None:
    """It was due at night: nothing is published before 07:00, then near with the 2 h that are left."""
    _, harness = resumed_at_night()
    published = len(harness.published)
    assert harness.tick("2017-11-09 06:59").published[published:] == []
    harness.tick("2017-11-09 07:00")
    assert (harness.types()[published:], local(harness.published[-1].time)) == (["near"], "2017-11-09 07:00")
    assert (local(harness.last.threshold_at), harness.last.remaining_working_seconds) == ("2017-11-09 07:00", 2 * 3600)


@pytest.mark.parametrize("act", ["settled", "supplement_required", "withdrawn"])
def test_near_lapses_if_the_clock_ends_or_pauses_before_the_next_window(act: str) -> None:
    """An act at 21:00 leaves no due date that could be near at 07:00."""
    acts, harness = resumed_at_night()
    published = len(harness.published)
    harness.consume(getattr(acts.at("2017-11-08 21:00"), act)()).tick("2017-11-09 10:00")
    assert "near" not in harness.types()[published:]


def test_near_is_retracted_if_the_clock_paused_before_the_next_window() -> None:
    """A pause at 21:00, recorded after 07:00, shows that near had lapsed."""
    acts, harness = resumed_at_night()
    harness.tick("2017-11-09 07:00")
    harness.consume(acts.at("2017-11-08 21:00", recorded="2017-11-09 08:00").supplement_required())
    assert harness.types()[-3:] == ["near", "retracted", "paused"]


@given(
    terms,
    extended_courses(),
    st.integers(1, 100),
    st.integers(1, 40),
    st.lists(st.integers(1, 90), max_size=3, unique=True).map(lambda hours: tuple(sorted(hours))),
)
def test_every_warning_is_in_working_time(
    term: Term, changes: tuple[ClockChange, ...], lead: int, short: int, escalation: tuple[int, ...]
) -> None:
    """Each near and escalation is in a window or at its close; near leaves the warning time, or all that there is."""
    rules = replace(
        THRESHOLDS, near_working_hours=lead, short_term_working_hours=short, escalation_working_hours=escalation
    )
    deadline, elapsed = derived(changes, term), VIETNAM.worktime.elapsed
    for each in thresholds(deadline, rules, VIETNAM):
        if each.level in ("near", "escalated"):
            assert is_working(each.at)
        if each.level == "near":
            assert deadline.term_time is not None
            assert deadline.in_force_from is not None
            assert deadline.in_force_from <= each.at < each.anchor_at
            warning = deadline.term_time / 2 if deadline.term_time <= short * HOUR else lead * HOUR
            assert elapsed(each.at, each.anchor_at) == min(warning, elapsed(deadline.in_force_from, each.anchor_at))


def is_working(instant: datetime) -> bool:
    """Whether an instant is in a window or at its close, computed from the time that passes around it."""
    elapsed = VIETNAM.worktime.elapsed
    return elapsed(instant - TICK, instant) == TICK or elapsed(instant, instant + TICK) == TICK
