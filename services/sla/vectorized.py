"""Vectorised derivation of the due dates of many clocks of one term: for rehearsals and `motcua due --jsonl`.

The rules are those of `services.sla.domain`; a property test compares the two. Clocks that this module does not cover
(an extension during a pause or to a date, a calendar that ends too early) must be derived row by row, and so must all
clocks of a calendar with a year without working time.
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
"""The end of a present pause."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1) // MICROSECOND
_DAY = 24 * _HOUR


class PauseRound(NamedTuple):
    """One pause of each of several clocks: `of` are the clocks' indices, `start` and `end` (or NO_END) the instants.

    A clock occurs at most once in a round. Rounds are in time order; adjacent pauses are joined.
    """

    of: NDArray[np.int64]
    start: Instants
    end: Instants


class ExtensionRound(NamedTuple):
    """One extension by working days of each of several clocks, made while the clock runs.

    `of` are the clocks' indices; a clock occurs at most once in a round.
    """

    of: NDArray[np.int64]
    at: Instants
    working_days: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DerivedArrays:
    """Arrays of derived deadlines, in the order of the clocks.

    `due_at` is undefined for clocks that are `paused` or `not_covered`. `left` is the working time, in microseconds,
    that remains of a paused clock. A clock that is `not_covered` must be derived row by row.
    """

    counted_from: Instants
    due_at: Instants
    paused: NDArray[np.bool_]
    left: NDArray[np.int64]
    not_covered: NDArray[np.bool_]


class CalendarArrays:
    """A calendar's windows and dates as arrays, with vectorised working-time arithmetic.

    A date is represented by its day number: the days since the calendar's first date, which has 0. A working day is
    represented by its index among the calendar's working days.
    """

    def __init__(self, calendar: Calendar) -> None:
        """Build the arrays. Raises ValueError for a calendar that must be derived row by row.

        These are calendars without windows or with more than a year between two windows, and zones in which part of a
        date is repeated after the next date has begun.
        """
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
        """Return each instant's local date as days since the calendar's first date.

        Before the calendar it is -1; after the calendar, the number of the calendar's dates.
        """
        return np.searchsorted(self.midnights, at, side="right") - 1

    def within(self, at: Instants) -> NDArray[np.bool_]:
        """Return, for each instant, whether the calendar covers it; the end of its last date is covered."""
        found: NDArray[np.bool_] = (at >= self.midnights[0]) & (at <= self.midnights[-1])
        return found

    def worked(self, until: Instants) -> NDArray[np.int64]:
        """Return the working time from the start of the calendar until each instant, in microseconds."""
        opened = np.searchsorted(self.opens, until, side="right")
        last = np.maximum(opened - 1, 0)
        into = np.minimum(until, self._closes[last]) - self.opens[last]
        return np.where(opened > 0, self._worked[last] + into, 0)

    def at(self, worked: NDArray[np.int64]) -> tuple[Instants, NDArray[np.bool_]]:
        """Return the earliest instants by which this much working time (> 0) has passed since the calendar's start.

        The second array is False where the calendar has less working time; the instant is then meaningless.
        """
        place = np.searchsorted(self._worked, worked, side="left")
        exists = place < len(self._worked)
        place = np.where(exists, place, len(self._worked) - 1)
        return self._closes[place - 1] - (self._worked[place] - worked), exists

    def from_opening(self, at: Instants) -> tuple[Instants, NDArray[np.bool_]]:
        """Return each instant itself if it is in working time, else the start of the next window.

        The second array is False where the calendar has no next window; the instant is then meaningless.
        """
        place = np.searchsorted(self._closes, at, side="right")
        exists = place < len(self.opens)
        return np.maximum(at, self.opens[np.where(exists, place, 0)]), exists

    def working_day(self, day: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return, for each date, the index among the working days of the date itself or of the next working day.

        Dates are days since the calendar's first date. The second array is False where the calendar has no such working
        day, or does not cover the date; the index is then 0.
        """
        return self._place(day, np.searchsorted(self._working, day))

    def working_day_after(
        self, day: NDArray[np.int64], count: int | NDArray[np.int64] = 1
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return, for each date, the index among the working days of the `count`-th working day after it.

        Dates are days since the calendar's first date. The second array is False where the calendar has no such working
        day, or does not cover the date; the index is then 0.
        """
        return self._place(day, np.searchsorted(self._working, day, side="right") + (count - 1))

    def _place(self, day: NDArray[np.int64], place: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        exists = (place < len(self._working)) & (day >= 0) & (day < len(self.midnights) - 1)
        return np.where(exists, place, 0), exists

    def moved_off(self, day: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return each date itself if it is a working day, else the next working day, which the calendar must have.

        Dates are days since the calendar's first date.
        """
        place, _ = self.working_day(day)
        return self._working[place]

    def closing(self, place: NDArray[np.int64]) -> Instants:
        """Return the instants at which working days close; `place` has their indices among the working days."""
        return self._closings[place]

    def after_cut_off(self, received: Instants, cut_off: time) -> tuple[Instants, NDArray[np.bool_]]:
        """Return the start of the next working day after each receipt, and whether the receipt is after the cut-off.

        The second array is True only for a receipt on a working day. The start is NO_END if the calendar has no such
        day.
        """
        limits = self._limits(cut_off)
        day = self.day(received)
        inside = (day >= 0) & (day < len(limits))
        following, exists = self.working_day_after(np.where(inside, day, 0))
        place, _ = self.working_day(np.where(inside, day, 0))
        is_worked = inside & (self._working[place] == day)
        late = is_worked & (received > limits[np.where(inside, day, 0)])
        return np.where(exists, self._openings[following], NO_END), late

    def _limits(self, cut_off: time) -> Instants:
        """Return the cut-off's instant on every date of the calendar.

        Cached, because a rehearsal needs it for every group of clocks.
        """
        if cut_off not in self._cut_offs:
            days = range(len(self.midnights) - 1)
            self._cut_offs[cut_off] = instants([datetime.combine(self.date_of(n), cut_off, self._zone) for n in days])
        return self._cut_offs[cut_off]

    def date_of(self, number: int) -> date:
        """Return the local date that is `number` days after the calendar's first date."""
        return self._first + timedelta(days=number)

    def day_number(self, day: date) -> int:
        """Return the number of days from the calendar's first date to `day`, which may be outside the calendar."""
        return (day - self._first).days


def derive_vectorized(
    term: Term,
    received_at: Instants,
    rounds: Sequence[PauseRound | ExtensionRound],
    arrays: CalendarArrays,
    *,
    values: NDArray[np.int64] | None = None,
) -> DerivedArrays:
    """Derive the due dates of clocks of one term, equal to those of `services.sla.domain.term_run.run_term`.

    `received_at` and the results have one element per clock. `values` are the values of the clocks' terms, which differ
    in nothing else (default: the value of `term`).
    """
    covered = arrays.within(received_at)
    start, exists = arrays.from_opening(np.where(covered, received_at, arrays.midnights[0]))
    covered &= exists
    if term.cut_off is not None:
        following, late = arrays.after_cut_off(received_at, term.cut_off)
        start = np.where(late, following, start)
        covered &= ~(late & (following == NO_END))
        start = np.where(covered, start, arrays.opens[0])
    due_at, last_day, exists = _due(term, term.value if values is None else values, start, arrays)
    covered &= exists
    paused = np.zeros(len(received_at), dtype=np.bool_)
    left = np.zeros(len(received_at), dtype=np.int64)
    for each in rounds:
        if isinstance(each, ExtensionRound):
            of = each.of
            in_time = each.at < due_at[of]
            due_at[of], exists = arrays.at(arrays.worked(due_at[of]) + each.working_days * arrays.standard_day)
            if last_day is not None:
                last_day[of] = arrays.day(due_at[of])
            covered[of] &= in_time & exists
            continue
        of, ends = each.of, each.end
        begin = np.maximum(each.start, start[of])
        effective = covered[of] & ~paused[of] & (begin < due_at[of]) & (ends > begin)
        present = effective & (ends == NO_END)
        paused[of[present]] = True
        left[of[present]] = arrays.worked(due_at[of[present]]) - arrays.worked(begin[present])
        ended = effective & (ends != NO_END)
        of, begin, end = of[ended], begin[ended], ends[ended]
        reached = arrays.within(end)
        if last_day is None:
            moved, exists = arrays.at(arrays.worked(end) + arrays.worked(due_at[of]) - arrays.worked(begin))
        else:
            first = arrays.day(begin)
            last_day[of] = np.where(first > last_day[of], arrays.moved_off(last_day[of]), last_day[of])
            last_day[of] += arrays.day(end) - first
            place, exists = arrays.working_day(last_day[of])
            moved = arrays.closing(place)
        due_at[of] = moved
        covered[of] &= reached & exists
    return DerivedArrays(start, due_at, paused & covered, left, ~covered)


def _due(
    term: Term, value: int | NDArray[np.int64], start: Instants, arrays: CalendarArrays
) -> tuple[Instants, NDArray[np.int64] | None, NDArray[np.bool_]]:
    """Return the term's end without pauses, its last day (calendar days only), and whether the calendar covers it."""
    if term.unit == "working_hour":
        return _added(start, value * _HOUR, arrays)
    if term.unit == "working_day" and term.counting == "by_hours":
        return _added(start, value * arrays.standard_day, arrays)
    day = arrays.day(start)
    if term.unit == "calendar_day":
        last_day = day + value
        place, exists = arrays.working_day(last_day)
        return arrays.closing(place), last_day, exists
    place, exists = arrays.working_day(day) if term.unit == "same_day" else arrays.working_day_after(day, value)
    return arrays.closing(place), None, exists


def _added(
    start: Instants, worked: int | NDArray[np.int64], arrays: CalendarArrays
) -> tuple[Instants, None, NDArray[np.bool_]]:
    due_at, exists = arrays.at(arrays.worked(start) + worked)
    return due_at, None, exists


@lru_cache(maxsize=32)
def _dates(first: date, last: date, zone: ZoneInfo) -> tuple[Instants, NDArray[np.int64]]:
    """Return 00:00 of each local date and of the date after the last, and the UTC offset then, in microseconds.

    Cached: calendars as known at different instants share the arrays. Raises ValueError if part of a date is repeated
    after the next date has begun.
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
    """Convert aware datetimes to an array of instants, in microseconds since 1970."""
    return np.array([(moment - EPOCH) // MICROSECOND for moment in moments], dtype=np.int64)


def moment(at: int) -> datetime:
    """Convert one element of an array of instants, in microseconds since 1970, to a datetime in UTC."""
    return EPOCH + timedelta(microseconds=int(at))
