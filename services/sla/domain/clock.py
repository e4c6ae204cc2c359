"""The aggregate of a dossier's clock: a list of changes, from which the deadline is derived each time.

Remaining time is never stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from services.sla.domain.calendar import Calendar
from services.sla.domain.errors import ClockError
from services.sla.domain.term_run import Extension, Pause, Shift, TermRun, run_term
from services.sla.domain.terms import term_of
from shared.kernel.centre import Centre, Term
from shared.kernel.errors import ProcedureUnknownError
from shared.kernel.worktime import OutsideCalendarError

Ground = Literal["supplement", "payment"]
Ending = Literal["settled", "withdrawn", "stopped"]
ChangeKind = Literal["received", "paused", "resumed", "extended", "step_begun", "reopened"] | Ending
Outcome = Literal["early", "on_time", "late"]
State = Literal["running", "paused", "ended"]
WaitingFor = Literal["procedure", "calendar"]


class ClockChange(NamedTuple):
    """One change of a clock: its kind, when it happened (`at`), and when that was recorded.

    `ground`, the reason, is set for pauses, `working_days` or `to_date` (exactly one) for extensions, `step` for the
    begin of a further step.
    """

    kind: ChangeKind
    at: datetime
    recorded_at: datetime
    ground: Ground | None = None
    working_days: int | None = None
    to_date: date | None = None
    step: int | None = None


class Deadline(NamedTuple):
    """The deadline that follows from a clock's changes.

    `waiting_for` names what the configuration lacks to derive a due date. Without it, `term` None means that the law
    sets no term. `due_at` is None without a term, with `waiting_for`, and from a pause until the resumption, unless the
    pause began at or after the due date. `in_force_from` is the instant from which this `due_at` applies: the counted
    start, the last resumption or the last extension. `term_time` is the working time from the counted start to the
    first due date.

    During a pause, `remaining` (working time) and `remaining_days` (calendar days, for `calendar_day` only) count from
    `remaining_from`; `added_days` are working days of extensions made during the pause, in addition to the calendar
    days. `paused_at` is the instant of the act that began the present pause, `ground` its reason.

    `first_due_at` is the due date before `shifts`, the effects of each pause and extension. `last_day` is set for
    `calendar_day`, whose due date may be later because of days off. `provisional`: a projected exception is between
    receipt and due date; `crosses_unconfirmed` are the dates between the two that do not count as off and may later.
    `step` is the step that began last (1 with the receipt); `step_begun_at` is None for step 1.
    """

    state: State
    received_at: datetime
    term: Term | None = None
    waiting_for: WaitingFor | None = None
    counted_from: datetime | None = None
    due_at: datetime | None = None
    due_date: date | None = None
    in_force_from: datetime | None = None
    term_time: timedelta | None = None
    ground: Ground | None = None
    paused_at: datetime | None = None
    remaining: timedelta | None = None
    remaining_days: int | None = None
    added_days: int = 0
    remaining_from: datetime | None = None
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
    """Return the changes that were recorded at or before an instant.

    Derived by the calendar as known at that instant, they give the deadline as it was known then.
    """
    return tuple(change for change in changes if change.recorded_at <= instant)


def derive(
    changes: Sequence[ClockChange], term: Term | None, calendar: Calendar, *, accepted: bool = False
) -> Deadline:
    """Derive the deadline from a clock's changes, in whatever order they were recorded.

    Changes of one instant must be in the order in which they happened. The time from a settlement to a reopening counts
    as a pause, and only the last settlement has an outcome. Without a term, extensions have no effect. `accepted`
    extensions are not checked again (see `run_term`).

    Raises ClockError if changes contradict each other, ExtensionRefusedError, and OutsideCalendarError if the calendar
    ends too early.
    """
    course = _course(changes)
    present = course.pauses[-1] if course.pauses and course.pauses[-1].end is None else None
    if term is None:
        deadline = Deadline("running", course.received_at)
    else:
        counted = run_term(term, course.received_at, course.pauses, course.extensions, calendar, accepted=accepted)
        deadline = _deadline(counted, term, course.received_at, present is not None, calendar)
    if course.step_begun_at is not None:
        deadline = deadline._replace(step=course.step, step_begun_at=course.step_begun_at)
    if course.ending is not None:
        return _end(deadline, course.ending, calendar)
    if present is not None:
        return deadline._replace(state="paused", ground=_GROUNDS.get(present.ground), paused_at=present.start)
    return deadline


def derive_by_catalogue(procedure: str, changes: Sequence[ClockChange], centre: Centre, calendar: Calendar) -> Deadline:
    """Derive the deadline of a received dossier, by the catalogue's term on the local date of its receipt.

    If the procedure is unknown or the calendar ends too early, the deadline has no due date and names in `waiting_for`
    what is missing. Extensions are not checked again. Raises ClockError if changes are missing or contradict each
    other.
    """
    if not changes:
        raise ClockError("a clock begins with the receipt")
    try:
        term = term_of(centre, procedure, min(change.at for change in changes))
    except ProcedureUnknownError:
        return derive(changes, None, calendar)._replace(waiting_for="procedure")
    try:
        return derive(changes, term, calendar, accepted=True)
    except OutsideCalendarError:
        return derive(changes, None, calendar)._replace(term=term, waiting_for="calendar")


def _deadline(counted: TermRun, term: Term, received_at: datetime, paused: bool, calendar: Calendar) -> Deadline:
    worktime, due = calendar.worktime, counted.due
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
            remaining_from=counted.paused_from,
            first_due_at=first_due_at,
            shifts=shifts,
            last_day=due.last_day,
        )
    first, last = worktime.local_date(received_at), worktime.local_date(due.at)
    return Deadline(
        state="running",
        received_at=received_at,
        term=term,
        counted_from=counted.counted_from,
        due_at=due.at,
        due_date=last,
        in_force_from=counted.in_force_from,
        term_time=term_time,
        remaining=timedelta(0) if paused else None,
        remaining_days=0 if paused and due.last_day is not None else None,
        first_due_at=first_due_at,
        shifts=shifts,
        last_day=due.last_day,
        provisional=bool(calendar.projected_between(first, last)),
        crosses_unconfirmed=tuple(calendar.unconfirmed_between(first, last)),
    )


def _end(deadline: Deadline, ending: ClockChange, calendar: Calendar) -> Deadline:
    outcome: Outcome | None = None
    if ending.kind == "settled" and deadline.due_date is not None:
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
        ended=_ENDINGS[ending.kind],
        ended_at=ending.at,
        outcome=outcome,
    )


_GROUNDS: dict[str | None, Ground] = {"supplement": "supplement", "payment": "payment"}
_ENDINGS: dict[str, Ending] = {"settled": "settled", "withdrawn": "withdrawn", "stopped": "stopped"}


@dataclass(slots=True)
class _Course:
    """A clock's changes in time order, sorted into the receipt, pauses, extensions, the present step and the ending."""

    received_at: datetime
    pauses: list[Pause]
    extensions: list[Extension]
    ending: ClockChange | None = None
    step: int = 1
    step_begun_at: datetime | None = None


def _course(changes: Sequence[ClockChange]) -> _Course:
    ordered = sorted(changes, key=lambda change: change.at)
    if not ordered or ordered[0].kind != "received":
        raise ClockError("a clock begins with the receipt")
    course = _Course(ordered[0].at, [], [])
    for change in ordered[1:]:
        _apply(course, change)
    return course


def _apply(course: _Course, change: ClockChange) -> None:
    pauses, ending = course.pauses, course.ending
    if change.kind == "step_begun" and ending is None:
        if change.step is None:
            raise ClockError(f"the step that began at {change.at.isoformat()} has no number")
        course.step, course.step_begun_at = change.step, change.at
        return  # the due date does not depend on the department that works on the dossier
    paused = bool(pauses) and pauses[-1].end is None
    if ending is not None:
        if change.kind != "reopened" or ending.kind != "settled":
            raise ClockError(f"a clock that was {ending.kind} at {ending.at.isoformat()} cannot be {change.kind}")
        course.ending = None
        if paused:  # settled during a pause, which then lasts until the reopening
            pauses[-1] = pauses[-1]._replace(end=change.at)
        else:
            pauses.append(Pause(ending.at, change.at))
    elif change.kind in _ENDINGS:
        course.ending = change
    elif change.kind == "extended":
        try:
            course.extensions.append(Extension(change.at, change.working_days, change.to_date))
        except ValueError as error:
            raise ClockError(str(error)) from None
    elif change.kind in ("received", "reopened") or paused == (change.kind == "paused"):
        raise ClockError(f"a clock that is {'paused' if paused else 'running'} cannot be {change.kind} ({change.at})")
    elif paused:
        pauses[-1] = pauses[-1]._replace(end=change.at)
    else:
        pauses.append(Pause(change.at, None, change.ground))
