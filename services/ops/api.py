"""ops over HTTP, for programs: the live views and the lag."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.ops.report import LagReport
from services.ops.sampler import Sampler
from services.ops.views import Arrivals, Messages, Stages, Views
from shared.contracts.envelope import Role
from shared.kernel.errors import ExpectedError, FieldError, Refusal, TransientError
from shared.service.keys import Principal, require
from shared.service.query import QueryInstant

WATCHERS: tuple[Role, ...] = ("ops", "leader", "auditor")
"""Who may look at the centre as a whole; nothing here is about one dossier or person."""
DEFAULT_SPAN = timedelta(hours=24)

Watching = Annotated[Principal, Depends(require(*WATCHERS))]


class SpanQuery(BaseModel):
    """Windows that begin at or after `from` and before `to`, by the events' own time; the last day if left out."""

    model_config = ConfigDict(extra="forbid")

    from_: QueryInstant | None = Field(default=None, alias="from")
    to: QueryInstant | None = None


Spanned = Annotated[SpanQuery, Query()]


def span(query: SpanQuery, now: datetime) -> tuple[datetime, datetime]:
    """Begin and end. Raises Refusal where it does not begin before it ends, or leaves the years 1 to 9999."""
    try:
        end = query.to or (query.from_ + DEFAULT_SPAN if query.from_ else now + timedelta(minutes=1))
        begin = query.from_ or end - DEFAULT_SPAN
    except OverflowError as error:
        given = "to" if query.to else "from"
        raise _wrong(given, "leaves no room for a day within the years 1 to 9999: name both ends") from error
    if begin >= end:
        raise _wrong("from", "must be before `to`")
    return begin, end


def _wrong(parameter: str, detail: str) -> Refusal:
    fault = FieldError(pointer=f"/query/{parameter}", detail=detail)
    return ExpectedError("invalid-content", "1 place is wrong; see errors", status=422, errors=[fault])


def router(views: Views, sampler: Sampler, *, now: Callable[[], datetime]) -> APIRouter:
    """The routes of one process; `now` is centre time."""
    routes = APIRouter()

    @routes.get("/views/arrivals")
    async def arrivals(_: Watching, query: Spanned) -> Arrivals:
        return views.arrivals(*span(query, now()))

    @routes.get("/views/stages")
    async def stages(_: Watching, query: Spanned) -> Stages:
        return views.stages(*span(query, now()))

    @routes.get("/views/messages")
    async def messages(_: Watching, query: Spanned) -> Messages:
        return views.messages(*span(query, now()))

    @routes.get("/lag")
    async def lag(_: Watching) -> LagReport:
        report = sampler.report()
        if report is None:
            raise TransientError(sampler.reason or "nothing has been read yet")
        return report

    return routes
