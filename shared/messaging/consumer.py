"""The consumer of a service: a static member of its Kafka group, with one Partition per assigned partition."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from functools import partial
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from shared.contracts.topics import Topic
from shared.kernel.clock import Clock
from shared.kernel.errors import StartError
from shared.messaging import metrics
from shared.messaging.alarms import StoppedPartitions, inspect_database, stops_alone
from shared.messaging.applier import Stream
from shared.messaging.membership import create_member
from shared.messaging.offsets import EndOffsets, stop_client
from shared.messaging.parked_limit import ParkedLimit
from shared.messaging.partition import Partition, StopConsumingError
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.postgres.outbox import Publisher
from shared.runtime.supervision import Signal

log = structlog.get_logger()

SESSION_SECONDS = 10
STOP_SECONDS = 5.0

JOIN_FAILED = "join_failed"
PARTITIONS_ASSIGNED = "partitions_assigned"
END_OFFSETS_UNKNOWN = "end_offsets_unknown"

# one statement for all partitions: an idle service queries the database once per second, however many it owns
_STORED = (
    "select topic, partition, next_offset, stopped, exists (select from quarantined_records q where q.topic = s.topic"
    " and q.partition = s.partition and q.request is not null) as requested "
    "from stored_offsets s where consumer_group = $1"
)

_NOT_STOPPED = "select topic, partition, next_offset from stored_offsets where consumer_group = $1 and stopped is null"


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka publishes no types
    """Consumes the topics of `streams` as static member `member` of `group`, from `run` until cancelled.

    Each assigned partition continues at the stored offset in the database. Offsets are also committed to Kafka, but
    only for lag tools. A partition that cannot continue because of its content stops alone: the others continue, and it
    is retried at the next start (`shared.messaging.alarms.stops_alone`).

    The signal `applied` fires after each transaction of this process on new records, `published` after each transaction
    that published events.
    """

    def __init__(
        self,
        streams: Sequence[Stream[Any]],
        *,
        bootstrap: str,
        group: str,
        member: str,
        pool: asyncpg.Pool,
        publisher: Publisher,
        clock: Clock,
        wake_relay: Callable[[], None],
        stall_seconds: float = 60.0,
    ) -> None:
        self._streams: Mapping[str, Stream[Any]] = {stream.topic.name: stream for stream in streams}
        self._bootstrap = bootstrap
        self._group = group
        self._member = member
        self._pool = pool
        self._publisher = publisher
        self._clock = clock
        self._wake_relay = wake_relay
        self._stall_seconds = stall_seconds
        self._consumer: AIOKafkaConsumer | None = None
        self._ends = EndOffsets(bootstrap)
        self._partitions: dict[TopicPartition, tuple[Partition[Any], asyncio.Task[None]]] = {}
        self._failed: asyncio.Future[None] | None = None
        self._limit = ParkedLimit()
        self._stopped = StoppedPartitions(group, pool)
        self.applied = Signal()
        self.published = Signal()
        self._committed: dict[TopicPartition, int] = {}
        names = ", ".join(self._streams)
        self._not_ready: str | None = f"not joined yet: needs Kafka at {bootstrap} and {names} (`motcua topics`)"
        self._idle_since = time.monotonic()

    async def run(self) -> None:
        """Join the group and consume until cancelled, then leave.

        Raises StopConsumingError after a stall, and errors of database or broker that a retry cannot solve.
        """
        self._failed = asyncio.get_running_loop().create_future()
        self._consumer = await self._join()
        try:
            monitor = asyncio.create_task(self._monitor())
            await asyncio.wait([monitor, self._failed], return_when=asyncio.FIRST_COMPLETED)
            for ended in (self._failed, monitor):
                if ended.done():
                    ended.result()
        finally:
            monitor.cancel()
            owned = dict(self._partitions)
            await self._stop_partitions(list(owned))
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._commit(owned), STOP_SECONDS)
            await self._leave(self._consumer)
            await self._ends.close()

    def reason_not_ready(self) -> str | None:
        """Return why this consumer is not ready; None if it has its assignment and every partition makes progress."""
        if self._not_ready is not None:
            return self._not_ready
        if reasons := self._stopped.reasons:
            return "; ".join(f"{name} {reason}" for name, reason in reasons.items())
        if any(partition.position < 0 for partition, _ in self._partitions.values()):
            return "not all partitions are at their stored offsets yet"
        stalled = [
            f"{tp.topic}/{tp.partition} for {time.monotonic() - partition.progress_at:.0f} s"
            for tp, (partition, _) in self._partitions.items()
            if time.monotonic() - partition.progress_at > self._stall_seconds / 4
        ]
        return f"no progress on {', '.join(stalled)}" if stalled else None

    def figures(self) -> dict[str, Any]:
        """Return the stopped partitions with their reasons, and the number of records behind, as far as fetched."""
        lag = sum(self._lag(tp, partition) for tp, (partition, _) in self._partitions.items())
        return {"stopped": self._stopped.reasons, "lag_records": lag}

    async def caught_up(self, topic: Topic) -> frozenset[int]:
        """Return the numbers of the partitions of `topic` that this process owns and in which it has caught up.

        In these, every record that was on Kafka at the time of the call has been applied, dropped or quarantined; a
        stopped partition is never caught up. Empty if the broker does not answer.
        """
        owned = {tp for tp in self._partitions if tp.topic == topic.name}
        return frozenset(tp.partition for tp in await self._at_end(owned, (), 0.0))

    async def caught_up_in_group(
        self, *topics: Topic, awaited: Collection[int] = (), within_seconds: float = 0.0
    ) -> frozenset[int]:
        """Return the numbers of the partitions in which the group has caught up with all of `topics`.

        It does not matter which member owns a partition, and a stopped one is not caught up. In these partitions, every
        record that was on Kafka at the time of the call has been applied, dropped or quarantined, for every replica,
        since all share one database. The topics must have the same kind of key. The call waits up to `within_seconds`
        until the `awaited` partitions have caught up. Empty if the broker does not answer or this member has no
        assignment.
        """
        if self._not_ready is not None:
            return frozenset()
        numbers = range(min(topic.partitions for topic in topics))
        tps = {TopicPartition(topic.name, number) for topic in topics for number in numbers}
        at_end = await self._at_end(tps, awaited, time.monotonic() + within_seconds)
        return frozenset(
            number for number in numbers if all(TopicPartition(topic.name, number) in at_end for topic in topics)
        )

    async def _at_end(self, tps: Set[TopicPartition], awaited: Collection[int], until: float) -> Set[TopicPartition]:
        tps = {tp for tp in tps if tp not in self._stopped}
        if self._consumer is None or not tps:
            return frozenset()
        try:
            ends = await asyncio.wait_for(self._ends.read([(tp.topic, tp.partition) for tp in tps]), 10)
        except (StartError, TimeoutError) as error:
            log.warning(END_OFFSETS_UNKNOWN, topics=sorted({tp.topic for tp in tps}), error=str(error))
            return frozenset()
        while True:
            applied = self.applied.next()
            rows = await self._pool.fetch(_NOT_STOPPED, self._group)
            stored = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            reached = frozenset(tp for tp in tps if stored.get(tp, 0) >= ends[tp.topic, tp.partition])
            left = until - time.monotonic()
            if left <= 0 or all(tp in reached for tp in tps if tp.partition in awaited):
                return reached
            await asyncio.wait([applied], timeout=left)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Callback of aiokafka: start consuming each assigned partition."""
        for tp in assigned:
            partition = Partition(
                tp,
                self._streams[tp.topic],
                group=self._group,
                consumer=self._consumer,
                pool=self._pool,
                publisher=self._publisher,
                clock=self._clock,
                wake_relay=self._on_publish,
                on_commit=self._on_commit,
            )
            task = asyncio.create_task(partition.run(), name=f"{tp.topic}/{tp.partition}")
            task.add_done_callback(partial(self._on_partition_end, partition))
            self._partitions[tp] = (partition, task)
        self._not_ready = None
        self._idle_since = math.inf
        log.info(PARTITIONS_ASSIGNED, partitions=sorted(f"{tp.topic}/{tp.partition}" for tp in assigned))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Callback of aiokafka: stop these partitions; transactions still open after STOP_SECONDS roll back."""
        self._not_ready = "the group is rebalancing"
        self._idle_since = time.monotonic()
        await self._stop_partitions(list(revoked))
        self._stopped.discard(revoked)
        for tp in revoked:
            self._committed.pop(tp, None)
            with contextlib.suppress(KeyError):  # no lag was reported yet
                metrics.LAG.remove(tp.topic, str(tp.partition))

    def _on_partition_end(self, partition: Partition[Any], task: asyncio.Task[None]) -> None:
        if self._failed is None or self._failed.done() or task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if stops_alone(error):
            self._stopped.add(partition.tp, partition.position, error)
        else:
            self._failed.set_exception(error)

    async def _join(self) -> AIOKafkaConsumer:
        while True:
            consumer = create_member(
                self._bootstrap, group=self._group, member=self._member, session_seconds=SESSION_SECONDS
            )
            self._consumer = consumer
            consumer.subscribe(topics=list(self._streams), listener=self)
            try:
                await consumer.start()
                return consumer
            except KafkaError as error:
                log.warning(JOIN_FAILED, error=repr(error), reason=self._not_ready)
                await self._leave(consumer)
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                await self._leave(consumer)
                raise

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        await self._stop_partitions(list(self._partitions))
        await stop_client(consumer, within_seconds=STOP_SECONDS)

    async def _stop_partitions(self, tps: Sequence[TopicPartition]) -> None:
        stopping = [self._partitions.pop(tp) for tp in tps if tp in self._partitions]
        for partition, _ in stopping:
            partition.stop()
        tasks = [task for _, task in stopping]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _on_publish(self) -> None:
        self._wake_relay()
        self.published.notify()

    def _on_commit(self, records: int, parked: Sequence[Any]) -> None:
        self.applied.notify()
        self._limit.count(records, parked)

    async def _monitor(self) -> None:
        """Once per second: read the stored offsets, commit offsets to Kafka, report the lag, and detect a stall.

        Every ten seconds: count the quarantined records and end the sessions of frozen replicas. Runs until cancelled.
        Raises StopConsumingError after a stall.
        """
        turn = 0
        while True:
            await asyncio.sleep(1)
            turn += 1
            await self._observe_database()
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._commit(self._partitions), 10)
            stalled = self._report_lag()
            if stalled or time.monotonic() - self._idle_since > self._stall_seconds:
                await self._end_if_stalled(stalled)
            if turn % 10 == 0:
                with contextlib.suppress(*CONNECTION_ERRORS):
                    await inspect_database(self._pool)

    async def _observe_database(self) -> None:
        """Read the stored offsets and pass them to the partitions: a restored database may be behind `position`.

        Correct the stored reasons of stopped partitions.
        """
        try:
            rows = await asyncio.wait_for(self._pool.fetch(_STORED, self._group), 5)
        except CONNECTION_ERRORS as error:
            if not is_transient(error):
                raise
            return  # without an answer an idle partition makes no progress, which readiness reports
        found = {TopicPartition(row["topic"], row["partition"]): row for row in rows}
        for tp, (partition, _) in self._partitions.items():
            row = found.get(tp)
            partition.observe(row["next_offset"] if row else None, requested=row is not None and row["requested"])
        with contextlib.suppress(*CONNECTION_ERRORS):
            await self._stopped.report({tp: row["stopped"] for tp, row in found.items() if tp in self._partitions})

    async def _commit(self, owned: Mapping[TopicPartition, tuple[Partition[Any], object]]) -> None:
        assert self._consumer is not None
        assigned = self._consumer.assignment()
        offsets = {
            tp: partition.position
            for tp, (partition, _) in owned.items()
            if tp in assigned and partition.position >= 0 and self._committed.get(tp) != partition.position
        }
        if offsets:
            await self._consumer.commit(offsets)
            self._committed |= offsets

    def _report_lag(self) -> list[TopicPartition]:
        """Set the lag metric, and return the partitions that have lag and made no progress for `stall_seconds`.

        Stopped partitions are not among them: they are reported, and a restart does not help.
        """
        stalled = []
        for tp, (partition, _) in self._partitions.items():
            lag = self._lag(tp, partition)
            metrics.LAG.labels(tp.topic, tp.partition).set(lag)
            if lag and tp not in self._stopped and time.monotonic() - partition.progress_at > self._stall_seconds:
                stalled.append(tp)
        return stalled

    def _lag(self, tp: TopicPartition, partition: Partition[Any]) -> int:
        """Return how many records the partition is behind the end offset that the broker returned last."""
        if self._consumer is None or tp not in self._consumer.assignment():
            return 0
        return max(0, (self._consumer.highwater(tp) or 0) - max(0, partition.position))

    async def _end_if_stalled(self, stalled: Sequence[TopicPartition]) -> None:
        assert self._consumer is not None
        try:
            await asyncio.wait_for(self._consumer.topics(), 5)
            await asyncio.wait_for(self._pool.fetchval("select 1"), 5)
        except (KafkaError, *CONNECTION_ERRORS):
            return  # broker or database is away, and the partitions retry in place
        names = ", ".join(f"{tp.topic}/{tp.partition}" for tp in stalled)
        what = f"No progress on {names}, which have lag," if stalled else "No assignment by the group"
        raise StopConsumingError(f"{what} for {self._stall_seconds:.0f} s, although broker and database answer.")
