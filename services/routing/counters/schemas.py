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
    """The local date `on` of the load (today by default), and how to compute the expected dossiers.

    `weeks` is the largest number of past weeks to use. With `with_proposals`, the open proposals count as if they were
    in force. Signed decisions count from their date on in any case.
    """

    on: LocalDate | None = None
    weeks: int = Field(default=SAMPLE_WEEKS, ge=1, le=52)
    with_proposals: bool = False


class Window(BaseModel):
    """An opening window of a counter, from `opens` to just before `closes`."""

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
    """Every counter that exists on a local date, in the order of their numbers."""

    on: date
    counters: list[CounterView]


class HourView(BaseModel):
    """One local hour at a receiving place: dossiers expected and arrived, minutes of expected work and of officers.

    `use` is the share of the officers' minutes that the expected work takes; null if no counter is open in that hour.
    """

    hour: int
    expected: float
    arrived: int
    work_minutes: float
    officer_minutes: float
    use: float | None

    @classmethod
    def of(cls, hour: HourLoad) -> "HourView":
        """Build the view of an hour, with rounded numbers."""
        return cls(
            hour=hour.hour,
            expected=round(hour.expected, 2),
            arrived=hour.arrived,
            work_minutes=round(hour.work, 1),
            officer_minutes=round(hour.minutes, 1),
            use=None if hour.use is None else round(hour.use, 3),
        )


class PlaceView(BaseModel):
    """The load of a receiving place: of the counters of `department`, or of the general counter if that is null.

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
        """Build the view of a receiving place, with rounded numbers."""
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
    """The load of every receiving place on a local date, the general counter first.

    `sample_days` are the past days of the same weekday from which the expected dossiers were computed.
    """

    on: date
    sample_days: list[date]
    places: list[PlaceView]

    @classmethod
    def of(cls, load: CentreLoad, on: date) -> "Load":
        """Build the view of a centre's load on the local date `on`."""
        return cls(on=on, sample_days=load.sample_days, places=[PlaceView.of(place) for place in load.places])
