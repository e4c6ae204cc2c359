"""Routes about clocks: a dossier's deadline, the due date of a receipt, and dossiers whose due date is missing."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query

from services.sla.calendars.in_force import calendar_of, follow
from services.sla.clocks import store
from services.sla.clocks.events import term_data, whole_seconds
from services.sla.clocks.handlers import require_visible
from services.sla.clocks.schemas import DeadlineView, DueDateView, WaitingDossier, WaitingDossiers
from services.sla.clocks.store import ClockRow
from services.sla.domain.clock import ClockChange, Deadline, derive, derive_by_catalogue
from services.sla.domain.terms import term_of
from services.sla.parameters import ClockReader, ProcessContext, Rules, scope_of
from shared.kernel.errors import DateOutsideCalendarError, ProcedureUnknownError
from shared.kernel.worktime import OutsideCalendarError
from shared.service.keys import Caller, Principal, require
from shared.service.paging import PageQuery, page_of
from shared.service.query import QueryInstant

routes = APIRouter()

Procedure = Annotated[str, Query(min_length=1, max_length=40, description="The procedure's code, such as 2.000488.")]
ReceivedAt = Annotated[
    QueryInstant | None,
    Query(description="With an offset, such as 2017-11-06T07:00:00+07:00; default: now."),
]


@routes.get("/due")
async def due_date(
    _: Caller, context: ProcessContext, rules: Rules, procedure: Procedure, received_at: ReceivedAt = None
) -> DueDateView:
    """Derive the due date that a dossier of this procedure would have, received at that instant. Stores nothing."""
    await follow(rules, context.pool)
    calendar, version = rules.calendar, rules.calendar_version
    received = received_at or context.clock.now()
    try:
        term = term_of(rules.centre, procedure, received)
        deadline = derive([ClockChange("received", received, received)], term, calendar)
    except ProcedureUnknownError as error:
        raise ProcedureUnknownError(error.detail, pointer="/query/procedure") from None
    except OutsideCalendarError as error:
        raise DateOutsideCalendarError(str(error), pointer="/query/received_at") from None
    return DueDateView(
        procedure=procedure,
        term=None if term is None else term_data(term),
        received_at=received,
        counted_from=deadline.counted_from,
        due_at=deadline.due_at,
        due_date=deadline.due_date,
        zone=calendar.rules.zone,
        calendar=calendar.rules.name,
        calendar_version=version,
        provisional=deadline.provisional,
        crosses_unconfirmed=deadline.crosses_unconfirmed,
    )


@routes.get("/dossiers/{dossier_id}/deadline")
async def deadline(who: ClockReader, context: ProcessContext, rules: Rules, dossier_id: UUID) -> DeadlineView:
    """Return a dossier's clock: its due date or remaining time, and whether it is overdue at the centre's time.

    The calendar in force applies; for an ended clock, the calendar version by which it ended.
    """
    row = require_visible(await store.find_clock(context.pool, dossier_id), scope_of(who, context))
    if row.procedure is None or row.received_at is None:
        return DeadlineView(
            dossier_id=dossier_id,
            dossier_sequence=row.dossier_sequence,
            generation=row.generation,
            state="not_received",
        )
    await follow(rules, context.pool)
    calendar = await calendar_of(rules, row.calendar_version if row.has_ended else rules.calendar_version)
    found = derive_by_catalogue(row.procedure, row.clock_changes(), rules.centre, calendar)
    has_steps = found.step > 1 or bool(rules.steps(row.procedure, row.received_at))
    return _view(row, found, context.clock.now(), found.step if has_steps else None)


@routes.get("/waiting")
async def waiting(
    _: Annotated[Principal, Depends(require("clerk", "leader", "ops", "auditor", "service"))],
    context: ProcessContext,
    page: Annotated[PageQuery, Query()],
) -> WaitingDossiers:
    """Return one page of dossiers whose due date cannot be derived until the catalogue or calendar is completed."""
    count = await store.count_waiting(context.pool)
    rows = await store.waiting(context.pool, after=page.after, limit=page.limit + 1)
    found = page_of(rows, page.limit, key=lambda row: row["dossier_id"], view=_waiting_view)
    return WaitingDossiers(count=count, items=found.items, next=found.next)


def _waiting_view(row: asyncpg.Record) -> WaitingDossier:
    return WaitingDossier.model_validate(dict(row))


def _view(row: ClockRow, found: Deadline, now: datetime, step: int | None) -> DeadlineView:
    in_days = found.remaining_days is not None
    return DeadlineView(
        dossier_id=row.key,
        dossier_sequence=row.dossier_sequence,
        generation=row.generation,
        state=found.state,
        waiting_for=found.waiting_for,
        procedure=row.procedure,
        term=None if found.term is None else term_data(found.term),
        received_at=found.received_at,
        counted_from=found.counted_from,
        due_at=found.due_at,
        due_date=found.due_date,
        remaining_working_seconds=None if in_days else whole_seconds(found.remaining),
        remaining_calendar_days=found.remaining_days,
        overdue=found.state != "ended" and found.due_at is not None and now > found.due_at,
        step=step,
        at_risk_since=_at_risk_since(row, found),
        ended_at=found.ended_at,
        outcome=found.outcome,
        provisional=found.provisional,
        crosses_unconfirmed=found.crosses_unconfirmed,
    )


def _at_risk_since(row: ClockRow, found: Deadline) -> datetime | None:
    """Return since when the present step and due date are at risk; None if that was not published.

    Also None without a due date, and after the clock's end.
    """
    if found.state == "ended" or found.due_at is None:
        return None
    present = ("at_risk", found.step, found.due_at)
    fired = row.fired_thresholds()
    return next((each.at for each in fired if (each.level, each.step, each.anchor_at) == present), None)
