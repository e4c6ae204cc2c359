"""The relay: sends events of the outbox to Kafka, oldest first, and deletes their outbox rows once acknowledged."""

import asyncio
import contextlib
import struct
import time
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from shared.contracts.registry import UpgradeNeededError
from shared.contracts.topics import TOPICS
from shared.kernel.errors import TransientError
from shared.messaging import metrics
from shared.messaging.records import headers
from shared.postgres.errors import CONNECTION_ERRORS
from shared.postgres.outbox import MAX_VALUE_BYTES
from shared.postgres.pool import connect

log = structlog.get_logger()

ROUND_ROWS = 2000
IDLE_SECONDS, LONGEST_IDLE_SECONDS = 0.05, 0.4
"""How long an idle relay waits between two polls, because commits of other replicas do not wake it. Each empty poll
doubles the wait, up to LONGEST_IDLE_SECONDS."""
STANDBY_SECONDS = 0.5
RESTART_SECONDS = 0.5
LOCK_IDLE_SECONDS = 30
"""The database ends the connection of a frozen relay, and so its lock, after this."""

RELAY_RESTARTED = "relay_restarted"

_LOCK = "select pg_try_advisory_lock(hashtext('motcua relay'), hashtext(current_schema()))"
_OLDEST = (
    "select o.id, e.topic, e.key, e.sequence, e.epoch, e.id as event_id, e.type, e.version, e.value "
    "from outbox o join events e on e.id = o.event_id order by o.id limit $1"
)
_DELETE = "delete from outbox where id = any($1::bigint[])"


_UUID_WORDS = struct.Struct("<9I")
_MULTIPLIER, _SEED, _MASK = 0x5BD1E995, 0x9747B28C, 0xFFFFFFFF


@lru_cache(maxsize=65536)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the number of the partition for a key, of `partitions`, as every Kafka client computes it (murmur2)."""
    hashed = _murmur2_of_uuid(key) if len(key) == _UUID_WORDS.size else murmur2(key)
    return int(hashed & 0x7FFFFFFF) % partitions


def _murmur2_of_uuid(key: bytes) -> int:
    """Return the murmur2 hash of a key of 36 bytes (a UUID as text).

    By 32-bit words, it needs a third of the time of aiokafka's byte-wise version.
    """
    hashed = _SEED ^ _UUID_WORDS.size
    for word in _UUID_WORDS.unpack(key):
        mixed = word * _MULTIPLIER & _MASK
        mixed = (mixed ^ mixed >> 24) * _MULTIPLIER & _MASK
        hashed = hashed * _MULTIPLIER & _MASK ^ mixed
    hashed = (hashed ^ hashed >> 13) * _MULTIPLIER & _MASK
    return hashed ^ hashed >> 15


class Relay:
    """Sends the outbox of one database schema to Kafka until cancelled.

    An advisory lock allows one active relay per schema; the relays of other replicas are on standby. Delivery is at
    least once: a relay that stops between acknowledgement and deletion sends the same records again, and consumers drop
    duplicates.
    """

    def __init__(self, dsn: str, schema: str, *, bootstrap: str, client_id: str) -> None:
        self._dsn = dsn
        self._schema = schema
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._woken = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()
        self._not_ready: str | None = "starting"

    def wake(self) -> None:
        """End the idle wait, so that the relay sends at once. Call it after a commit that added events to the outbox.

        Optional, because the relay also polls.
        """
        self._woken.set()

    def reason_not_ready(self) -> str | None:
        """Return why this relay is not ready; None while it sends, or is on standby because another has the lock."""
        return self._not_ready

    async def run(self) -> None:
        """Wait for the lock, then send the outbox until cancelled. An error of Kafka or the database restarts it.

        After a restart, it waits for the lock again and sends from the oldest row.
        """
        try:
            while True:
                try:
                    await self._lead()
                except (KafkaError, TransientError, *CONNECTION_ERRORS) as error:
                    self._not_ready = f"restarting after an error: {type(error).__name__} {error}"
                    log.warning(RELAY_RESTARTED, error=f"{type(error).__name__}: {error}")
                    await asyncio.sleep(RESTART_SECONDS)
        finally:
            if self._closing:
                _, late = await asyncio.wait(self._closing, timeout=2)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)

    async def _lead(self) -> None:
        connection = await connect(self._dsn, self._schema, idle_seconds=LOCK_IDLE_SECONDS)
        producer = None
        try:
            while not await connection.fetchval(_LOCK):
                self._not_ready = None
                await asyncio.sleep(STANDBY_SECONDS)
            metrics.LEADER.set(1)
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                client_id=self._client_id,
                acks="all",
                enable_idempotence=True,
                max_batch_size=MAX_VALUE_BYTES + 50_000,
            )
            await producer.start()
            self._not_ready = None
            idle = IDLE_SECONDS
            while True:
                if await self._round(connection, producer):
                    idle = IDLE_SECONDS
                else:
                    await self._idle(idle)
                    idle = min(2 * idle, LONGEST_IDLE_SECONDS)
        finally:
            metrics.LEADER.set(0)
            connection.terminate()
            if producer is not None:
                self._close(producer)

    async def _round(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
        """Send the oldest outbox rows, at most one record batch per partition; delete them when all are acknowledged.

        Returns the number of rows sent, 0 for an empty outbox. One batch per partition preserves the order even if
        Kafka stores a request whose acknowledgement was lost.
        """
        rows = await connection.fetch(_OLDEST, ROUND_ROWS)
        if not rows:
            metrics.OUTBOX.set(0)
            return 0
        sent, acknowledgements = await self._send(producer, rows)
        await self._wait_for(acknowledgements, connection)
        await connection.execute(_DELETE, [row["id"] for row in sent])
        metrics.OUTBOX.set(len(rows) - len(sent))
        for topic, events in Counter(row["topic"] for row in sent).items():
            metrics.RELAYED.labels(topic).inc(events)
        return len(sent)

    async def _send(
        self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
    ) -> tuple[list[asyncpg.Record], list[asyncio.Future[object]]]:
        batches: dict[tuple[str, int], Any] = {}
        full: set[tuple[str, int]] = set()
        sent = []
        for row in rows:
            key = row["key"].encode()
            topic = TOPICS.get(row["topic"])
            if topic is None:
                raise UpgradeNeededError(
                    f"The outbox has events for {row['topic']}, a topic of a later release. Upgrade this service."
                )
            partition = (topic.name, partition_of(key, topic.partitions))
            if partition in full:
                continue
            batch = batches.get(partition)
            if batch is None:
                batch = batches[partition] = producer.create_batch()
            attributes = headers(row["type"], row["version"], row["sequence"], row["epoch"], str(row["event_id"]))
            if batch.append(key=key, value=row["value"].encode(), timestamp=None, headers=attributes) is None:
                full.add(partition)  # its remaining rows follow in the next round, still in order
            else:
                sent.append(row)
        acknowledgements = []
        for (name, number), batch in batches.items():
            batch.close()
            acknowledgements.append(await producer.send_batch(batch, name, partition=number))
        return sent, acknowledgements

    async def _wait_for(
        self, acknowledgements: Sequence["asyncio.Future[object]"], connection: asyncpg.Connection
    ) -> None:
        """Wait without limit for every acknowledgement; raise the error of one that failed.

        Meanwhile, queries prevent the database from ending the idle connection that has the lock. A frozen broker
        returns no error, so readiness reports the missing acknowledgement.
        """
        pending, started = set(acknowledgements), time.monotonic()
        while pending:
            _, pending = await asyncio.wait(pending, timeout=LOCK_IDLE_SECONDS / 6)
            if pending:
                self._not_ready = f"Kafka has not acknowledged the sent events for {time.monotonic() - started:.0f} s"
                await connection.execute("select 1")
        for acknowledgement in acknowledgements:
            acknowledgement.result()
        self._not_ready = None

    async def _idle(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)
        self._woken.clear()

    def _close(self, producer: AIOKafkaProducer) -> None:
        """Stop a producer in the background. What it still sends are copies, which consumers drop as duplicates."""

        async def stop() -> None:
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.stop(), 60)

        task = asyncio.create_task(stop())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
