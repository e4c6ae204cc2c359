"""After a change of the calendar: every open clock is derived again, and tells where its due date moves."""

import asyncio
from uuid import UUID

import structlog

from services.sla import calendars, store
from services.sla.domain.changes import untouched
from services.sla.handlers import Clocks
from services.sla.store import DERIVED
from shared.postgres.clock import refresh
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.postgres.unit_of_work import Unit
from shared.runtime import metrics
from shared.service.process import Context

CLOCKS_SWEPT = "clocks_swept"
SWEEP_FAILED = "sweep_failed"

BATCH = 2000
_AT_ONCE = 50
"""Clocks derived before this process's other work has a turn: some milliseconds."""
SHORT_ROWS = 500
"""The outbox is short below this: what an act tells meanwhile then waits behind one batch and little more."""
_RELAY_SECONDS = 0.05
_START = (0, UUID(int=0))

_SWEPT = metrics.counter("motcua_sla_clocks_swept_total", "Open clocks derived by a changed calendar.")

log = structlog.get_logger(__name__)


class Sweep:
    """Derives open clocks of older versions of the calendar by the one that stands. It never ends for good: a
    transaction that read the version before may yet open a clock by it.

    Any number of replicas may run one, over all partitions alike: what a clock comes to follows from its row, whoever
    consumes its topic, and a row that one replica has locked is passed over by the others. What is cut off is undone
    whole, and found again by its version.
    """

    def __init__(self, context: Context, clocks: Clocks, *, tick_seconds: float) -> None:
        self._context = context
        self._clocks = clocks
        self._tick_seconds = tick_seconds
        self._after = _START
        self._swept = self._told = 0
        self._raised_to = 0

    async def run(self) -> None:
        """Look and sweep until cancelled; a database that is away is waited for."""
        while True:
            pause = self._tick_seconds
            try:
                pause = await self.step()
            except CONNECTION_ERRORS as error:
                if not is_transient(error):
                    raise
                log.warning(SWEEP_FAILED, error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(pause)

    async def step(self) -> float:
        """Follow the calendar, and derive at most a batch of clocks again; gives how long to wait before the next step.

        Commits. Does nothing while the outbox is not short: what live acts tell must not stand behind a whole sweep.
        """
        pool = self._context.pool
        await calendars.follow(self._clocks, pool)
        if self._after == _START and not await store.any_outdated(pool, self._clocks.version):
            return self._tick_seconds
        if self._raised_to != self._clocks.version:
            await self._raise()
        if await store.outbox_is_long(pool, SHORT_ROWS):
            return _RELAY_SECONDS
        return 0.0 if await self._derive() else self._tick_seconds

    async def _raise(self) -> None:
        """Let every clock that the change cannot concern count as derived by the calendar that stands. Commits a batch
        at a time; what is cut off, or comes later, is derived like the others."""
        clocks, to = self._clocks, self._clocks.version
        for version in clocks.history:
            concerned = untouched(version.of(clocks.calendar.rules), clocks.calendar, clocks.longest_escalation)
            after: UUID | None = _START[1]
            while concerned is not None and after is not None and version.number < to == clocks.version:
                after, raised = await store.raise_untouched(
                    self._context.pool,
                    version.number,
                    to,
                    clocks.rules,
                    due_before=concerned.due_before,
                    received_from=concerned.received_from,
                    after=after,
                    limit=BATCH,
                )
                _SWEPT.inc(raised)
                self._swept += raised
                await asyncio.sleep(0)
        self._raised_to = to

    async def _derive(self) -> int:
        context, clocks = self._context, self._clocks
        async with context.pool.acquire() as connection, connection.transaction():
            rows = await store.claim_outdated(connection, clocks.version, after=self._after, limit=BATCH)
            last = [(row.calendar_version, row.key) for row in rows.values()][-1:]
            await refresh(context.clock, connection)
            await calendars.follow(clocks, connection)
            unit = Unit(DERIVED, rows, context.publisher, context.clock.recorded_from())
            for place, row in enumerate(rows.values(), start=1):
                clocks.rederive(row, unit, now=unit.recorded_at)
                if place % _AT_ONCE == 0:
                    await asyncio.sleep(0)
            await unit.save(connection)
        _SWEPT.inc(len(rows))
        self._swept += len(rows)
        self._told += len(unit.events)
        if unit.events:
            context.wake_relay()
        if len(rows) == BATCH:
            (self._after,) = last
        else:  # the end; those that somebody held, or that came meanwhile, from the beginning
            if self._swept:
                log.info(CLOCKS_SWEPT, clocks=self._swept, events=self._told, calendar_version=clocks.version)
            self._after, self._swept, self._told = _START, 0, 0
        return len(rows)
