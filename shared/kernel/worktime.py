"""Evaluates a compiled calendar by binary search: how much working time lies where. It knows no calendar's rules."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.kernel.errors import MotcuaError

_NOTHING = timedelta(0)
LONGEST_GAP = timedelta(days=366)
"""Working time that does not come within this is not waited for: such a calendar is a mistake."""


class OutsideCalendarError(MotcuaError):
    """The calendar says nothing about that time; nothing is guessed."""

    def __init__(self, calendar: str, first_date: date, last_date: date, asked: str) -> None:
        super().__init__(f"calendar {calendar} covers {first_date} to {last_date}; {asked} lies outside")
        self.calendar = calendar
        self.first_date = first_date
        self.last_date = last_date
        self.asked = asked


class NoWorkingTimeError(OutsideCalendarError):
    """The calendar covers that time and has no working window for more than 366 days; none is looked for beyond."""

    def __init__(self, calendar: str, first_date: date, last_date: date, asked: str) -> None:
        super().__init__(calendar, first_date, last_date, asked)
        self.args = (f"calendar {calendar} has no working window within {LONGEST_GAP.days} days of {asked}",)


class Worktime:
    """The windows of working time of one calendar over the span that it covers.

    A window includes its start and not its end. Instants are aware; answers are in UTC. Every method raises
    OutsideCalendarError where the answer, or what it is asked about, lies outside the span; one that looks for working
    time ahead raises NoWorkingTimeError where none comes within 366 days.
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
        """From parallel lists of UTC epoch seconds, as `calendar.published` carries them.

        Raises ValueError unless the windows are ascending, apart from each other and inside the span.
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
        self._worked = [_NOTHING]  # working time before window i; the last entry is the span's whole
        self.working_days: list[date] = []
        self._first_windows: list[int] = []  # of working day i
        self._gaps: list[int] = []  # windows that open more than LONGEST_GAP after the one before; hardly ever any
        for place, (opening, closing) in enumerate(zip(self.opens, self.closes, strict=True)):
            if not edges[-1] <= opening < closing <= self.ends_at:
                window = f"from {self._told(opening)} to {self._told(closing)}"
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
        """The calendar's date at an instant; answers outside the span, too, since no window is asked for."""
        return instant.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """24:00 of a local date; answers outside the span, too."""
        return midnight(day + timedelta(days=1), self.zone)

    def is_working_day(self, day: date) -> bool:
        """Whether the date has working time at all."""
        self._require_day(day)
        place = bisect_left(self.working_days, day)
        return place < len(self.working_days) and self.working_days[place] == day

    def working_day_from(self, day: date) -> date:
        """The date itself if it is a working day, otherwise the next one that is."""
        self._require_day(day)
        return self._working_day(bisect_left(self.working_days, day), day)

    def working_day_after(self, day: date, count: int = 1) -> date:
        """The `count`-th working day after a date, which itself is not counted."""
        self._require_day(day)
        return self._working_day(bisect_right(self.working_days, day) + count - 1, day)

    def working_day_before(self, day: date, count: int = 1) -> date:
        """The `count`-th working day before a date, which itself is not counted."""
        self._require_day(day)
        return self._working_day(bisect_left(self.working_days, day) - count, day)

    def opening(self, day: date) -> datetime:
        """When the working day's first window opens. Raises ValueError for a date without working time."""
        return self.opens[self._first_windows[self._place(day)]]

    def closing(self, day: date) -> datetime:
        """When the working day's last window closes. Raises ValueError for a date without working time."""
        following = self._place(day) + 1
        last = self._first_windows[following] if following < len(self._first_windows) else len(self.closes)
        return self.closes[last - 1]

    def windows_on(self, day: date) -> Sequence[tuple[datetime, datetime]]:
        """The windows that open on a local date, in order; none on a day off."""
        self._require_day(day)
        first, last = (bisect_left(self.opens, midnight(each, self.zone)) for each in (day, day + timedelta(days=1)))
        return list(zip(self.opens[first:last], self.closes[first:last], strict=True))

    def from_opening(self, instant: datetime) -> datetime:
        """The instant itself if it lies in working time, otherwise the start of the next window."""
        moment = self._require(instant)
        place = bisect_right(self.closes, moment)
        if place == len(self.opens):
            raise self._beyond(f"the next window after {self._told(moment)}", moment)
        if self._gaps:
            self._require_no_gap(moment, place, self._told(moment))
        opening = self.opens[place]
        return opening if moment < opening else moment

    def elapsed(self, start: datetime, end: datetime) -> timedelta:
        """The working time from `start` to `end`; negative if they stand the other way round."""
        return self._worked_until(self._require(end)) - self._worked_until(self._require(start))

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The earliest instant by which `duration` of working time has passed since `start`.

        So an end exactly on a closing time stays there. Raises ValueError for a negative duration.
        """
        moment = self._require(start)
        if duration <= _NOTHING:
            return self._unmoved(moment, duration)
        target = self._worked_until(moment) + duration
        place = bisect_left(self._worked, target)
        if place == len(self._worked):
            raise self._beyond(f"{duration} of working time after {self._told(moment)}", moment)
        if self._gaps:
            self._require_no_gap(moment, place - 1, self._told(moment))
        return self.closes[place - 1] - (self._worked[place] - target)

    def back(self, end: datetime, duration: timedelta) -> datetime:
        """The latest instant from which `duration` of working time is left until `end`.

        So a start exactly on an opening time stays there. Raises ValueError for a negative duration.
        """
        moment = self._require(end)
        if duration <= _NOTHING:
            return self._unmoved(moment, duration)
        target = self._worked_until(moment) - duration
        if target < _NOTHING:
            raise self._outside(f"{duration} of working time before {self._told(moment)}")
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

    def _working_day(self, place: int, asked: date) -> date:
        if place < 0:
            raise self._outside(f"a working day counted from {asked}")
        if place >= len(self.working_days):
            raise self._beyond(f"a working day counted from {asked}", midnight(asked, self.zone))
        if self._gaps:
            self._require_no_gap(midnight(asked, self.zone), self._first_windows[place], asked.isoformat())
        return self.working_days[place]

    def _require_no_gap(self, moment: datetime, place: int, asked: str) -> None:
        """Refuse a way ahead from a moment to a window that crosses more than LONGEST_GAP without working time."""
        first = bisect_right(self.closes, moment)
        if first > place:
            return
        if self.opens[first] - moment > LONGEST_GAP:
            raise NoWorkingTimeError(self.name, self.first_date, self.last_date, asked)
        for gap in self._gaps:
            if first < gap <= place:
                closed = self._told(self.closes[gap - 1])
                raise NoWorkingTimeError(self.name, self.first_date, self.last_date, closed)

    def _beyond(self, asked: str, moment: datetime) -> OutsideCalendarError:
        """What to raise where no window is left: the span ends, or it has had no working time for too long."""
        since = max(moment, self.closes[-1]) if self.closes else moment
        if self.ends_at - since > LONGEST_GAP:
            return NoWorkingTimeError(self.name, self.first_date, self.last_date, self._told(since))
        return self._outside(asked)

    def _place(self, day: date) -> int:
        place = bisect_left(self.working_days, day)
        if place == len(self.working_days) or self.working_days[place] != day:
            raise ValueError(f"calendar {self.name}: {day} is not a working day")
        return place

    def _require(self, instant: datetime) -> datetime:
        moment = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
        if not self.starts_at <= moment <= self.ends_at:
            raise self._outside(self._told(moment))
        return moment

    def _require_day(self, day: date) -> None:
        if not self.first_date <= day <= self.last_date:
            raise self._outside(day.isoformat())

    def _told(self, instant: datetime) -> str:
        return told_in(self.zone, instant)

    def _outside(self, asked: str) -> OutsideCalendarError:
        return OutsideCalendarError(self.name, self.first_date, self.last_date, asked)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """00:00 of a local date, in UTC."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def told_in(zone: ZoneInfo, instant: datetime) -> str:
    """An instant for a sentence, in that zone; as it is at the ends of time, which the zone may lie beyond."""
    try:
        return instant.astimezone(zone).isoformat()
    except OverflowError:
        return instant.isoformat()
