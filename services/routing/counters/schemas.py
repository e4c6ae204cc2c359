"""Requests and responses about counters and their load."""

from datetime import date

from pydantic import BaseModel, Field

from services.routing.counters.handlers import SAMPLE_WEEKS, CentreLoad
from services.routing.domain.load import HourLoad, PlaceLoad
from services.routing.requests import LocalDate
from shared.contracts.envelope import Instant
from shared.kernel.centre import CounterKind
from shared.service.http import Body


class LoadQuery(Body):
    """The local date (today by default), the number of past weeks that the expectation is based on, and whether to
    assume that the open proposals are in force. For a later date, signed decisions are taken into account."""

    on: LocalDate | None = None
    weeks: int = Field(default=SAMPLE_WEEKS, ge=1, le=52)
    with_proposals: bool = False


class Window(BaseModel):
    """An opening window: it includes `opens` and not `closes`."""

    opens: Instant
    closes: Instant


class CounterView(BaseModel):
    """A counter on a date. `windows` is empty on a day off."""

    number: int
    kind: CounterKind
    department: str | None
    officers: int
    windows: list[Window]
    decision: str


class Counters(BaseModel):
    """Every counter of a local date, by number."""

    on: date
    counters: list[CounterView]


class HourView(BaseModel):
    """One local hour: dossiers expected and arrived, the minutes of the expected work, and those of the officers.

    `use` is the share of the officers' minutes that the expected work takes; null while no counter is open.
    """

    hour: int
    expected: float
    arrived: int
    work_minutes: float
    officer_minutes: float
    use: float | None

    @classmethod
    def of(cls, hour: HourLoad) -> "HourView":
        """The view of an hour."""
        return cls(
            hour=hour.hour,
            expected=round(hour.expected, 2),
            arrived=hour.arrived,
            work_minutes=round(hour.work, 1),
            officer_minutes=round(hour.minutes, 1),
            use=None if hour.use is None else round(hour.use, 3),
        )


class PlaceView(BaseModel):
    """A receiving place: the counters of a `department`, or of the general counter if it is null.

    `overloaded`: in some hour, the expected work takes more minutes than the officers have.
    """

    department: str | None
    receives_for: list[str]
    counters: tuple[int, ...]
    officers: int
    peak_hour: int | None
    peak_use: float | None
    overloaded: bool
    hours: list[HourView]

    @classmethod
    def of(cls, load: PlaceLoad) -> "PlaceView":
        """The view of a receiving place."""
        peak = load.peak
        return cls(
            department=load.department,
            receives_for=list(load.receives_for),
            counters=load.counters,
            officers=load.officers,
            peak_hour=None if peak is None else peak.hour,
            peak_use=None if peak is None or peak.use is None else round(peak.use, 3),
            overloaded=any(hour.work > hour.minutes for hour in load.hours),
            hours=[HourView.of(hour) for hour in load.hours],
        )


class Load(BaseModel):
    """Every receiving place of a local date, the general counter first.

    `sample_days` are the past days of the same weekday that the expectation is based on.
    """

    on: date
    sample_days: list[date]
    places: list[PlaceView]

    @classmethod
    def of(cls, load: CentreLoad, on: date) -> "Load":
        """The view of a centre's load."""
        return cls(on=on, sample_days=load.sample_days, places=[PlaceView.of(place) for place in load.places])
