"""The consumption of one partition of one topic: one transaction per batch, under the row lock of the stored offset."""

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

from shared.contracts.registry import UpgradeNeededError
from shared.kernel.clock import Clock
from shared.kernel.errors import MotcuaError, PoisonMessageError
from shared.messaging import metrics, quarantine
from shared.messaging.applier import Failures, HandlingFailedError, RecordApplier, Stream
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
"""How long a poll waits for records, and so how soon an idle partition acts on `observe`."""

POLL_FAILED = "poll_failed"
BATCH_FAILED = "batch_failed"
RECORD_FAILED = "record_failed"
RECORD_UNREADABLE = "record_unreadable"
TRANSACTION_RETRIED = "transaction_retried"
DECISION_EXECUTED = "quarantined_record_decided"

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


class OffsetMismatchError(Exception):
    """The stored offset does not match this replica's position, and nothing was applied. Seek to the stored offset."""


class StoppedError(Exception):
    """The partition was stopped while it retried a database operation."""


class StopConsumingError(MotcuaError):
    """To continue would lose or corrupt data. It stops the partition that raises it; elsewhere, the process ends."""


class Partition(Generic[R]):
    """Consumes one assigned partition until stopped. `position` is the offset of the next record, -1 before the seek.

    `on_commit` is called after each transaction on new records, with their number and one key for each newly parked
    record. An error that it raises ends `run`.
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
        on_commit: Callable[[int, Sequence[Any]], None],
    ) -> None:
        self.tp = tp
        self.position = -1
        self.progress_at = time.monotonic()
        self._observed_at = self.progress_at
        self._changed = False
        self._stream = stream
        self._key = (group, tp.topic, tp.partition)
        self._consumer = consumer
        self._pool = pool
        self._publisher = publisher
        self._clock = clock
        self._wake_relay = wake_relay
        self._on_commit = on_commit
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Request the end of `run` after the current transaction. Returns at once."""
        self._stopping.set()

    def observe(self, stored: int | None, *, requested: bool) -> None:
        """Accept the stored offset, and whether an operator requests a decision, as read by the consumer's monitor.

        The partition itself queries the database only if this differs from its own state.
        """
        self._observed_at = time.monotonic()
        self._changed = requested or stored != self.position

    async def run(self) -> None:
        """Seek to the stored offset, then poll and apply until stopped. Raises errors that a retry cannot solve."""
        try:
            await self._retry(self._seek_to_stored)
            while not self._stopping.is_set():
                await self._step()
        except StoppedError:
            return

    async def _step(self) -> None:
        """Poll once and apply the records; then act on what `observe` accepted. Seek again if offsets do not match."""
        try:
            raw = await self._poll()
        except KafkaError as error:  # the broker is away, or the assignment changed; the next step polls again
            log.warning(POLL_FAILED, topic=self.tp.topic, partition=self.tp.partition, error=str(error))
            await self._pause(IDLE_SECONDS)
            return
        if self._stopping.is_set():
            return
        changed, self._changed = self._changed, False
        try:
            if raw:
                await self._apply(raw)
            elif changed:
                await self._retry(self._compare_with_stored)
            else:
                await self._check_position()
            if changed:
                await self._retry(self._execute_decisions)
        except OffsetMismatchError:
            await self._retry(self._seek_to_stored)
        # an idle partition makes progress only as long as the database is observed to agree with it
        self.progress_at = time.monotonic() if raw or changed else max(self.progress_at, self._observed_at)

    async def _poll(self) -> Sequence[Any]:
        """Return the next records of Kafka; empty if none arrive within IDLE_SECONDS or the partition is stopped.

        A stop cancels the poll. During a rebalance aiokafka blocks the poll until the new assignment, which waits for
        this loop to end.
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
        """Apply records in one transaction. If one fails, each in its own, to park only those that fail."""
        self._require_continuity(raw[0].offset)
        records = [self._parse(item) for item in raw]
        after = raw[-1].offset + 1
        try:
            await self._retry(lambda: self._transact(records, after, {}))
        except (HandlingFailedError, UpgradeNeededError) as error:
            log.warning(BATCH_FAILED, topic=self.tp.topic, partition=self.tp.partition, error=str(error))
            for item, following in zip(records, [*(one.offset for one in raw[1:]), after], strict=True):
                await self._park_failures(partial(self._transact, [item], following))

    def _require_continuity(self, offset: int) -> None:
        """Raises StopConsumingError if `offset`, the next one on Kafka, is not `position`: Kafka lost records."""
        where = f"{self.tp.topic} partition {self.tp.partition}"
        if offset > self.position:
            raise StopConsumingError(
                f"Kafka deleted offsets {self.position} to {offset - 1} of {where} before they were applied. "
                "Check the topic's retention, then publish them again."
            )
        if offset < self.position:
            raise StopConsumingError(
                f"{where} ends before offset {self.position}, up to which it was applied: Kafka lost records, or the "
                "topic was created again. Nothing was applied. Restore the records before this consumer starts again."
            )

    async def _park_failures(self, transact: Callable[[dict[tuple[int, int], str]], Coroutine[Any, Any, None]]) -> None:
        """Run a transaction on one record until it commits; each record that fails in it is parked at the next attempt.

        The failing record may be a quarantined one that the new record released. If storing fails, the last applied
        record is parked first, then those before it.
        """
        failures: dict[tuple[int, int], str] = {}
        while True:
            try:
                return await self._retry(lambda: transact(failures))
            except HandlingFailedError as error:
                record = error.record
                failures[record.partition, record.offset] = str(error)
                log.error(RECORD_FAILED, topic=record.topic, offset=record.offset, reason=str(error))

    def _parse(self, raw: Any) -> "Record | QuarantinedRecord":
        try:
            return parse(self._stream.topic, raw)
        except PoisonMessageError as error:
            log.error(RECORD_UNREADABLE, topic=raw.topic, partition=raw.partition, offset=raw.offset)
            return QuarantinedRecord(unreadable(raw), "unreadable", str(error))

    async def _transact(self, items: Sequence["Record | QuarantinedRecord"], after: int, failures: Failures) -> None:
        """Apply records in one transaction that also stores `after`, the offset of the record after them.

        In order: lock the stored offset (one transaction per partition), drop redelivered records, lock the rows,
        apply, write everything, commit. Raises OffsetMismatchError if the stored offset is behind `position`.
        """
        with metrics.BATCH.labels(self.tp.topic).time():
            async with self._pool.acquire() as connection, connection.transaction():
                stored = await connection.fetchval(_LOCK_OFFSET, *self._key)
                if stored is None or self.position > stored:
                    raise OffsetMismatchError
                new = [item for item in items if _offset(item) >= stored]
                applier = await self._load(connection, [item.key for item in new if isinstance(item, Record)], failures)
                unparsed = [item for item in new if isinstance(item, QuarantinedRecord)]
                for item in new:
                    if isinstance(item, Record):
                        applier.receive(item)
                await self._save(connection, applier, unparsed)
                if after > stored:
                    await connection.execute(_STORE_OFFSET, *self._key, after)
        self.position = max(after, stored)
        if stored > after:  # another replica applied more: continue from there
            self._consumer.seek(self.tp, stored)
        self._committed(applier, len(new), unparsed)

    async def _load(self, connection: Connection, keys: Sequence[Any], failures: Failures) -> RecordApplier[R]:
        topic = self.tp.topic
        rows = await self._stream.table.lock(connection, dict.fromkeys(keys))
        quarantined: dict[Any, list[QuarantinedRecord]] = {}
        flagged = [key for key, row in rows.items() if row.fence(topic).quarantined]
        for item in await quarantine.load(connection, topic, flagged):
            quarantined.setdefault(item.record.key, []).append(item)
        if self._stream.after_lock is not None:
            await self._stream.after_lock(connection)
        unit = Unit(self._stream.table, rows, self._publisher, self._clock.recorded_from())
        return RecordApplier(self._stream, unit, quarantined, failures)

    async def _save(
        self, connection: Connection, applier: RecordApplier[R], unparsed: Sequence[QuarantinedRecord]
    ) -> None:
        try:
            await applier.unit.save(connection)
        except Exception as error:
            if applier.applied and is_content(error):  # the handler succeeded, but its result cannot be stored
                raise HandlingFailedError(applier.applied[-1], error) from error
            raise
        await quarantine.remove(connection, applier.removed)
        await quarantine.save(connection, [*applier.added, *unparsed])

    def _committed(self, applier: RecordApplier[R], records: int, unparsed: Sequence[QuarantinedRecord]) -> None:
        if applier.unit.events:
            self._wake_relay()
        metrics.APPLIED.labels(self.tp.topic).inc(len(applier.applied))
        # the dossier of an unreadable record is unknown: each counts as its own dossier
        parked = [record.key for record in applier.parked] + [(self.tp, item.record.offset) for item in unparsed]
        metrics.PARKED.labels(self.tp.topic).inc(len(parked))
        self.progress_at = time.monotonic()
        if records:  # a replay that fails again parks nothing new
            self._on_commit(records, parked)

    async def _execute_decisions(self) -> None:
        """Execute the decisions that operators request for this partition, one per transaction, with the same locks."""
        while True:
            async with self._pool.acquire() as connection:
                requested = await quarantine.requested(connection, self.tp.topic, self.tp.partition)
            if requested is None:
                return
            await self._park_failures(partial(self._execute, requested.record))

    async def _execute(self, record: Record, failures: Failures) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            if await connection.fetchval(_LOCK_OFFSET, *self._key) is None:
                raise OffsetMismatchError
            requested = await quarantine.find(connection, record.topic, record.partition, record.offset)
            if requested is None or requested.request is None:
                return
            if requested.reason == "unreadable":
                await quarantine.remove(connection, [requested])
                return
            applier = await self._load(connection, [record.key], failures)
            current = [item for item in applier.quarantined.get(record.key, []) if item.record.offset == record.offset]
            applier.decide(current[0], requested.request)
            await self._save(connection, applier, [])
        log.info(DECISION_EXECUTED, topic=record.topic, offset=record.offset, decision=requested.request)
        self._committed(applier, 0, [])

    async def _seek_to_stored(self) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(_FIRST_OFFSET, *self._key)
            stored: int = await connection.fetchval(_READ_OFFSET, *self._key)
        self._consumer.seek(self.tp, stored)
        self.position = stored

    async def _compare_with_stored(self) -> None:
        """Raises OffsetMismatchError if the stored offset differs: a restored database may be behind `position`."""
        async with self._pool.acquire() as connection:
            stored = await connection.fetchval(_READ_OFFSET, *self._key)
        if stored != self.position:
            raise OffsetMismatchError
        await self._check_position()

    async def _check_position(self) -> None:
        with contextlib.suppress(KafkaError, TimeoutError):
            self._require_continuity(await asyncio.wait_for(self._consumer.position(self.tp), IDLE_SECONDS))

    async def _retry(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `step` until it succeeds. Transient database errors are retried without limit, unless stopped.

        A unique violation is retried three times, since another transaction may have inserted the dossier first; after
        that it is the fault of the content. Raises StoppedError if the partition was stopped before a retry, and every
        other error of `step`.
        """
        delay, violations = 0.1, 0
        while True:
            try:
                await step()
                return
            except (HandlingFailedError, *CONNECTION_ERRORS) as error:
                metrics.RETRIES.labels(self.tp.topic).inc()
                if isinstance(error.__cause__, asyncpg.UniqueViolationError) and violations < 3:
                    violations += 1
                    continue
                if isinstance(error, HandlingFailedError) or not is_transient(error):
                    raise
                log.warning(TRANSACTION_RETRIED, topic=self.tp.topic, partition=self.tp.partition, error=str(error))
            await self._pause(delay)
            if self._stopping.is_set():
                raise StoppedError
            delay = min(delay * 2, 2.0)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _offset(item: "Record | QuarantinedRecord") -> int:
    return item.record.offset if isinstance(item, QuarantinedRecord) else item.offset
