"""Properties of due dates on any day, checked with hypothesis."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import ClockChange, Deadline, derive
from services.sla.domain.errors import ExtensionRefusedError
from services.sla.domain.terms import counted_from, due
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term
from tests.unit.sla.builders import RULES, VIETNAM, ZONE, at, change, local, with_exceptions

START = at("2016-12-01 00:00")
MINUTE = timedelta(minutes=1)
MINUTES = 60 * 24 * 365 * 9
instants = st.integers(0, MINUTES).map(lambda minutes: START + timedelta(minutes=minutes))
gaps = st.integers(0, 60 * 24 * 20).map(lambda minutes: timedelta(minutes=minutes))
durations = st.integers(0, 60 * 8 * 60).map(lambda minutes: timedelta(minutes=minutes))
cut_offs = st.none() | st.times().map(lambda each: each.replace(microsecond=0))
in_hours = st.one_of(
    st.builds(Term, st.integers(1, 60), st.just("working_day"), cut_off=cut_offs),
    st.builds(Term, st.integers(1, 400), st.just("working_hour"), cut_off=cut_offs),
)
in_working_time = st.one_of(
    in_hours,
    st.builds(Term, st.integers(1, 60), st.just("working_day"), st.just("by_days"), cut_offs),
    st.builds(Term, st.just(0), st.just("same_day"), cut_off=cut_offs),
)
in_calendar_days = st.builds(Term, st.integers(1, 90), st.just("calendar_day"), cut_off=cut_offs)
terms = in_working_time | in_calendar_days
pauses = st.lists(st.tuples(gaps, gaps), max_size=4)


def course(received_at: datetime, pauses: list[tuple[timedelta, timedelta]]) -> tuple[ClockChange, ...]:
    """The changes of a clock received at that instant, with pauses of these lengths after these times."""
    changes, now = [change("received", received_at)], received_at
    for running, paused in pauses:
        changes += [change("paused", now + running, "payment"), change("resumed", now + running + paused)]
        now += running + paused
    return tuple(changes)


@st.composite
def extended_courses(draw: st.DrawFn) -> tuple[ClockChange, ...]:
    """Pauses, the last of which may be present, and extensions between them; no two changes at one instant."""
    received_at = draw(instants)
    changes, now = [change("received", received_at)], received_at
    for running, paused in draw(pauses):
        changes += [change("paused", now + running + MINUTE, "payment")]
        now += running + paused + 2 * MINUTE
        changes += [change("resumed", now)]
    if len(changes) > 1 and draw(st.booleans()):
        changes.pop()
    taken = {each.at for each in changes}
    for after, by in draw(st.lists(st.tuples(gaps, st.integers(1, 20) | st.none()), max_size=3)):
        when = received_at + after
        if when not in taken:
            taken.add(when)
            day = (when + timedelta(days=60)).astimezone(ZONE).date()
            to_date = None if by else VIETNAM.worktime.working_day_from(day)
            changes.append(ClockChange("extended", when, when, None, by, to_date))
    return tuple(sorted(changes, key=lambda each: each.at))


def derived(changes: tuple[ClockChange, ...] | list[ClockChange], term: Term) -> Deadline:
    """The deadline of changes whose extensions are allowed; other examples are skipped."""
    try:
        return derive(changes, term, VIETNAM)
    except ExtensionRefusedError:
        assume(False)
        raise


def unpaused(term: Term, received_at: datetime) -> datetime:
    return due(term, counted_from(term, received_at, VIETNAM), VIETNAM).at


@given(instants, durations)
def test_elapsed_and_add_are_inverse(start: datetime, duration: timedelta) -> None:
    """The working time between a start and the result of add is the time added; the same for back."""
    worktime = VIETNAM.worktime
    assert worktime.elapsed(start, worktime.add(start, duration)) == duration
    end = start + timedelta(days=200)
    assert worktime.elapsed(worktime.back(end, duration), end) == duration


@given(instants, instants)
def test_add_is_the_earliest_and_back_the_latest(first: datetime, second: datetime) -> None:
    """Adding the working time between two instants does not pass the second."""
    start, end = sorted((first, second))
    worktime = VIETNAM.worktime
    between = worktime.elapsed(start, end)
    assert worktime.add(start, between) <= end
    assert worktime.back(end, between) >= start


@given(terms, instants, gaps)
def test_later_receipt_is_never_due_earlier(term: Term, received_at: datetime, later: timedelta) -> None:
    """Due dates increase with the receipt."""
    assert unpaused(term, received_at) <= unpaused(term, received_at + later)


@given(instants, st.integers(1, 60), st.integers(1, 10), st.sampled_from(["by_hours", "by_days", "calendar_day"]))
def test_longer_term_is_never_due_earlier(received_at: datetime, value: int, more: int, way: str) -> None:
    """Due dates increase with the term."""

    def term(units: int) -> Term:
        if way == "calendar_day":
            return Term(units, "calendar_day")
        return Term(units, "working_day", "by_days" if way == "by_days" else "by_hours")

    assert unpaused(term(value), received_at) <= unpaused(term(value + more), received_at)


@given(terms, instants)
def test_due_date_is_in_working_time_after_the_counted_start(term: Term, received_at: datetime) -> None:
    """A due date is after its counted start, in a window or at its close."""
    start = counted_from(term, received_at, VIETNAM)
    end = due(term, start, VIETNAM).at
    assert start < end
    assert VIETNAM.worktime.elapsed(end - timedelta(microseconds=1), end) == timedelta(microseconds=1)


@given(terms, instants, pauses, st.data())
@example(Term(5, "calendar_day"), at("2017-11-06 07:00"), [(timedelta(days=7, hours=9), timedelta(days=2))], None)
def test_pause_split_in_two_changes_nothing(
    term: Term, received_at: datetime, pauses: list[tuple[timedelta, timedelta]], data: st.DataObject | None
) -> None:
    """A clock resumed and paused at the same instant has not run."""
    whole = course(received_at, pauses)
    split: list[ClockChange] = []
    for step in whole:
        if step.kind == "resumed":
            length = step.at - split[-1].at
            part = length / 2 if data is None else data.draw(st.integers(0, 4)) * length / 4
            split += [change("resumed", split[-1].at + part), change("paused", split[-1].at + part, "payment")]
        split.append(step)
    assert derive(split, term, VIETNAM) == derive(whole, term, VIETNAM)


@given(in_hours, instants, pauses)
def test_working_time_outside_pauses_is_the_term(
    term: Term, received_at: datetime, pauses: list[tuple[timedelta, timedelta]]
) -> None:
    """The working time from the counted start to the due date, without the pauses, is the term."""
    changes = course(received_at, pauses)
    deadline = derive(changes, term, VIETNAM)
    start, end = deadline.counted_from, deadline.due_at
    assert start is not None
    assert end is not None
    worktime = VIETNAM.worktime
    clamped = [min(max(step.at, start), end) for step in changes[1:]]
    paused_time = sum((worktime.elapsed(*span) for span in zip(clamped[::2], clamped[1::2], strict=True)), timedelta(0))
    days = term.value * VIETNAM.standard_day if term.unit == "working_day" else timedelta(hours=term.value)
    assert worktime.elapsed(start, end) - paused_time == days


@given(terms, instants, pauses, st.integers(0, 60))
def test_day_off_never_moves_a_due_date_earlier(
    term: Term, received_at: datetime, pauses: list[tuple[timedelta, timedelta]], ahead: int
) -> None:
    """In a calendar without half days, a further day off moves a due date later or not at all.

    The known exceptions are half days, and calendar days paused after the last day (see test_pauses).
    """
    changes = course(received_at, pauses)
    more = _with_day_off(received_at, ahead)
    deadline, after = derive(changes, term, VIETNAM), derive(changes, term, more).due_at
    assume(not any(shift.after_last_day for shift in deadline.shifts))
    before = deadline.due_at
    assert before is not None
    assert after is not None
    assert before <= after


@pytest.mark.parametrize(
    ("term", "pause_from", "half", "off", "without", "with_off"),
    [
        # Left on Monday at 16:00: 1 + 8 + 8 = 17 h. With Tuesday off the term ends on the half Thursday: 1 + 8 + 4.5 =
        # 13.5 h. Walked from Friday 07:00: 8 + 8 + 1 h, and 8 + 5.5 h.
        (Term(2, "working_day", "by_days"), "2017-11-06 16:00", 9, 7, "2017-11-14 08:00", "2017-11-13 14:30"),
        # Left on Monday at 10:00: 1.5 + 3.5 = 5 h. With Monday off the half Tuesday counts: 4.5 h. From Friday 07:00.
        (Term(0, "same_day"), "2017-11-06 10:00", 7, 6, "2017-11-10 14:00", "2017-11-10 11:30"),
    ],
)
def test_day_off_may_leave_less_time_at_a_pause(
    term: Term, pause_from: str, half: int, off: int, without: str, with_off: str
) -> None:
    """The known exception: a term that ends at a close, moved to a shorter day and paused, has less time left."""
    changes = [
        change("received", "2017-11-06 10:00"),
        change("paused", pause_from, "payment"),
        change("resumed", "2017-11-10 07:00"),
    ]
    shorter = CalendarException(date(2017, 11, half), "half_day", "decided")
    more = CalendarException(date(2017, 11, off), "off", "decided")
    found = [derive(changes, term, with_exceptions(*each)).due_at for each in ((shorter,), (shorter, more))]
    assert [local(each) for each in found] == [without, with_off]


def _with_day_off(received_at: datetime, ahead: int) -> Calendar:
    received_on = received_at.astimezone(ZONE).date()
    off = CalendarException(received_on + timedelta(days=ahead), "off", "decided", known_from=received_at)
    span = replace(RULES, first_date=received_on, last_date=min(received_on + timedelta(days=500), RULES.last_date))
    return with_exceptions(off, rules=span)  # a short span: compiling is what costs here


@given(terms, extended_courses(), st.data())
def test_recording_order_does_not_change_the_deadline(
    term: Term, changes: tuple[ClockChange, ...], data: st.DataObject
) -> None:
    """A deadline follows from what happened, not from the order or time of recording."""
    shuffled = [each._replace(recorded_at=data.draw(instants)) for each in data.draw(st.permutations(changes))]
    assert derived(shuffled, term) == derived(changes, term)


@given(terms, extended_courses())
def test_extension_never_moves_a_due_date_earlier(term: Term, changes: tuple[ClockChange, ...]) -> None:
    """Each extension gives a later due date, or more remaining time."""
    for before, after in pairwise(range(len(changes) + 1)):
        if before and changes[before].kind == "extended":
            earlier, later = derived(changes[:before], term), derived(changes[:after], term)
            if earlier.due_at is not None:
                assert later.due_at is not None
                assert earlier.due_at < later.due_at


@given(terms, extended_courses(), st.integers(0, 4))
def test_pause_split_among_extensions_changes_nothing(term: Term, changes: tuple[ClockChange, ...], part: int) -> None:
    """With any extensions, a clock resumed and paused at the same instant has not run."""
    split: list[ClockChange] = []
    for step in changes:
        if step.kind == "resumed":
            started = next(each.at for each in reversed(split) if each.kind == "paused")
            when = started + part * (step.at - started) / 4
            split += [change("resumed", when), change("paused", when, "payment")]
        split.append(step)
    split.sort(key=lambda each: each.at)
    assert derived(split, term) == derived(changes, term)


@given(in_hours, instants, st.integers(1, 20), st.integers(1, 20))
def test_extensions_add_up(term: Term, received_at: datetime, first: int, second: int) -> None:
    """Two extensions have the effect of one with the sum of their days."""
    received = change("received", received_at)
    one, two, both = (
        ClockChange("extended", received_at, received_at, working_days=days) for days in (first, second, first + second)
    )
    assert derived([received, one, two], term).due_at == derived([received, both], term).due_at


@given(terms, instants, pauses)
def test_reopening_equals_a_pause(term: Term, received_at: datetime, pauses: list[tuple[timedelta, timedelta]]) -> None:
    """Settled and reopened gives the same due date as paused and resumed."""
    paused = course(received_at, pauses)
    names = {"paused": "settled", "resumed": "reopened"}
    settled = [each._replace(kind=names.get(each.kind, each.kind), ground=None) for each in paused]  # type: ignore[arg-type] # two of its words
    assert derived(settled, term).due_at == derived(paused, term).due_at
