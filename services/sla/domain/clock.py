"""A dossier's clock: a list of changes, from which the due date is derived each time; remaining time is never
stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from services.sla.domain.calendar import Calendar
from services.sla.domain.running import Extension, Pause, Run, Shift, run
from services.sla.domain.terms import UnknownProcedureError, term_of
from shared.kernel.centre import Centre, Term
from shared.kernel.errors import MotcuaError
from shared.kernel.worktime import OutsideCalendarError

Ground = Literal["supplement", "payment"]
Ending = Literal["settled", "withdrawn", "stopped"]
What = Literal["received", "paused", "resumed", "extended", "passed_on", "reopened"] | Ending
Outcome = Literal["early", "on_time", "late"]
State = Literal["running", "paused", "ended"]
WaitingFor = Literal["procedure", "calendar"]


class ClockError(MotcuaError):
    """The changes of a clock contradict each other: no due date can be derived from them."""


class ClockChange(NamedTuple):
    """What happened to a clock: when it happened, and when that was recorded.

    `ground` is for pauses alone, `working_days` or `to_date` (exactly one of both) for extensions, `step` for a dossier
    that was passed on to its next step.
    """

    what: What
    at: datetime
    recorded_at: datetime
    ground: Ground | None = None
    working_days: int | None = None
    to_date: date | None = None
    step: int | None = None


class Deadline(NamedTuple):
    """What the changes of a clock come to.

    `waiting_for` tells why no due date can be derived yet; a `term` of None without it says that the law gives none.
    `due_at` is None without a term, and while the clock is paused; a pause that began at or after it left it standing.
    `held_from` is the instant from which this `due_at` is the one promised: the counted start, the last resume or the
    last extension. `term_time` is the working time from the counted start to the first due date. `remaining` (working
    time) and `remaining_days` (calendar days, for `calendar_day` alone) are told while paused; they count from
    `stands_from`, and working days that extensions added in the pause, `added_days`, come on top of the calendar days.
    `first_due_at` is the due date before `shifts`: what each pause and each extension did to it. `last_day` is kept for
    `calendar_day`, whose due date may have moved off days off. `paused_at` is when a standing pause began by its act,
    `ground` why. `provisional`: the due date crosses a projected exception; `crosses_unconfirmed` are dates that do not
    count and may yet. `step` is the one that was begun last, 1 with the receipt; `step_begun_at` is None for that one.
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
    paused_at: datetime | None = None
    remaining: timedelta | None = None
    remaining_days: int | None = None
    added_days: int = 0
    stands_from: datetime | None = None
    first_due_at: datetime | None = None
    shifts: tuple[Shift, ...] = ()
    last_day: date | None = None
    step: int = 1
    step_begun_at: datetime | None = None
    ended: Ending | None = None
    ended_at: datetime | None = None
    outcome: Outcome | None = None
    provisional: bool = False
    crosses_unconfirmed: tuple[date, ...] = ()


def recorded_by(changes: Iterable[ClockChange], instant: datetime) -> tuple[ClockChange, ...]:
    """The changes that were known at an instant: those recorded later are left out.

    With a calendar of `rules_known_at` the same instant, they derive to the deadline as it was known then.
    """
    return tuple(change for change in changes if change.recorded_at <= instant)


def derive(
    changes: Sequence[ClockChange], term: Term | None, calendar: Calendar, *, accepted: bool = False
) -> Deadline:
    """The deadline that follows from a clock's changes, whatever the order in which they were recorded.

    Changes of one instant stand in the order in which they happened. The time from a settlement to a reopening counts
    as
    a pause, and only the last settlement is judged; without a term, extensions do nothing, and `accepted` ones are not
    judged again (see running.run). Raises ClockError where changes contradict each other, ExtensionRefusedError, and
    OutsideCalendarError where the calendar ends too early.
    """
    course = _course(changes)
    standing = course.pauses[-1] if course.pauses and course.pauses[-1].end is None else None
    if term is None:
        deadline = Deadline("running", course.received_at)
    else:
        counted = run(term, course.received_at, course.pauses, course.extensions, calendar, accepted=accepted)
        deadline = _deadline(counted, term, course.received_at, standing is not None, calendar)
    if course.step_begun_at is not None:
        deadline = deadline._replace(step=course.step, step_begun_at=course.step_begun_at)
    if course.ending is not None:
        return _end(deadline, course.ending, calendar)
    if standing is not None:
        return deadline._replace(state="paused", ground=_GROUNDS.get(standing.ground), paused_at=standing.start)
    return deadline


def derive_by_catalogue(procedure: str, changes: Sequence[ClockChange], centre: Centre, calendar: Calendar) -> Deadline:
    """The deadline of an accepted dossier, by the term that the catalogue has for it on the local date of its receipt.

    An unknown procedure is not "no term", and a calendar that ends too early is no due date: both wait, and say for
    what. Raises ClockError.
    """
    if not changes:
        raise ClockError("a clock begins with the receipt")
    try:
        term = term_of(centre, procedure, min(change.at for change in changes))
    except UnknownProcedureError:
        return derive(changes, None, calendar)._replace(waiting_for="procedure")
    try:
        return derive(changes, term, calendar, accepted=True)
    except OutsideCalendarError:
        return derive(changes, None, calendar)._replace(term=term, waiting_for="calendar")


def _deadline(counted: Run, term: Term, received_at: datetime, standing: bool, calendar: Calendar) -> Deadline:
    worktime, promised = calendar.worktime, counted.promised
    term_time = worktime.elapsed(counted.counted_from, counted.first.at)
    first_due_at, shifts = counted.first.at, tuple(counted.shifts)
    if counted.paused_from is not None:
        return Deadline(
            state="paused",
            received_at=received_at,
            term=term,
            counted_from=counted.counted_from,
            term_time=term_time,
            remaining=counted.left(calendar),
            remaining_days=counted.days_left(calendar),
            added_days=counted.added_days,
            stands_from=counted.paused_from,
            first_due_at=first_due_at,
            shifts=shifts,
            last_day=promised.last_day,
        )
    first, last = worktime.local_date(received_at), worktime.local_date(promised.at)
    return Deadline(
        state="running",
        received_at=received_at,
        term=term,
        counted_from=counted.counted_from,
        due_at=promised.at,
        due_date=last,
        held_from=counted.held_from,
        term_time=term_time,
        remaining=timedelta(0) if standing else None,
        remaining_days=0 if standing and promised.last_day is not None else None,
        first_due_at=first_due_at,
        shifts=shifts,
        last_day=promised.last_day,
        provisional=bool(calendar.projected_between(first, last)),
        crosses_unconfirmed=tuple(calendar.unconfirmed_between(first, last)),
    )


def _end(deadline: Deadline, ending: ClockChange, calendar: Calendar) -> Deadline:
    outcome: Outcome | None = None
    if ending.what == "settled" and deadline.due_date is not None:
        settled_on = calendar.worktime.local_date(ending.at)
        if settled_on == deadline.due_date:
            outcome = "on_time"
        else:
            outcome = "early" if settled_on < deadline.due_date else "late"
    return deadline._replace(
        state="ended",
        ground=None,
        remaining=None,
        remaining_days=None,
        added_days=0,
        ended=_ENDINGS[ending.what],
        ended_at=ending.at,
        outcome=outcome,
    )


_GROUNDS: dict[str | None, Ground] = {"supplement": "supplement", "payment": "payment"}
_ENDINGS: dict[str, Ending] = {"settled": "settled", "withdrawn": "withdrawn", "stopped": "stopped"}


@dataclass(slots=True)
class _Course:
    received_at: datetime
    pauses: list[Pause]
    extensions: list[Extension]
    ending: ClockChange | None = None
    step: int = 1
    step_begun_at: datetime | None = None


def _course(changes: Sequence[ClockChange]) -> _Course:
    ordered = sorted(changes, key=lambda change: change.at)
    if not ordered or ordered[0].what != "received":
        raise ClockError("a clock begins with the receipt")
    course = _Course(ordered[0].at, [], [])
    for change in ordered[1:]:
        _go_on(course, change)
    return course


def _go_on(course: _Course, change: ClockChange) -> None:
    pauses, ending = course.pauses, course.ending
    if change.what == "passed_on" and ending is None:
        if change.step is None:
            raise ClockError(f"a dossier that was passed on at {change.at.isoformat()} names no step")
        course.step, course.step_begun_at = change.step, change.at
        return  # who works on it makes no difference to when it is due
    paused = bool(pauses) and pauses[-1].end is None
    if ending is not None:
        if change.what != "reopened" or ending.what != "settled":
            raise ClockError(f"a clock that was {ending.what} at {ending.at.isoformat()} cannot be {change.what}")
        course.ending = None
        if paused:  # it was settled in a pause, which lasts until the reopening
            pauses[-1] = pauses[-1]._replace(end=change.at)
        else:
            pauses.append(Pause(ending.at, change.at))
    elif change.what in _ENDINGS:
        course.ending = change
    elif change.what == "extended":
        try:
            course.extensions.append(Extension(change.at, change.working_days, change.to_date))
        except ValueError as error:
            raise ClockError(str(error)) from None
    elif change.what in ("received", "reopened") or paused == (change.what == "paused"):
        raise ClockError(f"a clock that is {'paused' if paused else 'running'} cannot be {change.what} ({change.at})")
    elif paused:
        pauses[-1] = pauses[-1]._replace(end=change.at)
    else:
        pauses.append(Pause(change.at, None, change.ground))
