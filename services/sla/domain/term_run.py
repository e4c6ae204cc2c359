"""Counting of one term along the calendar, with its pauses and extensions.

Every due date is derived by `run_term`; `services.sla.domain.clock` calls it with the changes of a clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.sla.domain.calendar import Calendar
from services.sla.domain.errors import ExtensionRefusedError
from services.sla.domain.terms import DueDate, counted_from, due, end_of_calendar_days
from shared.kernel.centre import Term


class Pause(NamedTuple):
    """Time that does not count: from `start` (included) to `end` (excluded; None while the pause lasts)."""

    start: datetime
    end: datetime | None
    ground: str | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """More time for a term, by a number of working days or to the close of a date: exactly one of the two.

    Raises ValueError for both or neither, and for less than one working day.
    """

    at: datetime
    working_days: int | None = None
    to_date: date | None = None

    def __post_init__(self) -> None:
        if (self.working_days is None) == (self.to_date is None):
            raise ValueError("an extension adds working days or sets a date")
        if self.working_days is not None and self.working_days <= 0:
            raise ValueError(f"an extension adds at least one working day, not {self.working_days}")


class Shift(NamedTuple):
    """The effect of a pause or an extension on the due date: the due dates before and after it.

    A pause has no `after` while it lasts; `left` is the working time that remained at its start. An extension made
    during a pause has neither date; `left` is the working time that then remains. `after_last_day` is true for a pause
    of a term in calendar days that began after the last day, so its days are added to the date of `before` instead.
    """

    by: Pause | Extension
    before: datetime | None
    after: datetime | None
    left: timedelta | None
    after_last_day: bool = False


@dataclass(slots=True)
class TermRun:
    """The state of the counting of a term.

    `due` is the due date, in force since `in_force_from`; `first` is the one without pauses and extensions. During a
    pause (`paused_from` is set) there is no due date in force: `due` is the one at `paused_from`, and `added_days` are
    working days that extensions added since, which count from the resumption. `accepted`: see `run_term`.
    """

    counted_from: datetime
    first: DueDate
    due: DueDate
    in_force_from: datetime
    accepted: bool = False
    paused_from: datetime | None = None
    added_days: int = 0
    shifts: list[Shift] = field(default_factory=list)

    def left(self, calendar: Calendar) -> timedelta:
        """Return the working time that remains during a pause, with extensions made during the pause."""
        assert self.paused_from is not None
        left = calendar.worktime.elapsed(self.paused_from, self.due.at)
        return left + self.added_days * calendar.standard_day if self.added_days else left

    def days_left(self, calendar: Calendar) -> int | None:
        """Return the calendar days that remain during a pause, without `added_days`; None for a term in other units."""
        if self.due.last_day is None or self.paused_from is None:
            return None
        return max(0, (self.due.last_day - calendar.worktime.local_date(self.paused_from)).days)


def run_term(
    term: Term,
    received_at: datetime,
    pauses: Sequence[Pause],
    extensions: Sequence[Extension],
    calendar: Calendar,
    *,
    accepted: bool = False,
) -> TermRun:
    """Count a term from its receipt and return the state after all pauses and extensions, with the due date.

    Pauses and extensions are in time order; pauses do not overlap. Working time that is left at a pause is counted from
    the resumption. For `calendar_day` the paused days are added to the last day, and an end on a day off moves to the
    next working day. If the pause begins after the last day, they are added to the date to which the end had moved, so
    that the due date is never before the date of the resumption. A pause before the counted start takes effect there;
    one at or after the due date moves nothing. An extension adds working days to the due date (during a pause, to what
    is left) or sets a date.

    Extensions that were `accepted` under the calendar of their time are not checked again with the present one: days
    are added to a due date that has passed, a date that became a day off means the next working day, and a date before
    the due date moves nothing.

    Raises ExtensionRefusedError, and OutsideCalendarError outside the calendar's span.
    """
    start = counted_from(term, received_at, calendar)
    first = due(term, start, calendar)
    course = TermRun(start, first, first, start, accepted)
    if not pauses and not extensions:
        return course
    remaining = list(extensions)
    for pause in _joined(pauses):
        while remaining and remaining[0].at < pause.start:
            _extend(course, remaining.pop(0), calendar)
        begin = max(pause.start, start)
        if begin >= course.due.at or (pause.end is not None and pause.end <= begin):
            continue
        within = [each for each in remaining if pause.end is None or each.at < pause.end] if remaining else remaining
        remaining = remaining[len(within) :]
        _pause(course, pause, begin, within, calendar)
    for extension in remaining:
        _extend(course, extension, calendar)
    return course


def _joined(pauses: Sequence[Pause]) -> Sequence[Pause]:
    """Return the pauses with adjacent ones joined, so that splitting a pause changes nothing."""
    if len(pauses) < 2:
        return pauses
    joined = [pauses[0]]
    for pause in pauses[1:]:
        if joined[-1].end == pause.start:
            joined[-1] = pause._replace(start=joined[-1].start)
        else:
            joined.append(pause)
    return joined


def _pause(course: TermRun, pause: Pause, begin: datetime, extensions: Sequence[Extension], calendar: Calendar) -> None:
    before, last_day, worktime = course.due.at, course.due.last_day, calendar.worktime
    after_last_day = last_day is not None and worktime.local_date(begin) > last_day
    if last_day is not None and after_last_day:
        course.due = DueDate(before, worktime.working_day_from(last_day))
    course.paused_from = begin
    left_at_start = left = course.left(calendar)
    extended: list[Shift] = []
    for extension in extensions:
        if extension.to_date is None:
            course.added_days += extension.working_days or 0
        else:  # the date is in force from the extension on: only later paused time moves it
            here = max(extension.at, begin)
            resumed = _resumed(course, here, left, calendar)
            course.due = _set_date(extension.to_date, resumed, here, calendar, accepted=course.accepted)
            course.paused_from, course.added_days = here, 0
        left = course.left(calendar)
        extended.append(Shift(extension, None, None, left))
    after = None
    if pause.end is not None:
        course.due = _resumed(course, pause.end, left, calendar)
        course.in_force_from, course.paused_from, course.added_days = pause.end, None, 0
        after = course.due.at
    course.shifts.append(Shift(pause, before, after, left_at_start, after_last_day))
    course.shifts += extended


def _resumed(course: TermRun, end: datetime, left: timedelta, calendar: Calendar) -> DueDate:
    """Return the due date of a paused term with the working time `left`, if it is resumed at `end`.

    For calendar days, the paused days are added to the last day instead, and then `added_days`.
    """
    last_day, worktime = course.due.last_day, calendar.worktime
    if last_day is None or course.paused_from is None:
        return DueDate(worktime.add(end, left))
    paused_days = worktime.local_date(end) - worktime.local_date(course.paused_from)
    moved = end_of_calendar_days(last_day + paused_days, calendar)
    return _later(moved, course.added_days, calendar) if course.added_days else moved


def _extend(course: TermRun, extension: Extension, calendar: Calendar) -> None:
    before = course.due
    if extension.at >= before.at and not course.accepted:
        at, due_at = (instant.astimezone(calendar.worktime.zone).isoformat() for instant in (extension.at, before.at))
        raise ExtensionRefusedError(f"an extension at {at} comes too late: the dossier was due at {due_at}")
    if extension.to_date is None:
        course.due = _later(before, extension.working_days or 0, calendar)
    else:
        course.due = _set_date(extension.to_date, before, extension.at, calendar, accepted=course.accepted)
    course.in_force_from = max(course.in_force_from, extension.at)
    course.shifts.append(Shift(extension, before.at, course.due.at, None))


def _later(before: DueDate, working_days: int, calendar: Calendar) -> DueDate:
    """Return the due date that is this many standard days of working time after `before`."""
    worktime = calendar.worktime
    at = worktime.add(before.at, working_days * calendar.standard_day)
    return DueDate(at, None if before.last_day is None else worktime.local_date(at))


def _set_date(day: date, before: DueDate, here: datetime, calendar: Calendar, *, accepted: bool) -> DueDate:
    """Return the due date that an extension to a date sets: the date's close. `here` is the instant of the extension.

    Raises ExtensionRefusedError unless the date is a working day that closes after `before`, the due date so far, and
    after `here`. If `accepted`, does not raise: a day off means the next working day, and a date that gives no more
    time returns `before`.

    `before` may be earlier than `here`: calendar days paused until after the close of their last day end at that close.
    """
    worktime = calendar.worktime
    least = max(before.at, here)
    if accepted:
        close = worktime.closing(worktime.working_day_from(day)) if day >= worktime.local_date(least) else least
        return DueDate(close, None if before.last_day is None else day) if close > least else before
    too_early = day < worktime.local_date(least)  # checked first: the calendar may not cover that date
    if not too_early and not worktime.is_working_day(day):
        raise ExtensionRefusedError(f"an extension cannot set {day}: it is a day off")
    if too_early or worktime.closing(day) <= least:
        at = least.astimezone(worktime.zone).isoformat()
        why = f"the dossier is due at {at} without it" if before.at >= here else f"the extension is made at {at}"
        raise ExtensionRefusedError(f"an extension to {day} gives no more time: {why}")
    return DueDate(worktime.closing(day), None if before.last_day is None else day)
