"""The explanation of a deadline: each day that counts or not and the decision for it, each pause and extension.

Pure data, from which the due date can be computed again: the working time of `days` is the time given, less what
remains during a pause. `services.sla.explanations.sentences` puts it into words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import Deadline
from services.sla.domain.term_run import Extension, Pause, Shift
from shared.kernel.calendar_rules import CalendarException

Reason = Literal["in_working_time", "outside_working_time", "after_cut_off"]
Span = tuple[datetime, datetime]
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Day:
    """One local date from the receipt to the due date, or to the present pause.

    `worked` is whether the date has working time, `counted` are the spans of working time that count towards the term,
    `paused` is the working time of pauses. `ruled_by` is the exception that rules the date (None: its weekday does),
    `unconfirmed` an exception that does not count. `number` is the day's number within the term, if days are counted:
    for `calendar_day` all days except as many as were paused, for `by_days` the working days of a term without pauses
    and extensions.
    """

    on: date
    worked: bool
    counted: tuple[Span, ...]
    paused: timedelta
    ruled_by: CalendarException | None
    unconfirmed: CalendarException | None
    number: int | None = None

    @property
    def length(self) -> timedelta:
        """The working time of this date that counts towards the term."""
        return sum((end - start for start, end in self.counted), _NOTHING)


@dataclass(frozen=True, slots=True)
class ExplainedShift:
    """A pause or an extension, and the working time that it adds to the term (none for a pause)."""

    shift: Shift
    adds: timedelta


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that a deadline follows from. Without a due date to derive, it has no `reason` and no days.

    `reason` is why the term counts from its start. `given` is the working time from the counted start to the due date
    without pauses: that of the term and of extensions. A term in calendar days has `given_days` instead: it is due on
    the day with this number, or on the next working day.
    """

    deadline: Deadline
    calendar: Calendar
    as_known_at: datetime | None
    reason: Reason | None = None
    shifts: tuple[ExplainedShift, ...] = ()
    given: timedelta | None = None
    given_days: int | None = None
    days: tuple[Day, ...] = ()

    @property
    def counted(self) -> timedelta:
        """The working time that counts, summed over all days."""
        return sum((day.length for day in self.days), _NOTHING)


def explain(deadline: Deadline, calendar: Calendar, as_known_at: datetime | None = None) -> Explanation:
    """Explain a deadline that was derived by this calendar.

    `as_known_at` is only stored in the explanation: the caller passes the deadline and the calendar as known at that
    instant. The counted time of all days is exactly the time given, for a paused clock less what remains.
    """
    if deadline.counted_from is None or deadline.term_time is None:
        return Explanation(deadline, calendar, as_known_at)
    shifts = tuple(_explained_shifts(deadline, calendar))
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


def _explained_shifts(deadline: Deadline, calendar: Calendar) -> Iterator[ExplainedShift]:
    left = _NOTHING
    for shift in deadline.shifts:
        adds = _NOTHING
        if isinstance(shift.by, Extension):
            if shift.before is not None and shift.after is not None:
                adds = calendar.worktime.elapsed(shift.before, shift.after)
            elif shift.left is not None:  # during a pause: what is left after the extension, less what was left before
                adds = shift.left - left
        left = shift.left or _NOTHING
        yield ExplainedShift(shift, adds)


def _pause_spans(deadline: Deadline) -> list[tuple[datetime, datetime | None]]:
    """Return the start (not before the counted start) and the end (None: not ended) of each pause with an effect."""
    assert deadline.counted_from is not None
    pauses = [shift.by for shift in deadline.shifts if isinstance(shift.by, Pause)]
    return [(max(pause.start, deadline.counted_from), pause.end) for pause in pauses]


def _given_days(deadline: Deadline, start: datetime, calendar: Calendar) -> int | None:
    if deadline.last_day is None:
        return None
    local_date = calendar.worktime.local_date
    paused = 0
    for begin, end in _pause_spans(deadline):
        until = end or deadline.remaining_from or begin
        paused += (local_date(until) - local_date(begin)).days
    return (deadline.last_day - local_date(start)).days - paused


def _days(deadline: Deadline, start: datetime, calendar: Calendar) -> Iterator[Day]:
    worktime, pauses = calendar.worktime, _pause_spans(deadline)
    until = deadline.due_at or pauses[-1][0]
    day, last = worktime.local_date(deadline.received_at), worktime.local_date(until)
    numbered, number = _numbered(deadline, worktime.local_date(start), last, calendar), 0
    while day <= last:
        windows = worktime.windows_on(day)
        spans = [(max(opens, start), min(closes, until)) for opens, closes in windows]
        spans = [(begin, end) for begin, end in spans if begin < end]
        counted = tuple(_outside(spans, pauses))
        length = sum((end - begin for begin, end in spans), _NOTHING)
        number += day in numbered
        unconfirmed = (each for each in calendar.rules.exceptions if each.on == day and not each.counts)
        yield Day(
            on=day,
            worked=bool(windows),
            counted=counted,
            paused=length - sum((end - begin for begin, end in counted), _NOTHING),
            ruled_by=calendar.ruling.get(day),
            unconfirmed=next(unconfirmed, None),
            number=number if day in numbered else None,
        )
        day += timedelta(days=1)


def _numbered(deadline: Deadline, counted_date: date, last: date, calendar: Calendar) -> set[date]:
    """Return the dates that count as days of the term; empty if the term counts working time.

    Also empty for a term in working days that has pauses or extensions.
    """
    assert deadline.term is not None
    dates = [counted_date + timedelta(days=n + 1) for n in range((last - counted_date).days)]
    if deadline.term.unit == "calendar_day":
        last_day = deadline.last_day or last
        return {day for day in dates if day <= last_day} - _paused_dates(deadline, counted_date, calendar)
    if deadline.term.counting == "by_days" and not deadline.shifts:
        return {day for day in dates if calendar.worktime.is_working_day(day)}
    return set()


def _paused_dates(deadline: Deadline, counted_date: date, calendar: Calendar) -> set[date]:
    """Return one date for each calendar day that a finished pause adds: the dates that are not days of the term.

    These are the dates after the begin of the pause, or else the nearest dates before, but always before the last day
    of the term.
    """
    local_date, last_day, paused = calendar.worktime.local_date, deadline.last_day, set[date]()
    for begin, end in _pause_spans(deadline):
        if end is None:
            continue
        first, length = local_date(begin), (local_date(end) - local_date(begin)).days
        inside = [first + timedelta(days=n) for n in range(1, length + 1)]
        before = [first - timedelta(days=n) for n in range((first - counted_date).days)]
        free = [day for day in (*inside, *before) if day not in paused and (last_day is None or day < last_day)]
        paused.update(free[:length])
    return paused


def _outside(spans: Sequence[Span], pauses: Sequence[tuple[datetime, datetime | None]]) -> Iterator[Span]:
    """Yield the parts of the spans that are outside all pauses; pauses are in time order and do not overlap."""
    for start, end in spans:
        begin = start
        for paused_from, paused_to in pauses:
            if paused_from >= end or (paused_to is not None and paused_to <= begin):
                continue
            if begin < paused_from:
                yield begin, paused_from
            begin = end if paused_to is None else min(paused_to, end)
        if begin < end:
            yield begin, end
