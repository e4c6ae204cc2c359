"""The consumer of a service: static member of one group, a Partition for each partition that it holds."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from shared.contracts.topics import Topic
from shared.kernel.clock import Clock
from shared.kernel.errors import StartError
from shared.messaging import metrics
from shared.messaging.applier import Stream
from shared.messaging.lag import Ends
from shared.messaging.parked_limit import ParkedLimit
from shared.messaging.partition import Partition, StopConsumingError
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.postgres.outbox import Publisher
from shared.postgres.pool import end_frozen_sessions
from shared.runtime.supervision import Signal

log = structlog.get_logger()

SESSION_SECONDS = 10
GAP_ALARM_SECONDS = 60
STOP_SECONDS = 5.0
_NEVER_MS = 24 * 3600 * 1000
"""For Kafka's limit between two polls. aiokafka leaves the group then and, nobody polling, never joins again: five
minutes without the database would end consumption in silence. Our own look-out for stalls takes that limit's place."""

# One statement for all partitions: an idle service asks the database once a second, however many it holds.
_STANDING = (
    "select topic, partition, next_offset, exists (select from quarantined_records h where h.topic = s.topic"
    " and h.partition = s.partition and h.request is not null) as asked "
    "from stored_offsets s where consumer_group = $1"
)


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka publishes no types
    """Consumes `streams` as `member` of `group` until it is cancelled.

    `applied` happens with each transaction on records that this process commits, `told` with each that told events.

    Kafka's own commit is for lag tools alone: the stored offsets in the database are the truth, and every partition
    seeks there when it is assigned.
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
        self._ends = Ends(bootstrap)
        self._partitions: dict[TopicPartition, tuple[Partition[Any], asyncio.Task[None]]] = {}
        self._failed: asyncio.Future[None] | None = None
        self._limit = ParkedLimit()
        self.applied = Signal()
        self.told = Signal()
        self._committed: dict[TopicPartition, int] = {}
        names = ", ".join(self._streams)
        self._not_ready: str | None = f"not joined yet: it needs Kafka at {bootstrap} and {names} (`motcua topics`)"
        self._idle_since = time.monotonic()

    async def run(self) -> None:
        """Join and consume. Raises StopConsumingError, UpgradeNeededError or whatever else must end the process."""
        self._failed = asyncio.get_running_loop().create_future()
        self._consumer = await self._joined()
        try:
            watch = asyncio.create_task(self._watch())
            await asyncio.wait([watch, self._failed], return_when=asyncio.FIRST_COMPLETED)
            for ended in (self._failed, watch):
                if ended.done():
                    ended.result()
        finally:
            watch.cancel()
            quarantined = dict(self._partitions)
            await self._stop_partitions(list(quarantined))
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._commit(quarantined), STOP_SECONDS)
            await self._leave(self._consumer)
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._ends.close(), STOP_SECONDS)

    def reason_not_ready(self) -> str | None:
        """None while this member has its assignment and every partition of it gets on."""
        if self._not_ready is not None:
            return self._not_ready
        if any(partition.position < 0 for partition, _ in self._partitions.values()):
            return "not all partitions stand at their stored offsets yet"
        stalled = [
            f"{tp.topic}/{tp.partition} for {time.monotonic() - partition.progress_at:.0f} s"
            for tp, (partition, _) in self._partitions.items()
            if time.monotonic() - partition.progress_at > self._stall_seconds / 4
        ]
        return f"no progress on {', '.join(stalled)}" if stalled else None

    async def caught_up(self, topic: Topic) -> frozenset[int]:
        """QuarantinedRecord partitions of `topic` whose stored offset has reached the end offset that the broker
        names now.

        What was on Kafka when this was called has taken effect in these. Without an answer: none.
        """
        quarantined = {tp for tp in self._partitions if tp.topic == topic.name}
        return frozenset(tp.partition for tp in await self._at_end(quarantined, (), 0.0))

    async def caught_up_by_any(
        self, *topics: Topic, awaited: Collection[int] = (), within_seconds: float = 0.0
    ) -> frozenset[int]:
        """Partitions in which the group has caught up with all of `topics`, which are keyed alike, whoever holds them.

        Stored offsets and what records did stand in the one database, so this holds for every replica; members need
        not hold the same partitions of each topic. None without an answer, and without a place in the group.
        Waits up to `within_seconds` until those `awaited` have reached the ends named at first: where events flow, some
        partition is behind at every moment.
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
        if self._consumer is None or not tps:
            return frozenset()
        try:
            ends = await asyncio.wait_for(self._ends.read([(tp.topic, tp.partition) for tp in tps]), 10)
        except (StartError, TimeoutError) as error:
            log.warning("end_offsets_unknown", topics=sorted({tp.topic for tp in tps}), error=str(error))
            return frozenset()
        while True:
            applied = self.applied.next()
            rows = await self._pool.fetch(
                "select topic, partition, next_offset from stored_offsets where consumer_group = $1", self._group
            )
            stored = {TopicPartition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            reached = frozenset(tp for tp in tps if stored.get(tp, 0) >= ends[tp.topic, tp.partition])
            left = until - time.monotonic()
            if left <= 0 or all(tp in reached for tp in tps if tp.partition in awaited):
                return reached
            await asyncio.wait([applied], timeout=left)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Called by aiokafka: start a Partition for each."""
        for tp in assigned:
            partition = Partition(
                tp,
                self._streams[tp.topic],
                group=self._group,
                consumer=self._consumer,
                pool=self._pool,
                publisher=self._publisher,
                clock=self._clock,
                wake_relay=self._told,
                seen=self._seen,
            )
            task = asyncio.create_task(partition.run(), name=f"{tp.topic}/{tp.partition}")
            task.add_done_callback(self._ended)
            self._partitions[tp] = (partition, task)
        self._not_ready = None
        self._idle_since = math.inf
        log.info("partitions_assigned", partitions=sorted(f"{tp.topic}/{tp.partition}" for tp in assigned))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Called by aiokafka: let transactions under way end, shortly; what is cut off is read again."""
        self._not_ready = "a rebalance of the group is under way"
        self._idle_since = time.monotonic()
        await self._stop_partitions(list(revoked))
        for tp in revoked:
            self._committed.pop(tp, None)
            with contextlib.suppress(KeyError):  # no lag was told yet
                metrics.LAG.remove(tp.topic, str(tp.partition))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._failed is None or self._failed.done() or task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._failed.set_exception(error)

    async def _joined(self) -> AIOKafkaConsumer:
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                group_id=self._group,
                group_instance_id=self._member,
                client_id=self._member,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=SESSION_SECONDS * 1000,
                heartbeat_interval_ms=2000,
                max_poll_interval_ms=_NEVER_MS,
                fetch_max_wait_ms=100,  # a full partition waits for the fetch of its idle neighbours under way
                max_partition_fetch_bytes=1 << 20,
            )
            self._consumer = consumer
            consumer.subscribe(topics=list(self._streams), listener=self)
            try:
                await consumer.start()
                return consumer
            except KafkaError as error:
                log.warning("join_failed", error=repr(error), reason=self._not_ready)
                await self._leave(consumer)
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                await self._leave(consumer)
                raise

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        await self._stop_partitions(list(self._partitions))
        with contextlib.suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(consumer.stop(), STOP_SECONDS)

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

    def _told(self) -> None:
        self._wake_relay()
        self.told.tell()

    def _seen(self, records: int, parked: Sequence[Any]) -> None:
        self.applied.tell()
        self._limit.seen(records, parked)

    async def _watch(self) -> None:
        """Once a second: see where the database stands, commit for lag tools, tell the lag, look for a stall.

        Every tenth time look around.
        """
        turn = 0
        while True:
            await asyncio.sleep(1)
            turn += 1
            await self._notice()
            with contextlib.suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(self._commit(self._partitions), 10)
            behind = self._tell_lag()
            if behind or time.monotonic() - self._idle_since > self._stall_seconds:
                await self._end_if_stalled(behind)
            if turn % 10 == 0:
                with contextlib.suppress(*CONNECTION_ERRORS):
                    await self._look_around()

    async def _notice(self) -> None:
        """Tell every partition where the database stands: a restored one may be before its position."""
        try:
            rows = await asyncio.wait_for(self._pool.fetch(_STANDING, self._group), 5)
        except CONNECTION_ERRORS as error:
            if not is_transient(error):
                raise
            return  # without an answer an idle partition makes no progress, and readiness says so
        standing = {TopicPartition(row["topic"], row["partition"]): (row["next_offset"], row["asked"]) for row in rows}
        for tp, (partition, _) in self._partitions.items():
            stored, asked = standing.get(tp, (None, False))
            partition.notice(stored, asked=asked)

    async def _commit(self, quarantined: Mapping[TopicPartition, tuple[Partition[Any], object]]) -> None:
        assert self._consumer is not None
        assigned = self._consumer.assignment()
        offsets = {
            tp: partition.position
            for tp, (partition, _) in quarantined.items()
            if tp in assigned and partition.position >= 0 and self._committed.get(tp) != partition.position
        }
        if offsets:
            await self._consumer.commit(offsets)
            self._committed |= offsets

    def _tell_lag(self) -> list[TopicPartition]:
        """Set the lag metric; give the partitions in which records wait and nothing has moved for too long."""
        assert self._consumer is not None
        stalled = []
        for tp, (partition, _) in self._partitions.items():
            end = self._consumer.highwater(tp) if tp in self._consumer.assignment() else None
            behind = max(0, (end or 0) - max(0, partition.position))
            metrics.LAG.labels(tp.topic, tp.partition).set(behind)
            if behind and time.monotonic() - partition.progress_at > self._stall_seconds:
                stalled.append(tp)
        return stalled

    async def _end_if_stalled(self, behind: Sequence[TopicPartition]) -> None:
        assert self._consumer is not None
        try:
            await asyncio.wait_for(self._consumer.topics(), 5)
            await asyncio.wait_for(self._pool.fetchval("select 1"), 5)
        except (KafkaError, *CONNECTION_ERRORS):
            return  # not our fault: broker or database is away, and the partitions retry in place
        names = ", ".join(f"{tp.topic}/{tp.partition}" for tp in behind)
        what = f"no progress on {names}, where records wait," if behind else "no assignment by the group"
        raise StopConsumingError(f"{what} for {self._stall_seconds:.0f} s although broker and database answer")

    async def _look_around(self) -> None:
        """Count what is quarantined, and free the locks of replicas that froze."""
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(
                "select reason, count(*) as n, extract(epoch from now() - min(quarantined_at)) as age "
                "from quarantined_records group by 1"
            )
            if ended := await end_frozen_sessions(connection):
                log.error("frozen_sessions_ended", sessions=ended)
        counts = {row["reason"]: row["n"] for row in rows}
        for reason in ("parked", "gap", "fork", "behind", "unreadable"):
            metrics.QUARANTINED.labels(reason).set(counts.get(reason, 0))
        for row in rows:
            if row["reason"] != "gap" or row["age"] > GAP_ALARM_SECONDS:
                log.error("records_held", reason=row["reason"], records=row["n"], oldest_seconds=int(row["age"]))
