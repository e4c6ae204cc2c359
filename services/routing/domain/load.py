"""What comes to the counters by the hour, against what their officers can take. Pure.

Work is measured in minutes: a dossier takes its procedure's mean time at the counter, an open counter gives the minutes
of its officers. An hour whose work exceeds its minutes leaves people waiting into the next one.
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
    """Dossiers of one department and procedure received in one local hour of one day."""

    department: str
    procedure: str
    day: date
    hour: int
    dossiers: int


@dataclass(slots=True)
class HourLoad:
    """One hour at a receiving place: dossiers and minutes of work expected, dossiers `arrived`, officers' `minutes`."""

    hour: int
    minutes: float = 0.0
    expected: float = 0.0
    work: float = 0.0
    arrived: int = 0

    @property
    def use(self) -> float | None:
        """The share of the officers' minutes that the work expected takes; None while nobody serves."""
        return self.work / self.minutes if self.minutes else None


@dataclass(frozen=True, slots=True)
class PlaceLoad:
    """A receiving place on a day: its counters, for whom it receives, and its hours in order."""

    department: str | None
    counters: tuple[int, ...]
    officers: int
    receives_for: tuple[str, ...]
    hours: tuple[HourLoad, ...] = field(default=())

    @property
    def peak(self) -> HourLoad | None:
        """The hour that is used most; None where nothing is open."""
        served = [hour for hour in self.hours if hour.use is not None]
        return max(served, key=lambda hour: hour.use or 0.0, default=None)


def windows_of(centre: Centre, counter: Counter, on: date, worktime: Worktime) -> list[tuple[datetime, datetime]]:
    """When a counter is open on a date: its own windows on a working day, or the centre's. None on a day off."""
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
    """How many serve at a counter; one where nothing is entered."""
    staffing = centre.staffing_of(counter.number, on)
    return 1 if staffing is None else staffing.officers


def minutes_by_hour(windows: Iterable[tuple[datetime, datetime]], zone: ZoneInfo) -> dict[int, float]:
    """How many minutes of each local hour lie in the windows."""
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
    """The load of a department's counters, or (`department` None) of the general counter, on a date.

    Expected is the mean of `past`, the arrivals of `sample_days` working days of the same weekday, for the departments
    that are received for. `today` is what has arrived there by hour. A procedure without a time at the counter (nothing
    is entered for any) counts with none, so `use` says nothing then.
    """
    numbers = centre.counters_on(on, "general" if department is None else "department", department)
    hours: dict[int, HourLoad] = {}
    officers = 0
    for number in numbers:
        counter = centre.counter(number, on)
        assert counter is not None  # it is one of those open on that date
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
