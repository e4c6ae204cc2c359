"""What must hold of due dates whatever the day: hypothesis looks for the day on which it does not."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import ClockFact, derive
from services.sla.domain.terms import counted_from, due
from shared.kernel.calendars import CalendarException
from shared.kernel.centre import Term
from tests.unit.sla.given import RULES, VIETNAM, ZONE, at, fact, with_exceptions

START = at("2016-12-01 00:00")
MINUTES = 60 * 24 * 365 * 9
instants = st.integers(0, MINUTES).map(lambda minutes: START + timedelta(minutes=minutes))
gaps = st.integers(0, 60 * 24 * 20).map(lambda minutes: timedelta(minutes=minutes))
durations = st.integers(0, 60 * 8 * 60).map(lambda minutes: timedelta(minutes=minutes))
cut_offs = st.none() | st.times().map(lambda each: each.replace(microsecond=0))
in_hours = st.one_of(
    st.builds(Term, st.integers(1, 60), st.just("working_day"), cut_off=cut_offs),
    st.builds(Term, st.integers(1, 400), st.just("working_hour"), cut_off=cut_offs),
)
terms = st.one_of(
    in_hours,
    st.builds(Term, st.integers(1, 60), st.just("working_day"), st.just("by_days"), cut_offs),
    st.builds(Term, st.integers(1, 90), st.just("calendar_day"), cut_off=cut_offs),
    st.builds(Term, st.just(0), st.just("same_day"), cut_off=cut_offs),
)
pauses = st.lists(st.tuples(gaps, gaps), max_size=4)


def course(received_at: datetime, pauses: list[tuple[timedelta, timedelta]]) -> tuple[ClockFact, ...]:
    facts, now = [fact("received", received_at)], received_at
    for running, standing in pauses:
        facts += [fact("paused", now + running, "payment"), fact("resumed", now + running + standing)]
        now += running + standing
    return tuple(facts)


def unpaused(term: Term, received_at: datetime) -> datetime:
    return due(term, counted_from(term, received_at, VIETNAM), VIETNAM).at


@given(instants, durations)
def test_elapsed_and_add_are_inverse(start: datetime, duration: timedelta) -> None:
    """Between a start and what was added to it lies what was added; the same going back."""
    worktime = VIETNAM.worktime
    assert worktime.elapsed(start, worktime.add(start, duration)) == duration
    end = start + timedelta(days=200)
    assert worktime.elapsed(worktime.back(end, duration), end) == duration


@given(instants, instants)
def test_add_is_the_earliest_and_back_the_latest(first: datetime, second: datetime) -> None:
    """Walking the time between two instants never passes them."""
    start, end = sorted((first, second))
    worktime = VIETNAM.worktime
    between = worktime.elapsed(start, end)
    assert worktime.add(start, between) <= end
    assert worktime.back(end, between) >= start


@given(terms, instants, gaps)
def test_later_receipt_is_never_due_earlier(term: Term, received_at: datetime, later: timedelta) -> None:
    """Due dates are monotone in the start."""
    assert unpaused(term, received_at) <= unpaused(term, received_at + later)


@given(instants, st.integers(1, 60), st.integers(1, 10), st.sampled_from(["by_hours", "by_days", "calendar_day"]))
def test_longer_term_is_never_due_earlier(received_at: datetime, value: int, more: int, way: str) -> None:
    """Due dates are monotone in the term."""

    def term(units: int) -> Term:
        if way == "calendar_day":
            return Term(units, "calendar_day")
        return Term(units, "working_day", "by_days" if way == "by_days" else "by_hours")

    assert unpaused(term(value), received_at) <= unpaused(term(value + more), received_at)


@given(terms, instants)
def test_due_in_working_time_and_after_the_start(term: Term, received_at: datetime) -> None:
    """A due date lies after its counted start, inside or at the close of a window."""
    start = counted_from(term, received_at, VIETNAM)
    end = due(term, start, VIETNAM).at
    assert start < end
    assert VIETNAM.worktime.elapsed(end - timedelta(microseconds=1), end) == timedelta(microseconds=1)


@given(terms, instants, pauses, st.data())
@example(Term(5, "calendar_day"), at("2017-11-06 07:00"), [(timedelta(days=7, hours=9), timedelta(days=2))], None)
def test_pause_split_in_two_changes_nothing(
    term: Term, received_at: datetime, pauses: list[tuple[timedelta, timedelta]], data: st.DataObject | None
) -> None:
    """A clock resumed and paused again at the same instant has not run."""
    whole = course(received_at, pauses)
    split: list[ClockFact] = []
    for step in whole:
        if step.what == "resumed":
            length = step.at - split[-1].at
            part = length / 2 if data is None else data.draw(st.integers(0, 4)) * length / 4
            split += [fact("resumed", split[-1].at + part), fact("paused", split[-1].at + part, "payment")]
        split.append(step)
    assert derive(split, term, VIETNAM) == derive(whole, term, VIETNAM)


@given(in_hours, instants, pauses)
def test_working_time_outside_pauses_is_the_term(
    term: Term, received_at: datetime, pauses: list[tuple[timedelta, timedelta]]
) -> None:
    """The working time from the counted start to the due date, less that of the pauses in between, is the term."""
    facts = course(received_at, pauses)
    deadline = derive(facts, term, VIETNAM)
    start, end = deadline.counted_from, deadline.due_at
    assert start is not None
    assert end is not None
    worktime = VIETNAM.worktime
    clamped = [min(max(step.at, start), end) for step in facts[1:]]
    stood = sum((worktime.elapsed(*span) for span in zip(clamped[::2], clamped[1::2], strict=True)), timedelta(0))
    days = term.value * VIETNAM.standard_day if term.unit == "working_day" else timedelta(hours=term.value)
    assert worktime.elapsed(start, end) - stood == days


@given(in_hours, instants, pauses, st.integers(0, 60))
def test_day_off_never_moves_a_date_earlier(
    term: Term, received_at: datetime, pauses: list[tuple[timedelta, timedelta]], ahead: int
) -> None:
    """Adding a day off moves a due date later or not at all, with pauses, too."""
    facts = course(received_at, pauses)
    more = _with_day_off(received_at, ahead)
    before, after = derive(facts, term, VIETNAM).due_at, derive(facts, term, more).due_at
    assert before is not None
    assert after is not None
    assert before <= after


@given(terms, instants, st.integers(0, 60))
def test_day_off_never_moves_any_unit_earlier(term: Term, received_at: datetime, ahead: int) -> None:
    """The same for every unit without pauses."""
    more = _with_day_off(received_at, ahead)
    assert unpaused(term, received_at) <= due(term, counted_from(term, received_at, more), more).at


def _with_day_off(received_at: datetime, ahead: int) -> Calendar:
    received_on = received_at.astimezone(ZONE).date()
    off = CalendarException(received_on + timedelta(days=ahead), "off", "decided", known_from=received_at)
    span = replace(RULES, first_date=received_on, last_date=min(received_on + timedelta(days=500), RULES.last_date))
    return with_exceptions(off, rules=span)  # a short span: compiling is what costs here
