"""HTTP routes of the live views."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.ops.access import Viewer
from services.ops.views.clock import ViewClock
from services.ops.views.schemas import Arrivals, Messages, SpanQuery, Stages
from services.ops.views.store import ViewStore
from shared.kernel.errors import FieldError, InvalidContentError
from shared.service.problems import invalid_places
from shared.service.provided import provided

DEFAULT_SPAN = timedelta(hours=24)

Span = Annotated[SpanQuery, Query()]
Store = Annotated[ViewStore, Depends(provided(ViewStore))]
CentreClock = Annotated[ViewClock, Depends(provided(ViewClock))]

router = APIRouter(tags=["views"])


@router.get("/views/arrivals")
async def arrivals(_: Viewer, span: Span, store: Store, clock: CentreClock) -> Arrivals:
    """Count the dossiers that were submitted in the span, by competent department and by minute."""
    return store.arrivals(*resolve(span, clock.now()))


@router.get("/views/stages")
async def stages(_: Viewer, span: Span, store: Store, clock: CentreClock) -> Stages:
    """Return count, mean, median and 90th percentile of the time that dossiers were in each state.

    A stage is counted in the window in which it ended. Durations are elapsed time, not working time; pauses, in which
    the dossier waits for the applicant, are listed separately and not included in the stages.
    """
    return store.stages(*resolve(span, clock.now()))


@router.get("/views/messages")
async def messages(_: Viewer, span: Span, store: Store, clock: CentreClock) -> Messages:
    """Count the events about messages to applicants in the span, by channel and outcome (also planned messages)."""
    return store.messages(*resolve(span, clock.now()))


def resolve(span: SpanQuery, now: datetime) -> tuple[datetime, datetime]:
    """Return the start and end of the span that a request asks for.

    If only one is given, the other is a day from it. If none is given, the span is a day and ends a minute after `now`.
    Raises InvalidContentError if the start is not before the end, or if a default leaves the years 1 to 9999.
    """
    try:
        end = span.to or (span.from_ + DEFAULT_SPAN if span.from_ else now + timedelta(minutes=1))
        begin = span.from_ or end - DEFAULT_SPAN
    except OverflowError as error:
        detail = "The default span of a day leaves the years 1 to 9999. Send both `from` and `to`."
        raise _invalid("to" if span.to else "from", detail) from error
    if begin >= end:
        raise _invalid("from", "`from` must be before `to`.")
    return begin, end


def _invalid(parameter: str, detail: str) -> InvalidContentError:
    return invalid_places([FieldError(f"/query/{parameter}", detail)])
