"""Assign waiting dossiers at every start, when the catalogue may have changed."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog

from services.routing.assignments.handlers import AssignmentHandlers
from services.routing.assignments.store import DOSSIERS, AssignmentRow, waiting_keys
from shared.contracts.envelope import Actor
from shared.postgres.outbox import Cause
from shared.postgres.set_aside import SetAside
from shared.service.process import Context

WAITING_ASSIGNED = "waiting_dossiers_assigned"
_PAGE = 500

log = structlog.get_logger()


async def assign_waiting(context: Context, handlers: AssignmentHandlers) -> int:
    """Decide again about every dossier that waits, and return how many are assigned now. Commits page by page.

    If replicas start together, the later one waits for the row locks and finds nothing left to assign. Each event has
    the present centre time, because the assignment takes effect only now. A dossier that makes a page fail is set
    aside: it must not prevent the start.
    """
    assigned = 0
    after: UUID | None = None
    set_aside = SetAside(context.pool, table=DOSSIERS.name, worker="assign_waiting")
    while keys := await waiting_keys(context.pool, after=after, limit=_PAGE):
        assigned += await set_aside.process_keys(keys, partial(_assign, context, handlers))
        after = keys[-1]
    if assigned:
        log.info(WAITING_ASSIGNED, count=assigned, catalogue_version=context.centre.catalogue_version)
    return assigned


async def _assign(context: Context, handlers: AssignmentHandlers, keys: Sequence[UUID]) -> int:
    assigned = 0
    async with context.unit(DOSSIERS, keys) as (connection, unit):
        await handlers.signed.refresh_locked(connection)
        for key in keys:
            row = unit.row(key)
            if row.waiting_for is not None:
                cause = cause_of(row, context.centre.catalogue_version, context.clock.now())
                assigned += handlers.assign(row, unit, time=cause.recorded_at, cause=cause)
    return assigned


def cause_of(row: AssignmentRow, catalogue_version: str, now: datetime) -> Cause:
    """Build the cause of an assignment that the catalogue's version made possible.

    The id contains the row's sequence, so it is unique even if an older catalogue is used again.
    """
    reason = f"catalogue:{catalogue_version}"
    return Cause(
        id=f"{reason}:{row.key}:{row.sequence}",
        actor=Actor(kind="system", id="routing", role="service"),
        recorded_at=now,
        correlation=str(row.key),
        causation=reason,
    )
