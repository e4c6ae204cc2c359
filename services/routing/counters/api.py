"""Routes about counters: opening windows, officers, and the expected load by the hour."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.routing.counters.handlers import compute_load
from services.routing.counters.schemas import Counters, CounterView, Load, LoadQuery, Window
from services.routing.domain.load import officers_of, windows_of
from services.routing.general_counter.store import SignedDecisions
from services.routing.requests import Calendar, OnQuery, ServiceContext, Today
from shared.kernel.centre import Centre, Counter
from shared.kernel.errors import DateOutsideCalendarError
from shared.kernel.worktime import OutsideCalendarError, Worktime
from shared.service.keys import Principal, require
from shared.service.provided import provided

Reader = Annotated[Principal, Depends(require("leader", "auditor", "clerk", "ops", "service"))]
Signed = Annotated[SignedDecisions, Depends(provided(SignedDecisions))]

router = APIRouter()


@router.get("/counters")
async def list_counters(
    _: Reader, query: Annotated[OnQuery, Query()], context: ServiceContext, calendar: Calendar, today: Today
) -> Counters:
    """List the counters that exist on a local date, with their opening windows and officers."""
    on, centre = query.on or today, context.centre
    worktime = await _worktime(context, calendar, on)
    counters = (centre.counter(number, on) for number in sorted(centre.counters))
    return Counters(
        on=on, counters=[_view(centre, counter, on, worktime) for counter in counters if counter is not None]
    )


@router.get("/counters/load")
async def read_load(
    _: Reader,
    query: Annotated[LoadQuery, Query()],
    context: ServiceContext,
    calendar: Calendar,
    signed: Signed,
    today: Today,
) -> Load:
    """Return each receiving place's load on a local date, by hour: expected work, officers' time, arrivals so far."""
    on = query.on or today
    worktime = await _worktime(context, calendar, on)
    load = await compute_load(context, signed, worktime, on, weeks=query.weeks, with_proposals=query.with_proposals)
    return Load.of(load, on)


async def _worktime(context: ServiceContext, calendar: Calendar, on: date) -> Worktime:
    found = await calendar.require(context.pool)
    try:
        found.worktime.is_working_day(on)
    except OutsideCalendarError as error:
        raise DateOutsideCalendarError(str(error), pointer="/query/on") from error
    return found.worktime


def _view(centre: Centre, counter: Counter, on: date, worktime: Worktime) -> CounterView:
    return CounterView(
        number=counter.number,
        kind=counter.kind,
        department=counter.department,
        officers=officers_of(centre, counter, on),
        windows=[Window(opens=opens, closes=closes) for opens, closes in windows_of(centre, counter, on, worktime)],
        decision=counter.decision,
    )
