"""The counters over HTTP: which are open when and by how many they are served, and what comes to them by the hour."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from services.routing import counter_store
from services.routing.counter import follow
from services.routing.domain.load import PlaceLoad, officers_of, place_load, windows_of
from services.routing.handlers import Routing
from services.routing.models import LocalDate, OnQuery
from shared.contracts.envelope import Instant, Role
from shared.kernel.centre import CounterKind
from shared.kernel.errors import ExpectedError
from shared.kernel.weeks import WEEK
from shared.kernel.worktime import OutsideCalendarError, Worktime, midnight
from shared.postgres.published_calendars import PublishedCalendar
from shared.service.http import Body
from shared.service.keys import Principal, require
from shared.service.process import Context

_READERS: tuple[Role, ...] = ("leader", "auditor", "clerk", "ops", "service")
_PAPER = ("counter", "post")
_DAY = timedelta(days=1)
_SAMPLED_WEEKS = 8

Reader = Annotated[Principal, Depends(require(*_READERS))]


class LoadQuery(Body):
    """On which local date (today if left out; a coming one shows what is signed for it), by how many past weeks, and
    whether as if the open proposals were in force."""

    on: LocalDate | None = None
    weeks: int = Field(default=_SAMPLED_WEEKS, ge=1, le=52)
    with_proposals: bool = False


class Window(BaseModel):
    """From `opens` (included) to `closes`."""

    opens: Instant
    closes: Instant


class CounterView(BaseModel):
    """A counter on a date. No `windows` on a day off."""

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
    """One local hour: dossiers `expected` and `arrived`, minutes that the expected work takes, officers' minutes, and
    the share of these that it takes (null while nobody serves)."""

    hour: int
    expected: float
    arrived: int
    work_minutes: float
    officer_minutes: float
    use: float | None


class PlaceView(BaseModel):
    """A receiving place: the counters of a `department`, or (null) the general counter, and for whom it receives.

    `overloaded`: in some hour more work is expected than its officers have minutes.
    """

    department: str | None
    receives_for: list[str]
    counters: tuple[int, ...]
    officers: int
    peak_hour: int | None
    peak_use: float | None
    overloaded: bool
    hours: list[HourView]


class Load(BaseModel):
    """Every receiving place of a local date, the general counter first. `sample_days` are the days of the same weekday
    that the expectation rests on."""

    on: date
    sample_days: list[date]
    places: list[PlaceView]


def router(context: Context, routing: Routing, calendar: PublishedCalendar) -> APIRouter:
    """The routes of one process."""
    routes = APIRouter()
    centre = context.centre

    async def worktime(on: date) -> Worktime:
        found = await calendar.require(context.pool)
        try:
            found.worktime.is_working_day(on)
        except OutsideCalendarError as error:
            raise ExpectedError("outside-calendar", str(error), status=422) from error
        return found.worktime

    @routes.get("/counters")
    async def counters(_: Reader, query: Annotated[OnQuery, Query()]) -> Counters:
        on = query.on or centre.local_date(context.clock.now())
        working = await worktime(on)
        found = []
        for number in sorted(centre.counters):
            counter = centre.counter(number, on)
            if counter is not None:
                found.append(
                    CounterView(
                        number=number,
                        kind=counter.kind,
                        department=counter.department,
                        officers=officers_of(centre, counter, on),
                        windows=[
                            Window(opens=opens, closes=closes)
                            for opens, closes in windows_of(centre, counter, on, working)
                        ],
                        decision=counter.decision,
                    )
                )
        return Counters(on=on, counters=found)

    @routes.get("/counters/load")
    async def load(_: Reader, query: Annotated[LoadQuery, Query()]) -> Load:
        """What is expected by the hour, from past weeks, against what the officers can take, and what has arrived."""
        on = query.on or centre.local_date(context.clock.now())
        working = await worktime(on)
        return await loads(context, routing, working, on, weeks=query.weeks, with_proposals=query.with_proposals)

    return routes


async def loads(
    context: Context,
    routing: Routing,
    working: Worktime,
    on: date,
    *,
    weeks: int,
    with_proposals: bool = False,
) -> Load:
    """Every receiving place's load on a date that the calendar covers."""
    centre, pool = context.centre, context.pool
    await follow(routing, pool)
    pooled = {row.code for row in centre.departments_on(on) if routing.decisions.pooling(row.code, on) is not None}
    if with_proposals:
        for proposal in await counter_store.proposals(pool, state="proposed"):
            (pooled.add if proposal.receiving == "general" else pooled.discard)(proposal.department)
    today = centre.local_date(context.clock.now())
    latest = min(on, today)
    same = [on - n * WEEK for n in range((on - latest).days // 7, (on - latest).days // 7 + weeks + 1)]
    began = await counter_store.began_on(pool) or today
    days = [day for day in same if began <= day < latest and _worked(working, day)][:weeks]
    rule = centre.pooling_rule(on)
    channels: Sequence[str] = _PAPER if rule is None else rule.channels
    past = []
    if days:
        past = await counter_store.arrivals_by_hour(pool, centre.zone, days, channels)
    arrived = await counter_store.arrivals_by_place(
        pool, centre.zone, midnight(on, centre.zone), midnight(on + _DAY, centre.zone), channels
    )
    places: list[tuple[str | None, list[str]]] = [(None, sorted(pooled))]
    places += [(row.code, [row.code]) for row in centre.departments_on(on) if row.code not in pooled]
    return Load(
        on=on,
        sample_days=sorted(days),
        places=[
            _view(
                place_load(
                    centre,
                    working,
                    on,
                    department=department,
                    receives_for=receives_for,
                    past=past,
                    sample_days=len(days) or 1,
                    today=arrived.get(department, {}),
                )
            )
            for department, receives_for in places
        ],
    )


def _worked(working: Worktime, day: date) -> bool:
    return working.first_date <= day <= working.last_date and working.is_working_day(day)


def _view(load: PlaceLoad) -> PlaceView:
    peak = load.peak
    return PlaceView(
        department=load.department,
        receives_for=list(load.receives_for),
        counters=load.counters,
        officers=load.officers,
        peak_hour=None if peak is None else peak.hour,
        peak_use=None if peak is None or peak.use is None else round(peak.use, 3),
        overloaded=any(hour.work > hour.minutes for hour in load.hours),
        hours=[
            HourView(
                hour=hour.hour,
                expected=round(hour.expected, 2),
                arrived=hour.arrived,
                work_minutes=round(hour.work, 1),
                officer_minutes=round(hour.minutes, 1),
                use=None if hour.use is None else round(hour.use, 3),
            )
            for hour in load.hours
        ],
    )


async def peak_use(context: Context, routing: Routing, calendar: PublishedCalendar) -> float:
    """The general counter's fullest hour within the coming seven days, as a share of its officers' minutes; 0 while
    nothing is known."""
    found = await calendar.read(context.pool)
    if found is None:
        return 0.0
    today = context.centre.local_date(context.clock.now())
    coming = [day for day in (today + n * _DAY for n in range(7)) if _worked(found.worktime, day)]
    uses = [
        (await loads(context, routing, found.worktime, day, weeks=_SAMPLED_WEEKS)).places[0].peak_use for day in coming
    ]
    return max((use for use in uses if use is not None), default=0.0)
