"""When the steps that remain no longer fit into the time that is left: by hand, and whatever the day."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.sla.domain.clock import ClockChange, Deadline, derive
from services.sla.domain.steps import at_risk_from, needed_time
from services.sla.domain.thresholds import thresholds
from shared.kernel.centre import ProcedureStep, Term
from tests.unit.sla.builders import VIETNAM, at, change, local
from tests.unit.sla.harness import THRESHOLDS
from tests.unit.sla.test_extensions import extended, paused
from tests.unit.sla.test_term_properties import MINUTE, derived, extended_courses, instants, terms

HOUR = timedelta(hours=1)
MONDAY = change("received", "2017-11-06 07:00")
FIVE_DAYS = Term(5, "working_day")  # due on Friday 10 November 17:00, forty hours later
internal_terms = st.lists(st.integers(1, 100).map(lambda each: Term(each, "working_hour")), min_size=2, max_size=4)


def steps(*internal: Term) -> tuple[ProcedureStep, ...]:
    """Steps with these internal terms."""
    return tuple(
        ProcedureStep(
            valid_from=date(2017, 1, 1), decision="07/QĐ", procedure="L.5", number=number, department="STP", term=term
        )
        for number, term in enumerate(internal, start=1)
    )


THREE = steps(Term(2, "working_day"), Term(8, "working_hour"), Term(1, "working_day"))  # 16, 8 and 8 hours


def passed_on(when: str | datetime, step: int) -> ClockChange:
    """The dossier went to its next step."""
    instant = at(when) if isinstance(when, str) else when
    return ClockChange("step_begun", instant, instant, step=step)


def risk(*changes: ClockChange, term: Term = FIVE_DAYS) -> str | None:
    """From when on the three steps are at risk."""
    return local(at_risk_from(derive(changes, term, VIETNAM), THREE, VIETNAM))


def test_overrun_step_is_at_risk_when_those_after_it_no_longer_fit() -> None:
    """Sixteen hours are needed after the first step: they fit until Thursday 07:00; eight until Friday 07:00."""
    assert risk(MONDAY) == "2017-11-09 07:00"
    assert risk(MONDAY, passed_on("2017-11-07 17:00", 2)) == "2017-11-10 07:00"


@pytest.mark.parametrize(
    ("begun", "step", "expected"),
    [
        ("2017-11-06 08:00", 2, "2017-11-10 07:00"),
        ("2017-11-08 17:00", 2, "2017-11-10 07:00"),  # 8 + 8 needed, 16 left
        ("2017-11-09 07:00", 2, "2017-11-10 07:00"),  # the same, a night later
        ("2017-11-09 07:01", 2, "2017-11-09 07:01"),  # a minute too late
        ("2017-11-09 09:00", 2, "2017-11-09 09:00"),  # 16 needed, 14 left
        ("2017-11-09 12:00", 2, "2017-11-09 12:00"),  # 16 needed, 11.5 left
        ("2017-11-10 06:00", 3, None),  # 8 needed, 8 left: then `reached` says it
        ("2017-11-10 08:00", 3, "2017-11-10 08:00"),  # 8 needed, 7 left
        ("2017-11-10 16:59", 3, "2017-11-10 16:59"),
    ],
)
def test_step_that_begins_late_is_at_risk_at_once(begun: str, step: int, expected: str | None) -> None:
    """What it and those after it need is held against what is left when it begins."""
    assert risk(MONDAY, passed_on(begun, step)) == expected


def test_last_step_within_its_time_is_never_at_risk() -> None:
    """Nothing comes after it, so its overrun is the due date itself."""
    assert risk(MONDAY, passed_on("2017-11-08 17:00", 3)) is None


@pytest.mark.parametrize("begun", ["2017-11-10 17:00", "2017-11-10 20:00", "2017-11-14 08:00", "2028-01-04 08:00"])
def test_nothing_is_at_risk_from_the_due_date_on(begun: str) -> None:
    """It has come, and has said so; not even a calendar that reaches so far is needed."""
    assert risk(MONDAY, passed_on(begun, 3)) is None


def test_step_that_the_centre_does_not_know_is_not_judged() -> None:
    """A department named by hand has no internal term."""
    assert risk(MONDAY, passed_on("2017-11-10 08:00", 4)) is None


def test_no_due_date_is_not_at_risk() -> None:
    """Paused, or without a term."""
    assert risk(MONDAY, *paused("2017-11-06 10:00")) is None
    assert at_risk_from(derive((MONDAY,), None, VIETNAM), THREE, VIETNAM) is None


def test_pause_uses_up_no_internal_term() -> None:
    """Six of sixteen hours worked, then two days paused: 26 hours are needed of 34, so the overrun comes first.

    Resumed on Wednesday 10:00 it is due on Tuesday 14 November 14:00; sixteen hours before are on Friday 14:00.
    """
    assert risk(MONDAY, *paused("2017-11-06 15:00", "2017-11-08 10:00")) == "2017-11-10 14:00"


def test_pause_that_leaves_too_little_is_at_risk_at_the_resume() -> None:
    """The first step had overrun: fourteen hours are left on Monday, sixteen are needed."""
    changes = (MONDAY, *paused("2017-11-09 09:00", "2017-11-13 07:00"))
    assert (risk(*changes), local(derive(changes, FIVE_DAYS, VIETNAM).due_at)) == (
        "2017-11-13 07:00",
        "2017-11-14 15:00",
    )


def test_extension_gives_the_steps_their_time_again() -> None:
    """A day more, on Thursday at 09:00: sixteen hours of 22 are needed, and fit until Friday 07:00."""
    assert risk(MONDAY, extended("2017-11-09 09:00", 1)) == "2017-11-10 07:00"


def test_extension_that_is_too_short_leaves_them_at_risk() -> None:
    """A day more on Friday at 16:00: nine hours are left, sixteen needed."""
    assert risk(MONDAY, extended("2017-11-10 16:00", 1)) == "2017-11-10 16:00"


def test_reopened_dossier_goes_on_where_it_stood() -> None:
    """Settled in time in its first step and reopened with 24 hours left, due on Wednesday 15 November."""
    changes = (MONDAY, change("settled", "2017-11-07 17:00"), change("reopened", "2017-11-13 07:00"))
    assert risk(*changes) == "2017-11-14 07:00"


def test_calendar_days_leave_working_time_too() -> None:
    """Due on Monday 13 November at its close; sixteen hours before are on Friday 07:00."""
    assert risk(MONDAY, term=Term(7, "calendar_day")) == "2017-11-10 07:00"


def test_term_shorter_than_its_steps_is_at_risk_from_the_counted_start() -> None:
    """Calendar days are not held against internal terms beforehand: these two leave 24 hours, 32 are needed."""
    assert risk(change("received", "2017-11-04 10:00"), term=Term(2, "calendar_day")) == "2017-11-06 07:00"


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("2017-11-06 07:00", 32.0),
        ("2017-11-06 12:00", 27.5),
        ("2017-11-06 15:00", 26.0),
        ("2017-11-07 12:00", 26.0),
        ("2017-11-08 10:00", 26.0),
        ("2017-11-09 08:00", 20.0),
        ("2017-11-09 15:00", 16.0),
        ("2017-11-13 08:00", 16.0),
    ],
)
def test_what_is_needed(when: str, expected: float) -> None:
    """32 hours in all; the first step's sixteen are worked off, pauses aside, and never fall below nothing."""
    changes = (MONDAY, *paused("2017-11-06 15:00", "2017-11-08 10:00"))
    assert needed_time(derive(changes, FIVE_DAYS, VIETNAM), THREE, VIETNAM, at(when)) == expected * HOUR


def test_pause_of_an_earlier_step_is_no_matter_of_this_one() -> None:
    """Four hours of the second step are worked on Wednesday at 11:00, whatever stood on Monday and Tuesday."""
    changes = (MONDAY, *paused("2017-11-06 10:00", "2017-11-07 10:00"), passed_on("2017-11-08 07:00", 2))
    assert needed_time(derive(changes, FIVE_DAYS, VIETNAM), THREE, VIETNAM, at("2017-11-08 11:00")) == 12 * HOUR


def test_no_step_begins_before_the_clock_counts() -> None:
    """Received after the cut-off and passed on within the hour: both count from the next morning."""
    changes = (change("received", "2017-11-06 15:30"), passed_on("2017-11-06 16:00", 2))
    deadline = derive(changes, Term(5, "working_day", cut_off=time(15)), VIETNAM)
    assert needed_time(deadline, THREE, VIETNAM, at("2017-11-07 12:00")) == 11.5 * HOUR


def test_risk_stands_among_the_thresholds_of_its_due_date() -> None:
    """Named by its step, since each of them may be at risk."""
    found = thresholds(
        derive((MONDAY, passed_on("2017-11-07 17:00", 2)), FIVE_DAYS, VIETNAM), THRESHOLDS, VIETNAM, THREE
    )
    assert [(each.level, each.step, local(each.anchor_at), local(each.at)) for each in found][:3] == [
        ("near", 0, "2017-11-10 17:00", "2017-11-10 07:00"),
        ("at_risk", 2, "2017-11-10 17:00", "2017-11-10 07:00"),
        ("reached", 0, "2017-11-10 17:00", "2017-11-10 17:00"),
    ]


@st.composite
def under_way(draw: st.DrawFn) -> tuple[Deadline, tuple[ProcedureStep, ...]]:
    """A running clock with pauses and extensions, in some step of its procedure."""
    changes = draw(extended_courses())
    its_steps = steps(*draw(internal_terms))
    step = draw(st.integers(1, len(its_steps)))
    if step > 1:
        begun_at = changes[0].at + draw(st.integers(1, 60 * 24 * 60)) * MINUTE
        changes = tuple(sorted((*changes, passed_on(begun_at, step)), key=lambda each: each.at))
    deadline = derived(changes, draw(terms))
    assume(deadline.due_at is not None)
    return deadline, its_steps


@given(under_way(), st.integers(0, 60 * 24 * 60))
def test_steps_fit_before_the_instant_and_no_longer_after_it(
    found: tuple[Deadline, tuple[ProcedureStep, ...]], minutes: int
) -> None:
    """Whenever one looks while this due date is due: more is needed than is left from then on, not before."""
    deadline, its_steps = found
    assert deadline.due_at is not None
    assert deadline.in_force_from is not None
    looked_at = max(deadline.in_force_from, deadline.step_begun_at or deadline.in_force_from) + minutes * MINUTE
    assume(looked_at < deadline.due_at)
    risk_at = at_risk_from(deadline, its_steps, VIETNAM)
    left = VIETNAM.worktime.elapsed(looked_at, deadline.due_at)
    if needed_time(deadline, its_steps, VIETNAM, looked_at) > left:
        assert risk_at is not None
        assert risk_at <= looked_at
    elif risk_at is not None:
        assert looked_at <= risk_at


@given(under_way())
def test_risk_comes_before_the_due_date(found: tuple[Deadline, tuple[ProcedureStep, ...]]) -> None:
    """While there is still something to be done about it, and not before its step began."""
    deadline, its_steps = found
    risk_at = at_risk_from(deadline, its_steps, VIETNAM)
    if risk_at is not None:
        assert deadline.due_at is not None
        assert (deadline.step_begun_at or deadline.received_at) <= risk_at < deadline.due_at


@given(instants, internal_terms, st.integers(0, 400), st.integers(0, 100), st.integers(1, 30))
def test_pause_of_whole_days_moves_the_instant_alike(
    received_at: datetime, internal: list[Term], slack: int, after: int, days: int
) -> None:
    """So many working days paused while the steps fit: at risk so many working days later."""
    term = Term(sum(each.value for each in internal) + slack, "working_hour")
    its_steps, received = steps(*internal), change("received", received_at)
    running = derive((received,), term, VIETNAM)
    risk_at = at_risk_from(running, its_steps, VIETNAM)
    assert risk_at is not None
    assert running.counted_from is not None
    pause = VIETNAM.worktime.add(running.counted_from, after * HOUR)
    assume(pause < risk_at)
    resume = VIETNAM.worktime.add(pause, days * VIETNAM.standard_day)
    standing = (received, change("paused", pause, "supplement"), change("resumed", resume))
    later = at_risk_from(derive(standing, term, VIETNAM), its_steps, VIETNAM)
    assert later is not None
    assert VIETNAM.worktime.elapsed(risk_at, later) == days * VIETNAM.standard_day
