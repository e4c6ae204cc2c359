"""What time starts: thresholds are told once, and not falsely; clocks of old rules are derived again at start."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from services.sla import calendars, store
from services.sla.handlers import Clocks
from services.sla.store import DERIVED, DOSSIERS
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.messaging.consumer import Consumer
from shared.postgres.clock import refresh
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.postgres.unit_of_work import Unit
from shared.runtime import metrics
from shared.service.process import Context

THRESHOLDS_FIRED = "thresholds_fired"
CLOCKS_DERIVED_AGAIN = "clocks_derived_again"
TICK_FAILED = "tick_failed"

_FIRED = metrics.counter("motcua_sla_thresholds_fired_total", "Thresholds told by the ticker.")
_BATCH = 500
_LANES = 2
"""Transactions side by side, each on partitions of its own: while the database works on one, the other is decided."""
_SILENT_SECONDS = 30

log = structlog.get_logger(__name__)


class Ticker:
    """Tells thresholds whose time has come. Any number of replicas may run one; each tells those of its partitions."""

    def __init__(self, context: Context, clocks: Clocks, consumer: Consumer, *, tick_seconds: float) -> None:
        self._context = context
        self._clocks = clocks
        self._consumer = consumer
        self._tick_seconds = tick_seconds
        self._ticked_at = time.monotonic()

    async def run(self) -> None:
        """Derive open clocks of other rules again, then tick until cancelled; a database that is away is waited for."""
        outdated = True
        while True:
            told = 0
            try:
                if outdated:
                    await self.rederive()
                    outdated = False
                told = await self.tick()
                self._ticked_at = time.monotonic()
            except CONNECTION_ERRORS as error:
                if not is_transient(error):
                    raise
                log.warning(TICK_FAILED, error=f"{type(error).__name__}: {error}")
            if told < _BATCH:
                await asyncio.sleep(self._tick_seconds)

    def reason_not_ready(self) -> str | None:
        """None while it ticks."""
        silent = time.monotonic() - self._ticked_at
        return f"no tick for {silent:.0f} s" if silent > _SILENT_SECONDS + self._tick_seconds else None

    async def tick(self) -> int:
        """Tell at most a batch for each lane of the thresholds that have passed by now; gives their number. Commits.

        Only of clocks in partitions that this replica holds and whose stored offset has reached the end offset that
        the broker named after these instants: an act from before them, on Kafka by now, has taken effect. Only of
        dossiers with nothing quarantined. A clock locked elsewhere is left for the next tick.
        """
        context = self._context
        if not await store.any_due(context.pool, context.clock.now()):
            return 0
        await refresh(context.clock, context.pool)
        now = context.clock.now()
        partitions = await self._consumer.caught_up(DOSSIERS_TOPIC)
        if not partitions:
            return 0
        held = sorted(partitions)
        lanes = [self._fire(now, held[n::_LANES]) for n in range(min(_LANES, len(held)))]
        told = 0
        for one in await asyncio.gather(*lanes, return_exceptions=True):  # none goes on after this returns
            if isinstance(one, BaseException):
                raise one
            told += one
        if told:
            _FIRED.inc(told)
            log.info(THRESHOLDS_FIRED, count=told)
        return told

    async def _fire(self, now: datetime, partitions: Sequence[int]) -> int:
        context = self._context
        async with context.pool.acquire() as connection, connection.transaction():
            rows = await store.claim_due(connection, now, partitions, _BATCH)
            await calendars.follow(self._clocks, connection)
            unit = Unit(DERIVED, rows, context.publisher, context.clock.recorded_from())
            for row in rows.values():
                if not row.fence(DOSSIERS_TOPIC.name).quarantined:
                    self._clocks.fire(row, unit, until=now)
            await unit.save(connection)
        if unit.events:
            context.wake_relay()
        return len(unit.events)

    async def rederive(self) -> int:
        """Derive every clock that is open, or waits for something, again if it was derived by other rules.

        Procedures that were entered, terms that were changed: the dossiers flow on. Gives the number of those that were
        told anew. Commits a batch at a time; it may be cut off and begun anew. A changed calendar is the sweep's.
        """
        context, after, moved = self._context, None, 0
        page: list[UUID]
        while page := await store.outdated(context.pool, self._clocks.rules, after=after, limit=_BATCH):
            async with context.unit(DOSSIERS, page) as (connection, unit):
                await calendars.follow(self._clocks, connection)
                for key in page:
                    moved += self._clocks.rederive(unit.row(key), unit, now=unit.recorded_at)
            after = page[-1]
            self._ticked_at = time.monotonic()
        if moved:
            log.info(CLOCKS_DERIVED_AGAIN, count=moved, rules=self._clocks.rules)
        return moved
