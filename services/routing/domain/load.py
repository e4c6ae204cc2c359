"""The hourly load of the counters: the work expected, against the time of their officers.

Work is measured in minutes. A dossier takes its procedure's mean time at the counter; an open counter supplies the
minutes of its officers. If the work of an hour exceeds them, applicants still wait in the next hour.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.kernel.centre import Centre, Counter
from shared.kernel.worktime import Worktime

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The number of dossiers of one department and procedure that were received in one local hour of one day."""

    department: str
    procedure: str
    day: date
    hour: int
    dossiers: int


@dataclass(slots=True)
class HourLoad:
    """One local hour of a day at a receiving place.

    `expected` dossiers take `work` minutes; `minutes` is the time that the officers have; `arrived` counts the dossiers
    that were received so far.
    """

    hour: int
    minutes: float = 0.0
    expected: float = 0.0
    work: float = 0.0
    arrived: int = 0

    @property
    def use(self) -> float | None:
        """The share of the officers' minutes that the expected work takes; None if no counter is open in the hour."""
        return self.work / self.minutes if self.minutes else None


@dataclass(frozen=True, slots=True)
class PlaceLoad:
    """A receiving place on a day: its counters, the departments for which it receives, and its hours in order.

    `department` is None for the general counter.
    """

    department: str | None
    counters: tuple[int, ...]
    officers: int
    receives_for: tuple[str, ...]
    hours: tuple[HourLoad, ...] = field(default=())

    @property
    def peak(self) -> HourLoad | None:
        """The hour with the highest use; None if no counter is open."""
        served = [hour for hour in self.hours if hour.use is not None]
        return max(served, key=lambda hour: hour.use or 0.0, default=None)


def windows_of(centre: Centre, counter: Counter, on: date, worktime: Worktime) -> list[tuple[datetime, datetime]]:
    """The opening windows of a counter on a date: its own in staffing.csv, or else the calendar's. Empty on a day off.

    Raises OutsideCalendarError.
    """
    if not worktime.is_working_day(on):
        return []
    staffing = centre.staffing_of(counter.number, on)
    if staffing is None or not staffing.windows:
        return list(worktime.windows_on(on))
    return [
        (datetime.combine(on, window.opens, centre.zone), datetime.combine(on, window.closes, centre.zone))
        for window in staffing.windows
    ]


def officers_of(centre: Centre, counter: Counter, on: date) -> int:
    """The number of officers at a counter on a date; one if staffing.csv has no entry for it."""
    staffing = centre.staffing_of(counter.number, on)
    return 1 if staffing is None else staffing.officers


def minutes_by_hour(windows: Iterable[tuple[datetime, datetime]], zone: ZoneInfo) -> dict[int, float]:
    """The minutes inside the windows, by local hour (0 to 23). Hours outside all windows are absent."""
    found: dict[int, float] = {}
    for opens, closes in windows:
        at = opens
        while at < closes:
            local = at.astimezone(zone)
            until = min(closes, local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
            found[local.hour] = found.get(local.hour, 0.0) + (until - at) / _MINUTE
            at = until
    return found


def place_load(
    centre: Centre,
    worktime: Worktime,
    on: date,
    *,
    department: str | None,
    receives_for: Iterable[str],
    past: Iterable[Arrivals],
    sample_days: int,
    today: Mapping[int, int],
) -> PlaceLoad:
    """Compute the load on a date of a department's counters, or of the general counter (`department` None).

    `past` are the arrivals of `sample_days` working days of the same weekday. Those of the departments in
    `receives_for`, divided by `sample_days`, are the expected dossiers. `today` is the number of dossiers that arrived
    on the date, by hour. A procedure that is not in service_times.csv adds no work, so `use` means nothing if that file
    is empty. Raises OutsideCalendarError.
    """
    numbers = centre.counters_on(on, "general" if department is None else "department", department)
    hours: dict[int, HourLoad] = {}
    officers = 0
    for number in numbers:
        counter = centre.counter(number, on)
        assert counter is not None, "counters_on lists only counters of that date"
        staff = officers_of(centre, counter, on)
        officers += staff
        for hour, minutes in minutes_by_hour(windows_of(centre, counter, on, worktime), centre.zone).items():
            hours.setdefault(hour, HourLoad(hour)).minutes += minutes * staff
    received = tuple(receives_for)
    for arrivals in past:
        if arrivals.department in received:
            one = hours.setdefault(arrivals.hour, HourLoad(arrivals.hour))
            one.expected += arrivals.dossiers / sample_days
            time = centre.service_time(arrivals.procedure, on)
            one.work += arrivals.dossiers / sample_days * (0.0 if time is None else time.mean_minutes)
    for hour, count in today.items():
        hours.setdefault(hour, HourLoad(hour)).arrived += count
    return PlaceLoad(department, numbers, officers, received, tuple(hours[hour] for hour in sorted(hours)))
