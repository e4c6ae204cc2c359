"""A term as it runs along the calendar: it stands in pauses, and extensions give it more.

Every due date of the house comes from `run`; `services.sla.domain.clock` feeds it with the changes of a clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.sla.domain.calendar import Calendar
from services.sla.domain.terms import DueDate, counted_from, due, end_of_calendar_days
from shared.kernel.centre import Term
from shared.kernel.errors import MotcuaError


class ExtensionRefusedError(MotcuaError):
    """An extension that the rules do not allow: too late, onto a day off, or onto no later date."""


class Pause(NamedTuple):
    """Time in which the clock stands, from `start` (included) to `end` (not included; None: it still stands)."""

    start: datetime
    end: datetime | None
    ground: str | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """More time, by a number of working days or up to the close of a date: exactly one of both."""

    at: datetime
    working_days: int | None = None
    to_date: date | None = None

    def __post_init__(self) -> None:
        if (self.working_days is None) == (self.to_date is None):
            raise ValueError("an extension adds working days or sets a date")
        if self.working_days is not None and self.working_days <= 0:
            raise ValueError(f"an extension adds working days, not {self.working_days}")


class Shift(NamedTuple):
    """What a pause or an extension did to the due date; both dates are kept for ever.

    A pause has no `after` while it stands, and `left` is the working time that it found. An extension that came in a
    pause has neither date: `left` is what it left, from the instant from which the clock stands.
    """

    by: Pause | Extension
    before: datetime | None
    after: datetime | None
    left: timedelta | None


@dataclass(slots=True)
class Run:
    """A term's course so far. `promised` is the due date, held from `held_from` on.

    While the clock stands (from `paused_from`) there is none: `promised` is what was, and `added_days` are working days
    that extensions added meanwhile, which are walked from it once the clock runs again. `accepted`: see `run`.
    """

    counted_from: datetime
    first: DueDate
    promised: DueDate
    held_from: datetime
    accepted: bool = False
    paused_from: datetime | None = None
    added_days: int = 0
    shifts: list[Shift] = field(default_factory=list)

    def left(self, calendar: Calendar) -> timedelta:
        """The working time that remains while the clock stands."""
        assert self.paused_from is not None
        left = calendar.worktime.elapsed(self.paused_from, self.promised.at)
        return left + self.added_days * calendar.standard_day if self.added_days else left

    def days_left(self, calendar: Calendar) -> int | None:
        """The calendar days that remain, `added_days` aside, for a term that counts them."""
        if self.promised.last_day is None or self.paused_from is None:
            return None
        return max(0, (self.promised.last_day - calendar.worktime.local_date(self.paused_from)).days)


def run(
    term: Term,
    received_at: datetime,
    pauses: Sequence[Pause],
    extensions: Sequence[Extension],
    calendar: Calendar,
    *,
    accepted: bool = False,
) -> Run:
    """Count a term from its receipt. Pauses and extensions are in the order of time; pauses are apart or touch.

    What is left at a pause is walked from its end; for `calendar_day` the paused days are added to the last day, whose
    end is then moved off days off. A pause before the counted start stands from there; one from the due date on moves
    nothing. An extension adds working days to the due date, in a pause to what is left, or sets a date.
    Extensions that were `accepted`, by the calendar of their time, are not judged again, whatever the calendar says by
    now: days are added to a due date that has gone by, a date that is a day off means the next working day, and one
    that the due date has overtaken moves nothing.
    Raises ExtensionRefusedError, and OutsideCalendarError where the calendar says nothing.
    """
    start = counted_from(term, received_at, calendar)
    first = due(term, start, calendar)
    course = Run(start, first, first, start, accepted)
    if not pauses and not extensions:
        return course
    waiting = list(extensions)
    for pause in _joined(pauses):
        while waiting and waiting[0].at < pause.start:
            _extend(course, waiting.pop(0), calendar)
        begin = max(pause.start, start)
        if begin >= course.promised.at or (pause.end is not None and pause.end <= begin):
            continue
        within = [each for each in waiting if pause.end is None or each.at < pause.end] if waiting else waiting
        waiting = waiting[len(within) :]
        _stand(course, pause, begin, within, calendar)
    for extension in waiting:
        _extend(course, extension, calendar)
    return course


def _joined(pauses: Sequence[Pause]) -> Sequence[Pause]:
    """Pauses that touch are one, so that splitting a pause changes nothing."""
    if len(pauses) < 2:
        return pauses
    joined = [pauses[0]]
    for pause in pauses[1:]:
        if joined[-1].end == pause.start:
            joined[-1] = pause._replace(start=joined[-1].start)
        else:
            joined.append(pause)
    return joined


def _stand(course: Run, pause: Pause, begin: datetime, extensions: Sequence[Extension], calendar: Calendar) -> None:
    before = course.promised.at
    course.paused_from = begin
    found = left = course.left(calendar)
    extended: list[Shift] = []
    for extension in extensions:
        if extension.to_date is None:
            course.added_days += extension.working_days or 0
        else:  # the date holds as of the extension: only what is paused after it moves it
            here = max(extension.at, begin)
            resumed = _resumed(course, here, left, calendar)
            course.promised = _set(extension.to_date, resumed, here, calendar, accepted=course.accepted)
            course.paused_from, course.added_days = here, 0
        left = course.left(calendar)
        extended.append(Shift(extension, None, None, left))
    after = None
    if pause.end is not None:
        course.promised = _resumed(course, pause.end, left, calendar)
        course.held_from, course.paused_from, course.added_days = pause.end, None, 0
        after = course.promised.at
    course.shifts.append(Shift(pause, before, after, found))
    course.shifts += extended


def _resumed(course: Run, end: datetime, left: timedelta, calendar: Calendar) -> DueDate:
    """The due date if the clock, which stands with so much left, ran again from `end` on."""
    last_day, worktime = course.promised.last_day, calendar.worktime
    if last_day is None or course.paused_from is None:
        return DueDate(worktime.add(end, left))
    paused_days = worktime.local_date(end) - worktime.local_date(course.paused_from)
    promised = end_of_calendar_days(last_day + paused_days, calendar)
    return _later(promised, course.added_days, calendar) if course.added_days else promised


def _extend(course: Run, extension: Extension, calendar: Calendar) -> None:
    before = course.promised
    if extension.at >= before.at and not course.accepted:
        at, due_at = (instant.astimezone(calendar.worktime.zone).isoformat() for instant in (extension.at, before.at))
        raise ExtensionRefusedError(f"an extension at {at} comes too late: the dossier was due at {due_at}")
    if extension.to_date is None:
        course.promised = _later(before, extension.working_days or 0, calendar)
    else:
        course.promised = _set(extension.to_date, before, extension.at, calendar, accepted=course.accepted)
    course.held_from = max(course.held_from, extension.at)
    course.shifts.append(Shift(extension, before.at, course.promised.at, None))


def _later(promised: DueDate, working_days: int, calendar: Calendar) -> DueDate:
    """Standard days of working time walked on from a due date."""
    worktime = calendar.worktime
    at = worktime.add(promised.at, working_days * calendar.standard_day)
    return DueDate(at, None if promised.last_day is None else worktime.local_date(at))


def _set(day: date, before: DueDate, here: datetime, calendar: Calendar, *, accepted: bool) -> DueDate:
    """The close of a date: a working day, later than what it takes the place of and than `here`, the extension itself.

    What it takes the place of may lie before `here`: in a pause, a last day that was a day off is moved no farther
    than the pause lasted.
    """
    worktime = calendar.worktime
    least = max(before.at, here)
    if accepted:
        close = worktime.closing(worktime.working_day_from(day)) if day >= worktime.local_date(least) else least
        return DueDate(close, None if before.last_day is None else day) if close > least else before
    too_early = day < worktime.local_date(least)  # asked first: the calendar may not reach back to that date
    if not too_early and not worktime.is_working_day(day):
        raise ExtensionRefusedError(f"an extension cannot set {day}: it is a day off")
    if too_early or worktime.closing(day) <= least:
        at = least.astimezone(worktime.zone).isoformat()
        why = f"the dossier is due at {at} without it" if before.at >= here else f"it comes at {at}"
        raise ExtensionRefusedError(f"an extension to {day} is none: {why}")
    return DueDate(worktime.closing(day), None if before.last_day is None else day)
