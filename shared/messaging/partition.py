"""One partition of one topic: its records, a transaction at a time, under its stored-offset row (the mutex)."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.kernel.clock import Clock
from shared.kernel.errors import MotcuaError, PoisonMessageError
from shared.messaging import metrics
from shared.messaging import quarantine as quarantine
from shared.messaging.applier import Applying, HandlingFailedError, Stream
from shared.messaging.quarantine import QuarantinedRecord
from shared.messaging.records import Record, parse, unreadable
from shared.postgres.errors import CONNECTION_ERRORS, is_content, is_transient
from shared.postgres.outbox import Publisher
from shared.postgres.pool import Connection
from shared.postgres.rows import Row
from shared.postgres.unit_of_work import Unit

log = structlog.get_logger()

R = TypeVar("R", bound=Row)

BATCH_RECORDS = 2000
IDLE_SECONDS = 1.0
"""How long a poll waits for records, and so how soon an idle partition sees what `notice` was told."""

_FIRST_OFFSET = (
    "insert into stored_offsets (consumer_group, topic, partition, next_offset) values ($1, $2, $3, 0) "
    "on conflict do nothing"
)
_READ_OFFSET = "select next_offset from stored_offsets where consumer_group = $1 and topic = $2 and partition = $3"
_LOCK_OFFSET = _READ_OFFSET + " for update"
_STORE_OFFSET = (
    "update stored_offsets set next_offset = $4, moved_at = clock_timestamp() "
    "where consumer_group = $1 and topic = $2 and partition = $3"
)


class BehindError(Exception):
    """The database stands at another offset than this replica thought; nothing was applied, it seeks there."""


class StoppedError(Exception):
    """The partition was asked to stop while it waited for the database."""


class StopConsumingError(MotcuaError):
    """Going on would do harm: the consumer stops and says why. The process ends with status 1."""


class Partition(Generic[R]):
    """Applies the records of one assigned partition until it is stopped. `position` is the next offset; -1 at first.

    `seen` is called after each transaction with the number of new records and a key for each dossier newly parked; it
    may raise to stop all.
    """

    def __init__(
        self,
        tp: TopicPartition,
        stream: Stream[R],
        *,
        group: str,
        consumer: AIOKafkaConsumer,
        pool: asyncpg.Pool,
        publisher: Publisher,
        clock: Clock,
        wake_relay: Callable[[], None],
        seen: Callable[[int, Sequence[Any]], None],
    ) -> None:
        self.tp = tp
        self.position = -1
        self.progress_at = time.monotonic()
        self._looked_at = self.progress_at
        self._differs = False
        self._stream = stream
        self._name = (group, tp.topic, tp.partition)
        self._consumer = consumer
        self._pool = pool
        self._publisher = publisher
        self._clock = clock
        self._wake_relay = wake_relay
        self._seen = seen
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask the loop to end after the transaction under way."""
        self._stopping.set()

    def notice(self, stored: int | None, *, asked: bool) -> None:
        """What a look at the database has shown: its offset, and whether an operator asks for something here.

        Where that is no news nothing is asked of the database; a transaction that ended meanwhile only makes the loop
        look once more by itself.
        """
        self._looked_at = time.monotonic()
        self._differs = asked or stored != self.position

    async def run(self) -> None:
        """Seek to the stored offset, then poll and apply. Ends when stopped; raises what must stop the process."""
        try:
            await self._retrying(self._seek_to_stored)
            while not self._stopping.is_set():
                await self._step()
        except StoppedError:
            return

    async def _step(self) -> None:
        """One poll and what comes of it."""
        try:
            raw = await self._poll()
        except KafkaError as error:  # the broker is away or the assignment moved; the loop looks again
            log.warning("poll_failed", topic=self.tp.topic, partition=self.tp.partition, error=str(error))
            await self._pause(IDLE_SECONDS)
            return
        if self._stopping.is_set():
            return
        differs, self._differs = self._differs, False
        try:
            if raw:
                await self._apply(raw)
            elif differs:
                await self._retrying(self._compare)
            else:
                await self._check_position()
            if differs:
                await self._retrying(self._execute_requests)
        except BehindError:
            await self._retrying(self._seek_to_stored)
        # idle, it gets on only as far as the database was seen to agree
        self.progress_at = time.monotonic() if raw or differs else max(self.progress_at, self._looked_at)

    async def _poll(self) -> Sequence[Any]:
        """The next records; none if none come, or if the loop is to stop.

        A stop cuts the poll off: in a rebalance aiokafka lets it wait for the assignment that waits for this loop.
        """
        poll = asyncio.ensure_future(
            self._consumer.getmany(self.tp, timeout_ms=int(IDLE_SECONDS * 1000), max_records=BATCH_RECORDS)
        )
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((poll, stop), return_when=asyncio.FIRST_COMPLETED)
            return poll.result().get(self.tp, ()) if poll.done() else ()
        finally:
            poll.cancel()
            stop.cancel()

    async def _apply(self, raw: Sequence[Any]) -> None:
        """Apply a poll's records as one batch; where one fails, record by record, so that only the guilty is parked."""
        self._check_place(raw[0].offset)
        records = [self._read(item) for item in raw]
        after = raw[-1].offset + 1
        try:
            await self._retrying(lambda: self._transact(records, after, {}))
        except HandlingFailedError as error:
            log.warning("batch_failed", topic=self.tp.topic, partition=self.tp.partition, error=str(error))
            for item, following in zip(records, [*(one.offset for one in raw[1:]), after], strict=True):
                await self._parking(partial(self._transact, [item], following))

    def _check_place(self, offset: int) -> None:
        """Kafka goes on where we stand, or it lost something: then aiokafka has moved to the oldest record it has."""
        where = f"{self.tp.topic} partition {self.tp.partition}"
        if offset > self.position:
            raise StopConsumingError(
                f"offsets {self.position} to {offset - 1} of {where} are gone from Kafka before they were applied: "
                "check the topic's retention, then republish them"
            )
        if offset < self.position:
            raise StopConsumingError(
                f"{where} ends before offset {self.position}, up to which it was applied: Kafka lost records, or the "
                "topic was made anew. Nothing was applied; bring the records back before this consumer starts again"
            )

    async def _parking(self, transact: Callable[[dict[tuple[int, int], str]], Coroutine[Any, Any, None]]) -> None:
        """Do a transaction on one record; what fails in it, the record or one that it lets follow, is parked instead.

        Where storing fails, the last one applied is suspected first; those before it follow while that does not help.
        """
        guilty: dict[tuple[int, int], str] = {}
        while True:
            try:
                return await self._retrying(lambda: transact(guilty))
            except HandlingFailedError as error:
                record = error.record
                guilty[record.partition, record.offset] = str(error)
                log.error("record_failed", topic=record.topic, offset=record.offset, reason=str(error))

    def _read(self, raw: Any) -> "Record | QuarantinedRecord":
        try:
            return parse(self._stream.topic, raw)
        except PoisonMessageError as error:
            log.error("record_unreadable", topic=raw.topic, partition=raw.partition, offset=raw.offset)
            return QuarantinedRecord(unreadable(raw), "unreadable", str(error))

    async def _transact(
        self, items: Sequence["Record | QuarantinedRecord"], after: int, guilty: dict[tuple[int, int], str]
    ) -> None:
        """One transaction: mutex, redelivered records dropped, rows locked, decisions, everything written, commit."""
        with metrics.BATCH.labels(self.tp.topic).time():
            async with self._pool.acquire() as connection, connection.transaction():
                stored = await connection.fetchval(_LOCK_OFFSET, *self._name)
                if stored is None or self.position > stored:
                    raise BehindError
                fresh = [item for item in items if _offset(item) >= stored]
                applying = await self._load(connection, [one.key for one in fresh if isinstance(one, Record)], guilty)
                lost = [item for item in fresh if isinstance(item, QuarantinedRecord)]
                for item in fresh:
                    if isinstance(item, Record):
                        applying.receive(item)
                await self._save(connection, applying, lost)
                if after > stored:
                    await connection.execute(_STORE_OFFSET, *self._name, after)
        self.position = max(after, stored)
        if stored > after:  # another replica went further: read on from there
            self._consumer.seek(self.tp, stored)
        self._committed(applying, len(fresh), lost)

    async def _load(
        self, connection: Connection, keys: Sequence[Any], guilty: dict[tuple[int, int], str]
    ) -> Applying[R]:
        topic = self.tp.topic
        rows = await self._stream.table.lock(connection, dict.fromkeys(keys))
        waiting: dict[Any, list[QuarantinedRecord]] = {}
        for item in await quarantine.load(
            connection, topic, [k for k, row in rows.items() if row.fence(topic).quarantined]
        ):
            waiting.setdefault(item.record.key, []).append(item)
        if self._stream.locked is not None:
            await self._stream.locked(connection)
        unit = Unit(self._stream.table, rows, self._publisher, self._clock.recorded_from())
        return Applying(self._stream, unit, waiting, guilty)

    async def _save(self, connection: Connection, applying: Applying[R], lost: Sequence[QuarantinedRecord]) -> None:
        try:
            await applying.unit.save(connection)
        except Exception as error:
            if applying.applied and is_content(error):  # a handler was content, but what it decided cannot be stored
                raise HandlingFailedError(applying.applied[-1], error) from error
            raise
        await quarantine.remove(connection, applying.gone)
        await quarantine.save(connection, [*applying.kept, *lost])

    def _committed(self, applying: Applying[R], records: int, lost: Sequence[QuarantinedRecord]) -> None:
        if applying.unit.events:
            self._wake_relay()
        metrics.APPLIED.labels(self.tp.topic).inc(len(applying.applied))
        # whose an unreadable record is nobody can tell: each counts as a dossier of its own
        parked = [record.key for record in applying.parked] + [(self.tp, item.record.offset) for item in lost]
        metrics.PARKED.labels(self.tp.topic).inc(len(parked))
        self.progress_at = time.monotonic()
        if records:  # an operator's replay that fails again parks nothing new
            self._seen(records, parked)

    async def _execute_requests(self) -> None:
        """Carry out what operators asked for this partition, one record a transaction, under mutex and row lock."""
        while True:
            async with self._pool.acquire() as connection:
                asked = await quarantine.requested(connection, self.tp.topic, self.tp.partition)
            if asked is None:
                return
            await self._parking(partial(self._execute, asked.record))

    async def _execute(self, record: Record, guilty: dict[tuple[int, int], str]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_LOCK_OFFSET, *self._name) is None:
                raise BehindError
            asked = await quarantine.find(connection, record.topic, record.partition, record.offset)
            if asked is None or asked.request is None:
                return
            if asked.reason == "unreadable":
                await quarantine.remove(connection, [asked])
                return
            applying = await self._load(connection, [record.key], guilty)
            current = [item for item in applying.quarantined.get(record.key, []) if item.record.offset == record.offset]
            applying.decide(current[0], asked.request)
            await self._save(connection, applying, [])
        log.info("held_record_decided", topic=record.topic, offset=record.offset, decision=asked.request)
        self._committed(applying, 0, [])

    async def _seek_to_stored(self) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(_FIRST_OFFSET, *self._name)
            stored: int = await connection.fetchval(_READ_OFFSET, *self._name)
        self._consumer.seek(self.tp, stored)
        self.position = stored

    async def _compare(self) -> None:
        """An idle replica looks, too: a restored database may stand before its position."""
        async with self._pool.acquire() as connection:
            stored = await connection.fetchval(_READ_OFFSET, *self._name)
        if stored != self.position:
            raise BehindError
        await self._check_position()

    async def _check_position(self) -> None:
        with contextlib.suppress(KafkaError, TimeoutError):
            self._check_place(await asyncio.wait_for(self._consumer.position(self.tp), IDLE_SECONDS))

    async def _retrying(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do `step`, again and again while the database fails in a way that passes; never gives up while running."""
        delay, violations = 0.1, 0
        while True:
            try:
                await step()
                return
            except (HandlingFailedError, *CONNECTION_ERRORS) as error:
                # a unique violation first means that another transaction inserted the dossier; then, that it is content
                metrics.RETRIES.labels(self.tp.topic).inc()
                if isinstance(error.__cause__, asyncpg.UniqueViolationError) and violations < 3:
                    violations += 1
                    continue
                if isinstance(error, HandlingFailedError) or not is_transient(error):
                    raise
                log.warning("transaction_retried", topic=self.tp.topic, partition=self.tp.partition, error=str(error))
            await self._pause(delay)
            if self._stopping.is_set():
                raise StoppedError
            delay = min(delay * 2, 2.0)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


def _offset(item: "Record | QuarantinedRecord") -> int:
    return item.record.offset if isinstance(item, QuarantinedRecord) else item.offset
