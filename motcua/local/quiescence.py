"""Wait until a centre is quiescent: two consecutive polls found no lag and no pending work."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import psycopg

from motcua.local.database import SERVICES
from services.sla.clocks.store import OPEN
from shared.contracts.topics import TOPICS
from shared.kernel.errors import MotcuaError, StartError
from shared.messaging.offsets import EndOffsets, PartitionId

_POLL_SECONDS = 0.3

# Pending work in the services' tables, in one statement and therefore in one snapshot.
_PENDING = " union all ".join(
    [
        "select 'sla', count(*), 'dossiers with due thresholds' from sla.dossiers where next_threshold_at <= %(now)s",
        f"select 'sla', count(*), 'clocks to derive by the current calendar' from sla.dossiers where {OPEN}"
        " and calendar_version < (select max(version) from sla.calendars where seed is not null)",
        "select 'notify', count(*), 'messages without an outcome' from notify.messages"
        " where next_step is not null and (%(now)s::timestamptz is null or not_before <= %(now)s)",
        *(f"select '{service}', count(*), 'events to publish' from {service}.outbox" for service in SERVICES),
    ]
)
_APPLIED = " union all ".join(
    f"select consumer_group, topic, partition, next_offset from {service}.stored_offsets" for service in SERVICES
)

_PLACES = [(topic.name, number) for topic in TOPICS.values() for number in range(topic.partitions)]


class NotQuiescentError(MotcuaError):
    """The centre did not become quiescent in the given time; the message names the pending work."""


class QuiescenceMonitor:
    """Polls the database and Kafka of a whole centre through the read-only role. The caller closes it.

    A poll reads in the direction in which work flows: thresholds, messages and outboxes, then end offsets, then applied
    offsets. A poll ends at the first pending work that it finds. Work that moves on between two reads of one poll
    therefore changes an end offset before the next poll. Two consecutive polls without pending work and with equal end
    offsets prove that the centre was quiescent after the first of them.
    """

    def __init__(self, bootstrap: str, verify_url: str) -> None:
        self._verify_url = verify_url
        self._connection: psycopg.AsyncConnection | None = None
        self._ends = EndOffsets(bootstrap)

    async def wait_until_quiescent(
        self,
        *,
        now: datetime | None = None,
        within_seconds: float,
        poll_seconds: float = _POLL_SECONDS,
        stop_requested: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait until every outbox is empty, every group has applied all records, and every message has an outcome.

        `now` is the time of a simulated clock, None with a system clock. With `now`, thresholds up to `now` must also
        be published, and messages that are due later may be pending. Also returns, without a difference for the caller,
        when `stop_requested` is true. Raises NotQuiescentError after `within_seconds`, StartError if the database or
        the broker does not answer.
        """
        deadline = time.monotonic() + within_seconds
        before: dict[PartitionId, int] | None = None
        while not stop_requested():
            pending, ends = await self._poll(now)
            if not pending and ends == before:
                return
            if time.monotonic() > deadline:
                raise NotQuiescentError(
                    f"After {within_seconds:.0f} s work is pending: {'; '.join(pending) or 'new events keep arriving'}."
                )
            before = None if pending else ends
            await asyncio.sleep(poll_seconds)

    async def close(self) -> None:
        """Close the connections to Kafka and the database."""
        await self._ends.close()
        if self._connection is not None:
            await self._connection.close()

    async def _poll(self, now: datetime | None) -> tuple[list[str], dict[PartitionId, int]]:
        try:
            if self._connection is None:
                self._connection = await psycopg.AsyncConnection.connect(
                    self._verify_url, connect_timeout=5, autocommit=True
                )
            execute = self._connection.execute
            rows = await (await execute(_PENDING, {"now": now})).fetchall()
            if pending := [f"{service} has {count} {what}" for service, count, what in rows if count]:
                return pending, {}
            ends = await self._ends.read(_PLACES)
            applied = {(group, (topic, n)): at for group, topic, n, at in await (await execute(_APPLIED)).fetchall()}
        except psycopg.Error as error:
            raise StartError(f"The database does not answer ({' '.join(str(error).split())}).") from error
        return _lags(ends, applied), ends


def _lags(ends: dict[PartitionId, int], applied: dict[tuple[str, PartitionId], int]) -> list[str]:
    lags: dict[tuple[str, str], int] = {}
    for topic in TOPICS.values():
        for group in topic.readers:
            for number in range(topic.partitions):
                place = (topic.name, number)
                lag = ends[place] - applied.get((group, place), 0)
                lags[group, topic.name] = lags.get((group, topic.name), 0) + lag
    return [f"{group} has a lag of {lag} on {topic}" for (group, topic), lag in lags.items() if lag]


def wait_until_quiescent(
    bootstrap: str, verify_url: str, *, within_seconds: float, stop_requested: Callable[[], bool] = lambda: False
) -> None:
    """Block until a centre with a system clock is quiescent, or `stop_requested` is true.

    Raises NotQuiescentError after `within_seconds`, StartError if the database or the broker does not answer. Not for
    async code.
    """

    async def wait() -> None:
        monitor = QuiescenceMonitor(bootstrap, verify_url)
        try:
            await monitor.wait_until_quiescent(within_seconds=within_seconds, stop_requested=stop_requested)
        finally:
            await monitor.close()

    asyncio.run(wait())
