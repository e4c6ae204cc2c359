"""Dossiers that waited for the catalogue flow on once it knows: looked through at every start."""

from datetime import datetime
from uuid import UUID

import structlog

from services.routing.counter import follow_for_dossiers
from services.routing.handlers import Routing
from services.routing.store import DOSSIERS, RoutedDossier, undecided
from shared.contracts.envelope import Actor
from shared.postgres.outbox import Cause
from shared.service.process import Context

WAITING_DECIDED = "waiting_dossiers_decided"
_PAGE = 500

log = structlog.get_logger()


async def decide_waiting(context: Context, routing: Routing) -> int:
    """Assign every undecided dossier that this configuration can; gives their number. Commits a page at a time.

    Replicas that start together meet at the row locks: the later one finds nothing left to decide. The event's time is
    the present, for only now is it true.
    """
    decided = 0
    after: UUID | None = None
    while keys := await undecided(context.pool, after=after, limit=_PAGE):
        async with context.unit(DOSSIERS, keys) as (connection, unit):
            await follow_for_dossiers(routing, connection)
            for key in keys:
                row = unit.row(key)
                if row.waiting_for is not None:
                    cause = cause_of(row, context.centre.catalogue_version, context.clock.now())
                    decided += routing.assign(row, unit, time=cause.recorded_at, cause=cause)
        after = keys[-1]
    if decided:
        log.info(WAITING_DECIDED, count=decided, catalogue_version=context.centre.catalogue_version)
    return decided


def cause_of(row: RoutedDossier, catalogue_version: str, now: datetime) -> Cause:
    """The catalogue's version is why; one that is put back may ask again about a dossier that still waits."""
    reason = f"catalogue:{catalogue_version}"
    return Cause(
        id=f"{reason}:{row.key}:{row.sequence}",
        actor=Actor(kind="system", id="routing", role="service"),
        recorded_at=now,
        correlation=str(row.key),
        causation=reason,
    )
