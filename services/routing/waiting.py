"""Dossiers that waited for the catalogue flow on once it knows: looked through at every start."""

from uuid import UUID

import structlog

from services.routing.handlers import Routing
from services.routing.store import DOSSIERS, waiting
from shared.contracts.envelope import Actor
from shared.messaging.service import Context
from shared.postgres.facts import Cause

WAITING_DECIDED = "waiting_dossiers_decided"
_PAGE = 500

log = structlog.get_logger()


async def decide_waiting(context: Context, routing: Routing) -> int:
    """Assign every waiting dossier that this configuration can; gives their number. Commits a page at a time.

    Replicas that start together meet at the row locks: the later one finds nothing left to decide. The fact's time is
    the present, for only now is it true.
    """
    decided = 0
    after: UUID | None = None
    while page := await waiting(context.pool, after=after, limit=_PAGE):
        keys = [record["dossier_id"] for record in page]
        async with context.unit(DOSSIERS, keys) as (_, unit):
            for key in keys:
                row = unit.row(key)
                if row.waiting_for is not None:
                    cause = _cause(context, key)
                    decided += routing.assign(row, unit, time=cause.recorded_at, cause=cause)
        after = keys[-1]
    if decided:
        log.info(WAITING_DECIDED, count=decided, catalogue_version=context.centre.catalogue_version)
    return decided


def _cause(context: Context, dossier_id: UUID) -> Cause:
    """The catalogue's version is why; it can decide the same dossier only once."""
    reason = f"catalogue:{context.centre.catalogue_version}"
    return Cause(
        id=f"{reason}:{dossier_id}",
        actor=Actor(kind="system", id="routing", role="service"),
        recorded_at=context.clock.now(),
        correlation=str(dossier_id),
        causation=reason,
    )
