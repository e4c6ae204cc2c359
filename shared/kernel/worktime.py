"""Arithmetic with the working time of a compiled calendar, by binary search over its windows.

The module has no calendar rules: it works on the windows that were compiled from them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.kernel.errors import MotcuaError

_NOTHING = timedelta(0)
LONGEST_GAP = timedelta(days=366)
"""A calendar without working time for longer than this is considered a mistake."""


class OutsideCalendarError(MotcuaError):
    """An instant or date of a computation is outside the dates that the calendar covers."""

    def __init__(self, calendar: str, first_date: date, last_date: date, subject: str) -> None:
        super().__init__(f"calendar {calendar} covers {first_date} to {last_date}; {subject} is outside")
        self.calendar = calendar
        self.first_date = first_date
        self.last_date = last_date
        self.subject = subject


class NoWorkingTimeError(OutsideCalendarError):
    """An instant is followed by more than 366 days without working time within the dates that the calendar covers."""

    def __init__(self, calendar: str, first_date: date, last_date: date, subject: str) -> None:
        super().__init__(calendar, first_date, last_date, subject)
        self.args = (f"calendar {calendar} has no working window within {LONGEST_GAP.days} days of {subject}",)


class Worktime:
    """The windows of working time of one calendar, from the start of `first_date` to the end of `last_date` (its span).

    A window includes its start but not its end. Instant arguments are aware, and returned instants are in UTC. Unless
    stated otherwise, methods raise OutsideCalendarError if an argument or the result is outside the span, and
    NoWorkingTimeError (a subclass) if a search forward passes more than 366 days without working time.
    """

    __slots__ = (
        "_first_windows",
        "_gaps",
        "_worked",
        "closes",
        "ends_at",
        "first_date",
        "last_date",
        "name",
        "opens",
        "starts_at",
        "working_days",
        "zone",
    )

    def __init__(
        self, *, name: str, zone: str, first_date: date, last_date: date, opens: Sequence[int], closes: Sequence[int]
    ) -> None:
        """Index the windows of working time: `opens` and `closes` are parallel lists of UTC epoch seconds.

        They are the data of a `calendar.published` event. Raises ValueError unless the windows are ascending, do not
        overlap and are within the span.
        """
        self.name = name
        self.zone = ZoneInfo(zone)
        self.first_date = first_date
        self.last_date = last_date
        self.starts_at = midnight(first_date, self.zone)
        self.ends_at = midnight(last_date + timedelta(days=1), self.zone)
        self.opens = tuple(datetime.fromtimestamp(second, UTC) for second in opens)
        self.closes = tuple(datetime.fromtimestamp(second, UTC) for second in closes)
        edges = [self.starts_at]
        self._worked = [_NOTHING]  # working time before window i; the last entry is the total
        self.working_days: list[date] = []
        self._first_windows: list[int] = []  # of working day i
        self._gaps: list[int] = []  # windows that open more than LONGEST_GAP after the previous one; usually empty
        for place, (opening, closing) in enumerate(zip(self.opens, self.closes, strict=True)):
            if not edges[-1] <= opening < closing <= self.ends_at:
                window = f"from {self._format(opening)} to {self._format(closing)}"
                raise ValueError(f"calendar {name}: the window {window} is out of order")
            if opening - edges[-1] > LONGEST_GAP:
                self._gaps.append(place)
            edges.append(closing)
            self._worked.append(self._worked[-1] + (closing - opening))
            day = self.local_date(opening)
            if not self.working_days or self.working_days[-1] != day:
                self.working_days.append(day)
                self._first_windows.append(place)

    def local_date(self, instant: datetime) -> date:
        """The date in the calendar's zone at an instant. Also works outside the span."""
        return instant.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """The instant at which a local date ends (24:00 in the calendar's zone). Also works outside the span."""
        return midnight(day + timedelta(days=1), self.zone)

    def is_working_day(self, day: date) -> bool:
        """Whether a window opens on the local date `day`."""
        self._require_day(day)
        place = bisect_left(self.working_days, day)
        return place < len(self.working_days) and self.working_days[place] == day

    def working_day_from(self, day: date) -> date:
        """`day` itself if it is a working day, otherwise the next working day."""
        self._require_day(day)
        return self._working_day(bisect_left(self.working_days, day), day)

    def working_day_after(self, day: date, count: int = 1) -> date:
        """The `count`-th working day after `day`; `day` itself does not count."""
        self._require_day(day)
        return self._working_day(bisect_right(self.working_days, day) + count - 1, day)

    def working_day_before(self, day: date, count: int = 1) -> date:
        """The `count`-th working day before `day`; `day` itself does not count."""
        self._require_day(day)
        return self._working_day(bisect_left(self.working_days, day) - count, day)

    def opening(self, day: date) -> datetime:
        """The instant at which the first window of a local date opens. Raises ValueError if the date has no window."""
        return self.opens[self._first_windows[self._place(day)]]

    def closing(self, day: date) -> datetime:
        """The instant at which the last window of a local date closes. Raises ValueError if the date has no window."""
        following = self._place(day) + 1
        last = self._first_windows[following] if following < len(self._first_windows) else len(self.closes)
        return self.closes[last - 1]

    def windows_on(self, day: date) -> Sequence[tuple[datetime, datetime]]:
        """The windows that open on a local date, as (opening, closing) in time order; empty if there is none."""
        self._require_day(day)
        first, last = (bisect_left(self.opens, midnight(each, self.zone)) for each in (day, day + timedelta(days=1)))
        return list(zip(self.opens[first:last], self.closes[first:last], strict=True))

    def from_opening(self, instant: datetime) -> datetime:
        """`instant` itself if it is in working time, otherwise the start of the next window."""
        moment = self._require(instant)
        place = bisect_right(self.closes, moment)
        if place == len(self.opens):
            raise self._beyond(f"the next window after {self._format(moment)}", moment)
        if self._gaps:
            self._require_no_gap(moment, place, self._format(moment))
        opening = self.opens[place]
        return opening if moment < opening else moment

    def is_working_time(self, instant: datetime) -> bool:
        """Whether an instant is in a window, or is the closing time of one."""
        moment = self._require(instant)
        place = bisect_right(self.opens, moment) - 1
        return place >= 0 and moment <= self.closes[place]

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """The working time between `start` and `end`; negative if `end` is earlier."""
        return self._worked_until(self._require(end)) - self._worked_until(self._require(start))

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The earliest instant by which `duration` of working time has passed since `start`.

        If that is a closing time, it is returned as it is, not moved to the next opening. A `duration` of 0 returns
        `start`. Raises ValueError for a negative duration.
        """
        moment = self._require(start)
        if duration <= _NOTHING:
            return self._unmoved(moment, duration)
        target = self._worked_until(moment) + duration
        place = bisect_left(self._worked, target)
        if place == len(self._worked):
            raise self._beyond(f"{duration} of working time after {self._format(moment)}", moment)
        if self._gaps:
            self._require_no_gap(moment, place - 1, self._format(moment))
        return self.closes[place - 1] - (self._worked[place] - target)

    def back(self, end: datetime, duration: timedelta) -> datetime:
        """The latest instant from which `duration` of working time remains until `end`.

        If that is an opening time, it is returned as it is, not moved to the previous closing. A `duration` of 0
        returns `end`. Raises ValueError for a negative duration.
        """
        moment = self._require(end)
        if duration <= _NOTHING:
            return self._unmoved(moment, duration)
        target = self._worked_until(moment) - duration
        if target < _NOTHING:
            raise self._outside(f"{duration} of working time before {self._format(moment)}")
        place = bisect_right(self._worked, target) - 1
        return self.opens[place] + (target - self._worked[place])

    def _worked_until(self, moment: datetime) -> timedelta:
        opened = bisect_right(self.opens, moment)
        if not opened:
            return _NOTHING
        if moment >= self.closes[opened - 1]:
            return self._worked[opened]
        return self._worked[opened - 1] + (moment - self.opens[opened - 1])

    def _unmoved(self, moment: datetime, duration: timedelta) -> datetime:
        if duration < _NOTHING:
            raise ValueError(f"{duration} is negative")
        return moment

    def _working_day(self, place: int, start: date) -> date:
        if place < 0:
            raise self._outside(f"a working day counted from {start}")
        if place >= len(self.working_days):
            raise self._beyond(f"a working day counted from {start}", midnight(start, self.zone))
        if self._gaps:
            self._require_no_gap(midnight(start, self.zone), self._first_windows[place], start.isoformat())
        return self.working_days[place]

    def _require_no_gap(self, moment: datetime, place: int, subject: str) -> None:
        """Raises NoWorkingTimeError if more than LONGEST_GAP without working time is between `moment` and a window.

        `place` is the index of the window; `subject` describes `moment` in the message.
        """
        first = bisect_right(self.closes, moment)
        if first > place:
            return
        if self.opens[first] - moment > LONGEST_GAP:
            raise NoWorkingTimeError(self.name, self.first_date, self.last_date, subject)
        for gap in self._gaps:
            if first < gap <= place:
                closed = self._format(self.closes[gap - 1])
                raise NoWorkingTimeError(self.name, self.first_date, self.last_date, closed)

    def _beyond(self, subject: str, moment: datetime) -> OutsideCalendarError:
        """Return the error of a search forward from `moment` that finds no further window.

        It is NoWorkingTimeError if the span continues for more than LONGEST_GAP after the last window and `moment`,
        otherwise OutsideCalendarError about `subject`.
        """
        since = max(moment, self.closes[-1]) if self.closes else moment
        if self.ends_at - since > LONGEST_GAP:
            return NoWorkingTimeError(self.name, self.first_date, self.last_date, self._format(since))
        return self._outside(subject)

    def _place(self, day: date) -> int:
        place = bisect_left(self.working_days, day)
        if place == len(self.working_days) or self.working_days[place] != day:
            raise ValueError(f"calendar {self.name}: {day} is not a working day")
        return place

    def _require(self, instant: datetime) -> datetime:
        moment = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
        if not self.starts_at <= moment <= self.ends_at:
            raise self._outside(self._format(moment))
        return moment

    def _require_day(self, day: date) -> None:
        if not self.first_date <= day <= self.last_date:
            raise self._outside(day.isoformat())

    def _format(self, instant: datetime) -> str:
        return format_instant(self.zone, instant)

    def _outside(self, subject: str) -> OutsideCalendarError:
        return OutsideCalendarError(self.name, self.first_date, self.last_date, subject)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which a local date begins in a zone."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def format_instant(zone: ZoneInfo, instant: datetime) -> str:
    """Return the instant as ISO 8601 text in a zone; without conversion if that would leave the years 1 to 9999."""
    try:
        return instant.astimezone(zone).isoformat()
    except OverflowError:
        return instant.isoformat()
