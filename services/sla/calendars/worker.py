"""The sweep: after a change of the calendar, derives the affected open clocks again and publishes changed deadlines."""

import asyncio
from functools import partial
from uuid import UUID

import structlog

from services.sla.calendars.in_force import follow
from services.sla.clocks import store
from services.sla.clocks.handlers import ClockHandlers
from services.sla.clocks.store import DERIVED, ClockRow
from services.sla.domain.calendar_changes import unaffected_clocks
from shared.postgres.outbox import has_pending
from shared.postgres.periodic import Periodic
from shared.postgres.set_aside import SetAside
from shared.postgres.unit_of_work import Claim
from shared.runtime import metrics
from shared.service.process import Context

CLOCKS_SWEPT = "clocks_swept"
SWEEP_FAILED = "sweep_failed"

BATCH = 2000
_AT_ONCE = 50
"""Clocks derived before other tasks of this process get a turn: some milliseconds."""
SHORT_ROWS = 500
"""With fewer events than this in the outbox, the event of an act waits for little more than one batch."""
_RELAY_SECONDS = 0.05
_START = (0, UUID(int=0))

_SWEPT = metrics.counter("motcua_sla_clocks_swept_total", "Open clocks derived by a changed calendar.")

log = structlog.get_logger(__name__)


class Sweep:
    """Derives open clocks of older calendar versions again, by the version in force. `worker` repeats `step`.

    It runs as long as the process: a transaction that read the previous version may still start a clock by that
    version. Several replicas may each run a sweep over all partitions, because the derivation depends on the row alone;
    each skips rows that another transaction has locked. An interrupted batch is rolled back, and found again by its
    calendar version.
    """

    def __init__(self, context: Context, clocks: ClockHandlers, *, tick_seconds: float) -> None:
        self._context = context
        self._clocks = clocks
        self._tick_seconds = tick_seconds
        self._after = _START
        self._swept = self._published = 0
        self._advanced_to = 0
        self._set_aside = SetAside(context.pool, table=DERIVED.name, worker="sweep")
        self.worker = Periodic(self.step, failed=SWEEP_FAILED, retry_seconds=tick_seconds)

    async def step(self) -> float:
        """Follow the calendar in the database and derive at most one batch of outdated clocks. Commits.

        After a change of the calendar, first advances the clocks that it does not affect. Derives no clock while the
        outbox is long, so that the events of acts do not wait for a whole sweep. Returns the seconds to wait before the
        next step.
        """
        pool, rules = self._context.pool, self._clocks.rules
        await follow(rules, pool)
        if self._after == _START and not await store.any_outdated(pool, rules.calendar_version):
            return self._tick_seconds
        if self._advanced_to != rules.calendar_version:
            await self._advance_unaffected()
        if await has_pending(pool, SHORT_ROWS):
            return _RELAY_SECONDS
        return 0.0 if await self._derive() else self._tick_seconds

    async def _advance_unaffected(self) -> None:
        """Set the version in force on open clocks of older versions that no later change affects; derives no clock.

        Commits a batch at a time. Clocks that this misses, because it is interrupted or they start later, are derived
        like the others.
        """
        rules, to = self._clocks.rules, self._clocks.rules.calendar_version
        for version in rules.history:
            unaffected = unaffected_clocks(version.of(rules.calendar.rules), rules.calendar, rules.longest_escalation)
            after: UUID | None = _START[1]
            while unaffected is not None and after is not None and version.number < to == rules.calendar_version:
                after, advanced = await store.advance_unaffected(
                    self._context.pool,
                    version.number,
                    to,
                    rules.digest,
                    due_before=unaffected.due_before,
                    received_from=unaffected.received_from,
                    after=after,
                    limit=BATCH,
                )
                _SWEPT.inc(advanced)
                self._swept += advanced
                self.worker.beat()
                await asyncio.sleep(0)
        self._advanced_to = to

    async def _derive(self) -> int:
        """Derive at most one batch of outdated clocks and return their number. A clock that fails is set aside."""
        version, after = self._clocks.rules.calendar_version, self._after
        return await self._set_aside.process(
            partial(self._derive_batch, version, after),
            keys=partial(store.outdated_keys, self._context.pool, version, after=after, limit=BATCH),
            one=self._derive_one,
        )

    async def _derive_batch(self, version: int, after: tuple[int, UUID]) -> int:
        rows = await self._derive_claimed(partial(store.claim_outdated, version=version, after=after, limit=BATCH))
        if len(rows) == BATCH:
            self._after = rows[-1]
        else:  # the end: rows that were locked, or added since, are found from the start again
            if self._swept:
                log.info(CLOCKS_SWEPT, clocks=self._swept, events=self._published, calendar_version=version)
            self._after, self._swept, self._published = _START, 0, 0
        return len(rows)

    async def _derive_one(self, key: UUID) -> int:
        return len(await self._derive_claimed(partial(DERIVED.lock, keys=[key])))

    async def _derive_claimed(self, claim: Claim[ClockRow]) -> list[tuple[int, UUID]]:
        """Derive the claimed clocks in one transaction; return the version that each had, with its key."""
        async with self._context.claimed_unit(DERIVED, claim) as (connection, unit):
            claimed = [(row.calendar_version, row.key) for row in unit.rows]
            await follow(self._clocks.rules, connection)
            for place, row in enumerate(unit.rows, start=1):
                self._clocks.rederive(row, unit, now=unit.recorded_at)
                if place % _AT_ONCE == 0:
                    await asyncio.sleep(0)
        _SWEPT.inc(len(claimed))
        self._swept += len(claimed)
        self._published += len(unit.events)
        return claimed
