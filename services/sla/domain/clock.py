"""A dossier's clock: a list of facts, from which the due date is derived each time; remaining time is never stored."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from services.sla.domain.calendar import Calendar
from services.sla.domain.terms import (
    DueDate,
    UnknownProcedureError,
    counted_from,
    due,
    end_of_calendar_days,
    term_of,
)
from shared.kernel.centre import Centre, Term
from shared.kernel.errors import MotcuaError
from shared.kernel.worktime import OutsideCalendarError

Ground = Literal["supplement", "payment"]
Ending = Literal["settled", "withdrawn", "stopped"]
What = Literal["received", "paused", "resumed"] | Ending
Outcome = Literal["early", "on_time", "late"]
State = Literal["running", "paused", "ended"]
WaitingFor = Literal["procedure", "calendar"]


class ClockError(MotcuaError):
    """The facts of a clock contradict each other: no due date can be derived from them."""


@dataclass(frozen=True, slots=True)
class ClockFact:
    """What happened to a clock: when it happened, and when that was recorded. `ground` is for pauses alone."""

    what: What
    at: datetime
    recorded_at: datetime
    ground: Ground | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """What the facts of a clock come to.

    `waiting_for` tells why no due date can be derived yet; a `term` of None without it says that the law gives none.
    `due_at` is None without a term, and while the clock is paused; a pause that began at or after it left it standing.
    `held_from` is the instant from which this `due_at` is the one promised: the counted start, or the last resume.
    `term_time` is the working time from the counted start to the first due date. `remaining` (working time) and
    `remaining_days` (calendar days, for `calendar_day` alone) are told while paused. `provisional`: the due date
    crosses a projected exception; `crosses_unconfirmed` are dates that do not count and may yet.
    """

    state: State
    received_at: datetime
    term: Term | None = None
    waiting_for: WaitingFor | None = None
    counted_from: datetime | None = None
    due_at: datetime | None = None
    due_date: date | None = None
    held_from: datetime | None = None
    term_time: timedelta | None = None
    ground: Ground | None = None
    remaining: timedelta | None = None
    remaining_days: int | None = None
    ended: Ending | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    provisional: bool = False
    crosses_unconfirmed: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class _Pause:
    start: datetime
    end: datetime | None
    ground: Ground | None


def recorded_by(facts: Iterable[ClockFact], instant: datetime) -> tuple[ClockFact, ...]:
    """The facts that were known at an instant: those recorded later are left out.

    With a calendar of `rules_known_at` the same instant, they derive to the deadline as it was known then.
    """
    return tuple(fact for fact in facts if fact.recorded_at <= instant)


def derive(facts: Sequence[ClockFact], term: Term | None, calendar: Calendar) -> Deadline:
    """The deadline that follows from a clock's facts, in the order in which they happened.

    Raises ClockError where they contradict each other, and OutsideCalendarError where the calendar ends too early.
    """
    received_at, pauses, ending = _course(facts)
    standing = pauses[-1] if pauses and pauses[-1].end is None else None
    if term is None:
        deadline = Deadline(state="running", received_at=received_at)
    else:
        deadline = replace(_run(term, received_at, pauses, calendar), term=term)
    if ending is not None:
        return _end(deadline, ending, calendar)
    if standing is not None:
        return replace(deadline, state="paused", ground=standing.ground)
    return deadline


def derive_by_catalogue(procedure: str, facts: Sequence[ClockFact], centre: Centre, calendar: Calendar) -> Deadline:
    """The deadline by the term that the catalogue has for the procedure on the local date of its receipt.

    An unknown procedure is not "no term", and a calendar that ends too early is no due date: both wait, and say for
    what. Raises ClockError.
    """
    if not facts:
        raise ClockError("a clock begins with the receipt")
    try:
        term = term_of(centre, procedure, facts[0].at)
    except UnknownProcedureError:
        return replace(derive(facts, None, calendar), waiting_for="procedure")
    try:
        return derive(facts, term, calendar)
    except OutsideCalendarError:
        return replace(derive(facts, None, calendar), term=term, waiting_for="calendar")


def _run(term: Term, received_at: datetime, pauses: Sequence[_Pause], calendar: Calendar) -> Deadline:
    start = counted_from(term, received_at, calendar)
    promised = due(term, start, calendar)
    term_time = calendar.worktime.elapsed(start, promised.at)
    held_from = start
    for pause in pauses:
        begin = max(pause.start, start)
        if begin >= promised.at:
            continue
        if pause.end is None:
            return _paused(promised, begin, received_at, start, term_time, calendar)
        if pause.end > begin:
            promised = _walk_on(promised, begin, pause.end, calendar)
            held_from = pause.end
    standing = bool(pauses) and pauses[-1].end is None
    first, last = (calendar.worktime.local_date(instant) for instant in (received_at, promised.at))
    return Deadline(
        state="running",
        received_at=received_at,
        counted_from=start,
        due_at=promised.at,
        due_date=last,
        held_from=held_from,
        term_time=term_time,
        remaining=timedelta(0) if standing else None,
        remaining_days=0 if standing and promised.last_day is not None else None,
        provisional=bool(calendar.projected_between(first, last)),
        crosses_unconfirmed=tuple(calendar.unconfirmed_between(first, last)),
    )


def _paused(
    promised: DueDate,
    begin: datetime,
    received_at: datetime,
    start: datetime,
    term_time: timedelta,
    calendar: Calendar,
) -> Deadline:
    days = None
    if promised.last_day is not None:
        days = max(0, (promised.last_day - calendar.worktime.local_date(begin)).days)
    return Deadline(
        state="paused",
        received_at=received_at,
        counted_from=start,
        term_time=term_time,
        remaining=calendar.worktime.elapsed(begin, promised.at),
        remaining_days=days,
    )


def _walk_on(promised: DueDate, begin: datetime, end: datetime, calendar: Calendar) -> DueDate:
    worktime = calendar.worktime
    if promised.last_day is not None:
        paused_days = worktime.local_date(end) - worktime.local_date(begin)
        return end_of_calendar_days(promised.last_day + paused_days, calendar)
    return DueDate(worktime.add(end, worktime.elapsed(begin, promised.at)))


def _end(deadline: Deadline, ending: ClockFact, calendar: Calendar) -> Deadline:
    outcome: Outcome | None = None
    if ending.what == "settled" and deadline.due_date is not None:
        settled_on = calendar.worktime.local_date(ending.at)
        if settled_on == deadline.due_date:
            outcome = "on_time"
        else:
            outcome = "early" if settled_on < deadline.due_date else "late"
    return replace(
        deadline,
        state="ended",
        ground=None,
        remaining=None,
        remaining_days=None,
        ended=_ENDINGS[ending.what],
        ended_at=ending.at,
        outcome=outcome,
    )


_ENDINGS: dict[str, Ending] = {"settled": "settled", "withdrawn": "withdrawn", "stopped": "stopped"}


def _course(facts: Sequence[ClockFact]) -> tuple[datetime, list[_Pause], ClockFact | None]:
    """The receipt, the pauses and the end; pauses that touch are one, so that splitting a pause changes nothing."""
    steps = _in_order(facts)
    first = next(steps, None)
    if first is None or first.what != "received":
        raise ClockError("a clock begins with the receipt")
    pauses: list[_Pause] = []
    for fact in steps:
        paused = bool(pauses) and pauses[-1].end is None
        if fact.what in _ENDINGS:
            if next(steps, None) is not None:
                raise ClockError(f"a clock that was {fact.what} at {fact.at.isoformat()} goes on")
            return first.at, pauses, fact
        if fact.what == "received" or paused == (fact.what == "paused"):
            raise ClockError(f"a clock that is {'paused' if paused else 'running'} cannot be {fact.what} ({fact.at})")
        if fact.what == "resumed":
            pauses[-1] = replace(pauses[-1], end=fact.at)
        elif pauses and pauses[-1].end == fact.at:
            pauses[-1] = _Pause(pauses[-1].start, None, fact.ground)
        else:
            pauses.append(_Pause(fact.at, None, fact.ground))
    return first.at, pauses, None


def _in_order(facts: Sequence[ClockFact]) -> Iterator[ClockFact]:
    before: ClockFact | None = None
    for fact in facts:
        if before is not None and fact.at < before.at:
            raise ClockError(f"{fact.what} at {fact.at.isoformat()} precedes {before.what} at {before.at.isoformat()}")
        before = fact
        yield fact
