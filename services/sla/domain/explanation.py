"""Why a deadline is what it is: every day counted or skipped and by which decision, every pause and extension.

Pure data, from which the due date can be computed again: `days` add up to what was given, or to that less what
remains. Wording is services.sla.explaining's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import Deadline
from services.sla.domain.running import Extension, Pause, Shift
from shared.kernel.calendar_rules import CalendarException

Reason = Literal["in_working_time", "outside_working_time", "after_cut_off"]
Span = tuple[datetime, datetime]
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Day:
    """One local date from the receipt to the due date, or to the standing pause.

    `counted` are the spans of working time that count, `stood` is the working time of pauses. `ruled_by` is the
    exception that makes the date what it is (None: its weekday does), `unconfirmed` one that does not count. `number`
    tells which day of the term it is, where days are counted: for `calendar_day` all but as many as were paused, for
    `by_days` working days, as long as nothing was paused or extended.
    """

    on: date
    worked: bool
    counted: tuple[Span, ...]
    stood: timedelta
    ruled_by: CalendarException | None
    unconfirmed: CalendarException | None
    number: int | None = None

    @property
    def length(self) -> timedelta:
        """The working time that counts."""
        return sum((end - start for start, end in self.counted), _NOTHING)


@dataclass(frozen=True, slots=True)
class Explained:
    """A pause or an extension, and the working time that it adds to what the term gives (for pauses none)."""

    shift: Shift
    adds: timedelta


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that a deadline follows from. Without a term, or while it waits, there is no `reason` and no day.

    `given` is the working time from the counted start to the due date, pauses aside: the term's own and what extensions
    add. A term in calendar days has `given_days` instead: it is due on the first working day from the day of that
    number on.
    """

    deadline: Deadline
    calendar: Calendar
    as_known_at: datetime | None
    reason: Reason | None = None
    shifts: tuple[Explained, ...] = ()
    given: timedelta | None = None
    given_days: int | None = None
    days: tuple[Day, ...] = ()

    @property
    def counted(self) -> timedelta:
        """The working time of all days."""
        return sum((day.length for day in self.days), _NOTHING)


def explain(deadline: Deadline, calendar: Calendar, as_known_at: datetime | None = None) -> Explanation:
    """The explanation of a deadline that was derived by this calendar, with both as they were known then.

    Promises that the days of a running clock count what is given, and those of a paused one that less what remains.
    """
    if deadline.counted_from is None or deadline.term_time is None:
        return Explanation(deadline, calendar, as_known_at)
    shifts = tuple(_explained(deadline, calendar))
    in_days = deadline.last_day is not None
    return Explanation(
        deadline,
        calendar,
        as_known_at,
        reason=_reason(deadline, calendar),
        shifts=shifts,
        given=None if in_days else sum((each.adds for each in shifts), deadline.term_time),
        given_days=_given_days(deadline, deadline.counted_from, calendar),
        days=tuple(_days(deadline, deadline.counted_from, calendar)),
    )


def _reason(deadline: Deadline, calendar: Calendar) -> Reason:
    if deadline.counted_from == deadline.received_at:
        return "in_working_time"
    local = deadline.received_at.astimezone(calendar.worktime.zone)
    cut_off = None if deadline.term is None else deadline.term.cut_off
    late = cut_off is not None and local.time() > cut_off and calendar.worktime.is_working_day(local.date())
    return "after_cut_off" if late else "outside_working_time"


def _explained(deadline: Deadline, calendar: Calendar) -> Iterator[Explained]:
    left = _NOTHING
    for shift in deadline.shifts:
        adds = _NOTHING
        if isinstance(shift.by, Extension):
            if shift.before is not None and shift.after is not None:
                adds = calendar.worktime.elapsed(shift.before, shift.after)
            elif shift.left is not None:  # in a pause: what is left after it, less what was left before
                adds = shift.left - left
        left = shift.left or _NOTHING
        yield Explained(shift, adds)


def _stands(deadline: Deadline) -> list[tuple[datetime, datetime | None]]:
    """The pauses that moved something, cut to the counted start."""
    assert deadline.counted_from is not None
    pauses = [shift.by for shift in deadline.shifts if isinstance(shift.by, Pause)]
    return [(max(pause.start, deadline.counted_from), pause.end) for pause in pauses]


def _given_days(deadline: Deadline, start: datetime, calendar: Calendar) -> int | None:
    if deadline.last_day is None:
        return None
    local_date = calendar.worktime.local_date
    stood = 0
    for begin, end in _stands(deadline):
        until = end or deadline.stands_from or begin
        stood += (local_date(until) - local_date(begin)).days
    return (deadline.last_day - local_date(start)).days - stood


def _days(deadline: Deadline, start: datetime, calendar: Calendar) -> Iterator[Day]:
    worktime, stands = calendar.worktime, _stands(deadline)
    until = deadline.due_at or stands[-1][0]
    day, last = worktime.local_date(deadline.received_at), worktime.local_date(until)
    numbered, number = _numbered(deadline, worktime.local_date(start), last, calendar), 0
    while day <= last:
        windows = worktime.windows_on(day)
        spans = [(max(opens, start), min(closes, until)) for opens, closes in windows]
        spans = [(begin, end) for begin, end in spans if begin < end]
        counted = tuple(_outside(spans, stands))
        length = sum((end - begin for begin, end in spans), _NOTHING)
        number += day in numbered
        unconfirmed = (each for each in calendar.rules.exceptions if each.on == day and not each.counts)
        yield Day(
            on=day,
            worked=bool(windows),
            counted=counted,
            stood=length - sum((end - begin for begin, end in counted), _NOTHING),
            ruled_by=calendar.ruling.get(day),
            unconfirmed=next(unconfirmed, None),
            number=number if day in numbered else None,
        )
        day += timedelta(days=1)


def _numbered(deadline: Deadline, counted_date: date, last: date, calendar: Calendar) -> set[date]:
    """The dates that are days of the term, where it counts days."""
    assert deadline.term is not None
    dates = [counted_date + timedelta(days=n + 1) for n in range((last - counted_date).days)]
    if deadline.term.unit == "calendar_day":
        last_day = deadline.last_day or last
        return {day for day in dates if day <= last_day} - _paused_dates(deadline, counted_date, calendar)
    if deadline.term.counting == "by_days" and not deadline.shifts:
        return {day for day in dates if calendar.worktime.is_working_day(day)}
    return set()


def _paused_dates(deadline: Deadline, counted_date: date, calendar: Calendar) -> set[date]:
    """As many dates as passed in pauses that ended: theirs, or the nearest before them, but never the last day."""
    local_date, last_day, paused = calendar.worktime.local_date, deadline.last_day, set[date]()
    for begin, end in _stands(deadline):
        if end is None:
            continue
        first, length = local_date(begin), (local_date(end) - local_date(begin)).days
        inside = [first + timedelta(days=n) for n in range(1, length + 1)]
        before = [first - timedelta(days=n) for n in range((first - counted_date).days)]
        free = [day for day in (*inside, *before) if day not in paused and (last_day is None or day < last_day)]
        paused.update(free[:length])
    return paused


def _outside(spans: Sequence[Span], stands: Sequence[tuple[datetime, datetime | None]]) -> Iterator[Span]:
    """What of the spans lies in no pause; pauses are in order and apart."""
    for start, end in spans:
        begin = start
        for stood_from, stood_to in stands:
            if stood_from >= end or (stood_to is not None and stood_to <= begin):
                continue
            if begin < stood_from:
                yield begin, stood_from
            begin = end if stood_to is None else min(stood_to, end)
        if begin < end:
            yield begin, end
