"""The ticker: publishes thresholds once when they have passed, and derives clocks of another catalogue at start."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog

from services.sla.calendars.in_force import follow
from services.sla.clocks import store
from services.sla.clocks.handlers import ClockHandlers
from services.sla.clocks.store import CLOCKS, DERIVED, ClockRow
from shared.contracts.topics import DOSSIERS
from shared.messaging.consumer import Consumer
from shared.postgres.clock import refresh
from shared.postgres.periodic import Periodic
from shared.postgres.set_aside import SetAside
from shared.postgres.unit_of_work import Claim
from shared.runtime import metrics
from shared.service.process import Context

THRESHOLDS_FIRED = "thresholds_fired"
CLOCKS_REDERIVED = "clocks_rederived"
TICK_FAILED = "tick_failed"

_FIRED = metrics.counter("motcua_sla_thresholds_fired_total", "Thresholds published by the ticker.")
_BATCH = 500
_LANES = 2
"""Concurrent transactions, each on its own partitions: while the database works for one, the other decides."""

log = structlog.get_logger(__name__)


class Ticker:
    """Publishes thresholds that have passed. Each replica runs one, for the partitions that it consumes.

    `worker` derives the open clocks of another catalogue once, then calls `tick` at intervals.
    """

    def __init__(self, context: Context, clocks: ClockHandlers, consumer: Consumer, *, tick_seconds: float) -> None:
        self._context = context
        self._clocks = clocks
        self._consumer = consumer
        self._tick_seconds = tick_seconds
        self._is_rederived = False
        self._set_aside = SetAside(context.pool, table=DERIVED.name, worker="ticker")
        self.worker = Periodic(self._step, failed=TICK_FAILED, retry_seconds=tick_seconds)

    async def _step(self) -> float:
        if not self._is_rederived:
            await self.rederive()
            self._is_rederived = True
        fired = await self.tick()
        return self._tick_seconds if fired < _BATCH else 0.0

    async def tick(self) -> int:
        """Publish the passed thresholds of at most one batch of clocks per lane; returns the number of events. Commits.

        Only for clocks in partitions that this replica consumes and has read up to the end offset that the broker
        returned after the present instant: every act before it that is on Kafka has then taken effect. Skips dossiers
        with a quarantined record, rows that another transaction has locked, and rows that are set aside. A clock that
        makes a batch fail is set aside.
        """
        context = self._context
        if not await store.any_due(context.pool, context.clock.now()):
            return 0
        await refresh(context.clock, context.pool)
        now = context.clock.now()
        partitions = sorted(await self._consumer.caught_up(DOSSIERS))
        lanes = [self._fire(now, partitions[n::_LANES]) for n in range(min(_LANES, len(partitions)))]
        fired = 0
        for one in await asyncio.gather(*lanes, return_exceptions=True):  # no lane continues after this returns
            if isinstance(one, BaseException):
                raise one
            fired += one
        if fired:
            _FIRED.inc(fired)
            log.info(THRESHOLDS_FIRED, count=fired)
        return fired

    async def _fire(self, now: datetime, partitions: Sequence[int]) -> int:
        return await self._set_aside.process(
            partial(self._fire_claimed, now, partial(store.claim_due, until=now, partitions=partitions, limit=_BATCH)),
            keys=partial(store.due_keys, self._context.pool, now, partitions, _BATCH),
            one=lambda key: self._fire_claimed(now, partial(DERIVED.lock, keys=[key])),
        )

    async def _fire_claimed(self, now: datetime, claim: Claim[ClockRow]) -> int:
        async with self._context.claimed_unit(DERIVED, claim) as (connection, unit):
            await follow(self._clocks.rules, connection)
            return sum(
                self._clocks.fire(row, unit, until=now) for row in unit.rows if not row.fence(DOSSIERS.name).quarantined
            )

    async def rederive(self) -> int:
        """Derive every open clock again that was derived by another catalogue; returns the number of changed deadlines.

        So dossiers of a procedure that was added, or whose term changed, get their due date. Commits a batch at a time
        and may be interrupted and run again. A changed calendar is the sweep's task.
        """
        context, rules, after, changed = self._context, self._clocks.rules, None, 0
        page: list[UUID]
        find = partial(store.derived_by_other_rules, context.pool, rules.digest, limit=_BATCH)
        while page := await find(after=after):
            changed += await self._set_aside.process_keys(page, self._rederive)
            after = page[-1]
            self.worker.beat()
        if changed:
            log.info(CLOCKS_REDERIVED, count=changed, rules=rules.digest)
        return changed

    async def _rederive(self, keys: Sequence[UUID]) -> int:
        async with self._context.unit(CLOCKS, keys) as (connection, unit):
            await follow(self._clocks.rules, connection)
            return sum(self._clocks.rederive(unit.row(key), unit, now=unit.recorded_at) for key in keys)
