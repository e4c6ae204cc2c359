"""Due dates of many clocks of one term at once, by columns: for rehearsals and sweeps over every clock there is.

The same rules as services.sla.domain's, held equal to them by a property test. What columns do not cover (an extension
in a pause or to a date, a calendar that ends too early, one with a year without work) is left to the stepwise form.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from services.sla.domain.calendar import Calendar
from shared.kernel.centre import Term
from shared.kernel.worktime import LONGEST_GAP, midnight

Instants = NDArray[np.int64]
"""Microseconds since 1970, UTC."""

NO_END = int(np.iinfo(np.int64).max)
"""The end of a pause that still stands."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1) // MICROSECOND
_DAY = 24 * _HOUR


class Round(NamedTuple):
    """One pause of each of several clocks: `of` are their places in the columns, `start` and `end` (or NO_END) its
    instants. A clock is at most once in a round; rounds are in the order of time, and touching pauses are one."""

    of: NDArray[np.int64]
    start: Instants
    end: Instants


class Extended(NamedTuple):
    """A round of extensions by working days, each at an instant at which its clock runs."""

    of: NDArray[np.int64]
    at: Instants
    working_days: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Derived:
    """Due dates in the order of the clocks; meaningless where a clock is `paused`, or `left_out` for the stepwise
    form. `left` is the working time, in microseconds, that remains of a paused one."""

    counted_from: Instants
    due_at: Instants
    paused: NDArray[np.bool_]
    left: NDArray[np.int64]
    left_out: NDArray[np.bool_]


class Columns:
    """A calendar's windows and days as arrays, and the arithmetic of working time on them."""

    def __init__(self, calendar: Calendar) -> None:
        """Raises ValueError for a calendar without windows, or with more than a year between two: what lies beyond is
        refused clock by clock; and for a zone in which part of a date comes again when the next date has begun."""
        worktime = calendar.worktime
        edges = [worktime.starts_at, *worktime.closes]
        opens = [*worktime.opens, worktime.ends_at]
        if not worktime.opens or any(opening - edge > LONGEST_GAP for edge, opening in zip(edges, opens, strict=True)):
            raise ValueError(f"calendar {worktime.name} has more than a year without work")
        self.standard_day = calendar.standard_day // MICROSECOND
        self._zone = worktime.zone
        self._first = worktime.first_date
        self.opens, self._closes = instants(worktime.opens), instants(worktime.closes)
        self._worked: Instants = np.zeros(len(opens), dtype=np.int64)
        np.cumsum(self._closes - self.opens, out=self._worked[1:])
        self.midnights, self.offsets = _dates(worktime.first_date, worktime.last_date, worktime.zone)
        self._working = np.array([day.toordinal() for day in worktime.working_days], dtype=np.int64)
        self._working -= self._first.toordinal()
        self._openings = self.opens[np.searchsorted(self.opens, self.midnights[self._working])]
        self._closings = self._closes[np.searchsorted(self.opens, self.midnights[self._working + 1]) - 1]
        self._cut_offs: dict[time, Instants] = {}

    def day(self, at: Instants) -> NDArray[np.int64]:
        """The local date, as a number of days since the calendar's first; outside its span a number outside."""
        return np.searchsorted(self.midnights, at, side="right") - 1

    def within(self, at: Instants) -> NDArray[np.bool_]:
        """Whether the calendar says anything about these instants."""
        found: NDArray[np.bool_] = (at >= self.midnights[0]) & (at <= self.midnights[-1])
        return found

    def worked(self, until: Instants) -> NDArray[np.int64]:
        """Working time from the beginning of the calendar, in microseconds."""
        opened = np.searchsorted(self.opens, until, side="right")
        last = np.maximum(opened - 1, 0)
        into = np.minimum(until, self._closes[last]) - self.opens[last]
        return np.where(opened > 0, self._worked[last] + into, 0)

    def at(self, worked: NDArray[np.int64]) -> tuple[Instants, NDArray[np.bool_]]:
        """The earliest instants by which so much (more than nothing) was worked; False where that is never."""
        place = np.searchsorted(self._worked, worked, side="left")
        there = place < len(self._worked)
        place = np.where(there, place, len(self._worked) - 1)
        return self._closes[place - 1] - (self._worked[place] - worked), there

    def from_opening(self, at: Instants) -> tuple[Instants, NDArray[np.bool_]]:
        """The instants themselves in working time, otherwise the start of the next window."""
        place = np.searchsorted(self._closes, at, side="right")
        there = place < len(self.opens)
        return np.maximum(at, self.opens[np.where(there, place, 0)]), there

    def working_day(self, day: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Places, among the working days, of the dates themselves or of the next that are worked."""
        return self._place(day, np.searchsorted(self._working, day))

    def working_day_after(
        self, day: NDArray[np.int64], count: int | NDArray[np.int64] = 1
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Places, among the working days, of the `count`-th following the dates."""
        return self._place(day, np.searchsorted(self._working, day, side="right") + (count - 1))

    def _place(self, day: NDArray[np.int64], place: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        there = (place < len(self._working)) & (day >= 0) & (day < len(self.midnights) - 1)
        return np.where(there, place, 0), there

    def closing(self, place: NDArray[np.int64]) -> Instants:
        """The close of working days, by their places."""
        return self._closings[place]

    def after_cut_off(self, received: Instants, cut_off: time) -> tuple[Instants, NDArray[np.bool_]]:
        """The start of the working day after the receipt's; True where the receipt came after the cut-off of a day
        that is worked."""
        limits = self._limits(cut_off)
        day = self.day(received)
        inside = (day >= 0) & (day < len(limits))
        following, there = self.working_day_after(np.where(inside, day, 0))
        place, _ = self.working_day(np.where(inside, day, 0))
        is_worked = inside & (self._working[place] == day)
        late = is_worked & (received > limits[np.where(inside, day, 0)])
        return np.where(there, self._openings[following], NO_END), late

    def _limits(self, cut_off: time) -> Instants:
        """The cut-off's instant on every date: made once, for a rehearsal asks for it with every group of clocks."""
        if cut_off not in self._cut_offs:
            days = range(len(self.midnights) - 1)
            self._cut_offs[cut_off] = instants([datetime.combine(self.date_of(n), cut_off, self._zone) for n in days])
        return self._cut_offs[cut_off]

    def date_of(self, number: int) -> date:
        """The local date of that number."""
        return self._first + timedelta(days=number)

    def number(self, day: date) -> int:
        """The number of a local date, whether or not the calendar covers it."""
        return (day - self._first).days


def derive_many(
    term: Term,
    received_at: Instants,
    rounds: Sequence[Round | Extended],
    columns: Columns,
    *,
    values: NDArray[np.int64] | None = None,
) -> Derived:
    """The due dates of clocks of one term, by services.sla.domain.running.run.

    `values` (if left out: the term's) are those of clocks whose terms differ in nothing else.
    """
    covered = columns.within(received_at)
    start, there = columns.from_opening(np.where(covered, received_at, columns.midnights[0]))
    covered &= there
    if term.cut_off is not None:
        following, late = columns.after_cut_off(received_at, term.cut_off)
        start = np.where(late, following, start)
        covered &= ~(late & (following == NO_END))
        start = np.where(covered, start, columns.opens[0])
    due_at, last_day, there = _due(term, term.value if values is None else values, start, columns)
    covered &= there
    paused = np.zeros(len(received_at), dtype=np.bool_)
    left = np.zeros(len(received_at), dtype=np.int64)
    for each in rounds:
        if isinstance(each, Extended):
            of = each.of
            in_time = each.at < due_at[of]
            due_at[of], there = columns.at(columns.worked(due_at[of]) + each.working_days * columns.standard_day)
            if last_day is not None:
                last_day[of] = columns.day(due_at[of])
            covered[of] &= in_time & there
            continue
        of, ends = each.of, each.end
        begin = np.maximum(each.start, start[of])
        stands = covered[of] & ~paused[of] & (begin < due_at[of]) & (ends > begin)
        unended = stands & (ends == NO_END)
        paused[of[unended]] = True
        left[of[unended]] = columns.worked(due_at[of[unended]]) - columns.worked(begin[unended])
        ended = stands & (ends != NO_END)
        of, begin, end = of[ended], begin[ended], ends[ended]
        reached = columns.within(end)
        if last_day is None:
            moved, there = columns.at(columns.worked(end) + columns.worked(due_at[of]) - columns.worked(begin))
        else:
            last_day[of] += columns.day(end) - columns.day(begin)
            place, there = columns.working_day(last_day[of])
            moved = columns.closing(place)
        due_at[of] = moved
        covered[of] &= reached & there
    return Derived(start, due_at, paused & covered, left, ~covered)


def _due(
    term: Term, value: int | NDArray[np.int64], start: Instants, columns: Columns
) -> tuple[Instants, NDArray[np.int64] | None, NDArray[np.bool_]]:
    """When the term ends without a pause, its last day (for calendar days alone), and where the calendar reaches."""
    if term.unit == "working_hour":
        return _walked(start, value * _HOUR, columns)
    if term.unit == "working_day" and term.counting == "by_hours":
        return _walked(start, value * columns.standard_day, columns)
    day = columns.day(start)
    if term.unit == "calendar_day":
        last_day = day + value
        place, there = columns.working_day(last_day)
        return columns.closing(place), last_day, there
    place, there = columns.working_day(day) if term.unit == "same_day" else columns.working_day_after(day, value)
    return columns.closing(place), None, there


def _walked(
    start: Instants, worked: int | NDArray[np.int64], columns: Columns
) -> tuple[Instants, None, NDArray[np.bool_]]:
    due_at, there = columns.at(columns.worked(start) + worked)
    return due_at, None, there


@lru_cache(maxsize=32)
def _dates(first: date, last: date, zone: ZoneInfo) -> tuple[Instants, NDArray[np.int64]]:
    """00:00 of each local date and of the one after the last, and by how much local time is ahead of UTC then.

    Kept, for calendars that are known in parts have these in common. Raises ValueError, see Columns.
    """
    days = [date.fromordinal(ordinal) for ordinal in range(first.toordinal(), last.toordinal() + 2)]
    midnights = instants([midnight(day, zone) for day in days])
    offsets = (np.arange(len(days)) + (first.toordinal() - EPOCH.toordinal())) * _DAY - midnights
    for changed in np.flatnonzero(np.diff(offsets)):
        again = datetime.combine(days[changed], time(0), zone).replace(fold=1).astimezone(UTC)
        if again > moment(midnights[changed]) and (again - MICROSECOND).astimezone(zone).date() < days[changed]:
            raise ValueError(f"in {zone} {days[changed]} begins twice")
    return midnights, offsets


def instants(moments: Sequence[datetime]) -> Instants:
    """Aware instants as a column."""
    return np.array([(moment - EPOCH) // MICROSECOND for moment in moments], dtype=np.int64)


def moment(at: int) -> datetime:
    """One of a column's instants."""
    return EPOCH + timedelta(microseconds=int(at))
