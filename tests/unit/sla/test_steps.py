"""Instants from which the remaining steps no longer fit into the time left: by hand, and as properties."""

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


def step_begun(when: str | datetime, step: int) -> ClockChange:
    """The begin of a further step."""
    instant = at(when) if isinstance(when, str) else when
    return ClockChange("step_begun", instant, instant, step=step)


def risk(*changes: ClockChange, term: Term = FIVE_DAYS) -> str | None:
    """The local time from which the three steps are at risk."""
    return local(at_risk_from(derive(changes, term, VIETNAM), THREE, VIETNAM))


def test_overrun_step_is_at_risk_when_later_steps_no_longer_fit() -> None:
    """Sixteen hours are needed after the first step: they fit until Thursday 07:00; eight until Friday 07:00."""
    assert risk(MONDAY) == "2017-11-09 07:00"
    assert risk(MONDAY, step_begun("2017-11-07 17:00", 2)) == "2017-11-10 07:00"


@pytest.mark.parametrize(
    ("begun", "step", "expected"),
    [
        ("2017-11-06 08:00", 2, "2017-11-10 07:00"),
        ("2017-11-08 17:00", 2, "2017-11-10 07:00"),  # 8 + 8 needed, 16 left
        ("2017-11-09 07:00", 2, "2017-11-10 07:00"),  # the same, a night later
        ("2017-11-09 07:01", 2, "2017-11-09 07:01"),  # a minute too late
        ("2017-11-09 09:00", 2, "2017-11-09 09:00"),  # 16 needed, 14 left
        ("2017-11-09 12:00", 2, "2017-11-09 12:00"),  # 16 needed, 11.5 left
        ("2017-11-10 06:00", 3, None),  # 8 needed, 8 left: then `reached` covers it
        ("2017-11-10 08:00", 3, "2017-11-10 08:00"),  # 8 needed, 7 left
        ("2017-11-10 16:59", 3, "2017-11-10 16:59"),
    ],
)
def test_step_that_begins_late_is_at_risk_at_once(begun: str, step: int, expected: str | None) -> None:
    """The time needed for it and later steps is compared with the time left at its begin."""
    assert risk(MONDAY, step_begun(begun, step)) == expected


def test_last_step_begun_in_time_is_never_at_risk() -> None:
    """No step follows it, so its overrun is the due date itself."""
    assert risk(MONDAY, step_begun("2017-11-08 17:00", 3)) is None


@pytest.mark.parametrize("begun", ["2017-11-10 17:00", "2017-11-10 20:00", "2017-11-14 08:00", "2028-01-04 08:00"])
def test_no_step_is_at_risk_after_the_due_date(begun: str) -> None:
    """The due date has come; the calendar need not cover the step's begin."""
    assert risk(MONDAY, step_begun(begun, 3)) is None


def test_step_without_internal_term_is_not_at_risk() -> None:
    """A further department without a configured step has no internal term."""
    assert risk(MONDAY, step_begun("2017-11-10 08:00", 4)) is None


def test_clock_without_a_due_date_is_not_at_risk() -> None:
    """A paused clock or a clock without a term has no due date."""
    assert risk(MONDAY, *paused("2017-11-06 10:00")) is None
    assert at_risk_from(derive((MONDAY,), None, VIETNAM), THREE, VIETNAM) is None


def test_pause_does_not_use_up_the_internal_term() -> None:
    """Six of sixteen hours worked, then two days paused: 26 hours are needed of 34, so the overrun comes first.

    Resumed on Wednesday 10:00 it is due on Tuesday 14 November 14:00; sixteen hours before are on Friday 14:00.
    """
    assert risk(MONDAY, *paused("2017-11-06 15:00", "2017-11-08 10:00")) == "2017-11-10 14:00"


def test_pause_that_leaves_too_little_time_is_at_risk_at_the_resumption() -> None:
    """The first step had overrun: fourteen hours are left on Monday, sixteen are needed."""
    changes = (MONDAY, *paused("2017-11-09 09:00", "2017-11-13 07:00"))
    assert (risk(*changes), local(derive(changes, FIVE_DAYS, VIETNAM).due_at)) == (
        "2017-11-13 07:00",
        "2017-11-14 15:00",
    )


def test_extension_gives_the_steps_time() -> None:
    """A further day, on Thursday at 09:00: sixteen hours of 22 are needed, and fit until Friday 07:00."""
    assert risk(MONDAY, extended("2017-11-09 09:00", 1)) == "2017-11-10 07:00"


def test_short_extension_leaves_the_steps_at_risk() -> None:
    """A further day on Friday at 16:00: nine hours are left, sixteen needed."""
    assert risk(MONDAY, extended("2017-11-10 16:00", 1)) == "2017-11-10 16:00"


def test_reopened_dossier_continues_its_step() -> None:
    """Settled in its first step and reopened with 24 hours left, due on Wednesday 15 November."""
    changes = (MONDAY, change("settled", "2017-11-07 17:00"), change("reopened", "2017-11-13 07:00"))
    assert risk(*changes) == "2017-11-14 07:00"


def test_term_in_calendar_days_leaves_working_time() -> None:
    """Due on Monday 13 November at its close; sixteen hours before are on Friday 07:00."""
    assert risk(MONDAY, term=Term(7, "calendar_day")) == "2017-11-10 07:00"


def test_term_shorter_than_its_steps_is_at_risk_from_the_counted_start() -> None:
    """Calendar days are not checked against internal terms beforehand: these two leave 24 hours, 32 are needed."""
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
def test_needed_time_decreases_while_the_clock_runs(when: str, expected: float) -> None:
    """32 hours in total; the first step's sixteen decrease outside pauses, and not below 0."""
    changes = (MONDAY, *paused("2017-11-06 15:00", "2017-11-08 10:00"))
    assert needed_time(derive(changes, FIVE_DAYS, VIETNAM), THREE, VIETNAM, at(when)) == expected * HOUR


def test_pause_of_an_earlier_step_has_no_effect() -> None:
    """Four hours of the second step are worked on Wednesday at 11:00, whatever was paused before."""
    changes = (MONDAY, *paused("2017-11-06 10:00", "2017-11-07 10:00"), step_begun("2017-11-08 07:00", 2))
    assert needed_time(derive(changes, FIVE_DAYS, VIETNAM), THREE, VIETNAM, at("2017-11-08 11:00")) == 12 * HOUR


def test_step_begins_at_the_counted_start_at_the_earliest() -> None:
    """Received after the cut-off with a step begun within the hour: both count from the next morning."""
    changes = (change("received", "2017-11-06 15:30"), step_begun("2017-11-06 16:00", 2))
    deadline = derive(changes, Term(5, "working_day", cut_off=time(15)), VIETNAM)
    assert needed_time(deadline, THREE, VIETNAM, at("2017-11-07 12:00")) == 11.5 * HOUR


def test_risk_is_a_threshold_of_its_step() -> None:
    """Each step may be at risk, so the threshold has the step's number."""
    found = thresholds(
        derive((MONDAY, step_begun("2017-11-07 17:00", 2)), FIVE_DAYS, VIETNAM), THRESHOLDS, VIETNAM, THREE
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
        changes = tuple(sorted((*changes, step_begun(begun_at, step)), key=lambda each: each.at))
    deadline = derived(changes, draw(terms))
    assume(deadline.due_at is not None)
    return deadline, its_steps


@given(under_way(), st.integers(0, 60 * 24 * 60))
def test_steps_fit_until_the_instant_of_risk(found: tuple[Deadline, tuple[ProcedureStep, ...]], minutes: int) -> None:
    """While the due date is in force, more time is needed than left exactly after that instant."""
    deadline, its_steps = found
    assert deadline.due_at is not None
    assert deadline.in_force_from is not None
    at_instant = max(deadline.in_force_from, deadline.step_begun_at or deadline.in_force_from) + minutes * MINUTE
    assume(at_instant < deadline.due_at)
    risk_at = at_risk_from(deadline, its_steps, VIETNAM)
    left = VIETNAM.worktime.elapsed(at_instant, deadline.due_at)
    if needed_time(deadline, its_steps, VIETNAM, at_instant) > left:
        assert risk_at is not None
        assert risk_at <= at_instant
    elif risk_at is not None:
        assert at_instant <= risk_at


@given(under_way())
def test_risk_comes_before_the_due_date(found: tuple[Deadline, tuple[ProcedureStep, ...]]) -> None:
    """The risk is before the due date and not before the begin of its step."""
    deadline, its_steps = found
    risk_at = at_risk_from(deadline, its_steps, VIETNAM)
    if risk_at is not None:
        assert deadline.due_at is not None
        assert (deadline.step_begun_at or deadline.received_at) <= risk_at < deadline.due_at


@given(instants, internal_terms, st.integers(0, 400), st.integers(0, 100), st.integers(1, 30))
def test_pause_of_whole_days_moves_the_risk_by_these_days(
    received_at: datetime, internal: list[Term], slack: int, after: int, days: int
) -> None:
    """Working days paused while the steps fit move the risk by as many working days."""
    term = Term(sum(each.value for each in internal) + slack, "working_hour")
    its_steps, received = steps(*internal), change("received", received_at)
    running = derive((received,), term, VIETNAM)
    risk_at = at_risk_from(running, its_steps, VIETNAM)
    assert risk_at is not None
    assert running.counted_from is not None
    pause = VIETNAM.worktime.add(running.counted_from, after * HOUR)
    assume(pause < risk_at)
    resume = VIETNAM.worktime.add(pause, days * VIETNAM.standard_day)
    with_pause = (received, change("paused", pause, "supplement"), change("resumed", resume))
    later = at_risk_from(derive(with_pause, term, VIETNAM), its_steps, VIETNAM)
    assert later is not None
    assert VIETNAM.worktime.elapsed(risk_at, later) == days * VIETNAM.standard_day
