"""Consumer and relay with the test service of tests.support.delivery, on a real broker and database."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts.dossiers import DossierStepRecordedV1
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.topics import TOPICS, Topic
from shared.messaging import quarantine as quarantined
from shared.messaging.admin import create_topics
from shared.messaging.applier import Handler, Stream
from shared.messaging.consumer import Consumer
from shared.messaging.quarantine import OperatorDecision
from shared.messaging.relay import Relay
from shared.postgres.migrate import migrate
from shared.postgres.pool import create_pool
from shared.postgres.unit_of_work import unit_of_work
from tests.support.delivery import (
    MOMENT,
    SERVICE,
    TALLIES,
    TALLIES_SQL,
    FrozenClock,
    Tally,
    cause,
    counting,
    publisher,
    step,
)
from tests.support.kafka import EventProducer, RawRecord
from tests.support.replica import Replica
from tests.support.unique import unique
from tests.support.waiting import eventually


def prepare(dsn: str, folder: Path) -> None:
    """Create the delivery tables and the table of the test service. Blocks."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "0100_tallies.sql").write_text(TALLIES_SQL)
    migrate(dsn, SERVICE, folder)


def event_class_of(topic: Topic) -> type[DossierStepRecordedV1]:
    """A class of the recorded step that belongs to the test's topic."""
    return type("Told", (DossierStepRecordedV1,), {"TOPIC": topic.name, "__module__": __name__})


@dataclass
class Shell:
    """The test service of one test, with its own database, topics and consumer group."""

    bootstrap: str
    dsn: str
    pool: asyncpg.Pool
    group: str = field(default_factory=lambda: unique("group"))
    _producer: EventProducer | None = None
    _topics: list[str] = field(default_factory=list)

    @staticmethod
    def wake_no_relay() -> None:
        """A callback for parts that would wake a relay."""

    def replica(self, *topics: Topic, member: str = "one", **more: Any) -> Replica:
        """A replica of the service in its own process."""
        places = {topic.name: topic.partitions for topic in topics}
        return Replica(self.bootstrap, self.dsn, self.group, f"{self.group}-{member}", places, **more)

    async def topic(self, name: str = "steps", *, partitions: int = 1, replication: int = 1) -> Topic:
        """A new topic, which is also in TOPICS until the shell is closed."""
        topic = Topic(unique(name), owner="intake", partitions=partitions)
        await create_topics(self.bootstrap, [topic], replication=replication)
        TOPICS[topic.name] = topic
        self._topics.append(topic.name)
        return topic

    async def send(self, topic: Topic, *events: AnyEnvelope) -> None:
        """Publish events to Kafka in this order, as a relay does."""
        await (await self._started_producer()).send(events, topic)

    async def send_raw(self, topic: Topic, records: Iterable[RawRecord]) -> None:
        """Publish records with any bytes to Kafka."""
        await (await self._started_producer()).send_raw(topic, records)

    async def _started_producer(self) -> EventProducer:
        if self._producer is None:
            self._producer = EventProducer(self.bootstrap)
            await self._producer.start()
        return self._producer

    @asynccontextmanager
    async def flow(self, topic: Topic, keys: Sequence[UUID], *, backlog: int = 1500) -> AsyncIterator[list[int]]:
        """Publish rounds of one event per dossier inside the context, with at most `backlog` events not yet applied.

        Yields the list of published rounds, which grows.
        """
        rounds: list[int] = []
        stop = asyncio.Event()

        async def near(sent: int) -> bool:
            return stop.is_set() or sent - sum((await self.stored(topic)).values()) < backlog

        async def send() -> None:
            while not stop.is_set():
                rounds.append(len(rounds) + 1)
                await self.send(topic, *(step(key, rounds[-1]) for key in keys))
                await eventually(lambda: near(len(rounds) * len(keys)), within=60)

        task = asyncio.create_task(send())
        try:
            yield rounds
        finally:
            stop.set()
            await task

    async def close(self) -> None:
        """Close the producer and the pool, and remove the topics from TOPICS."""
        for name in self._topics:
            TOPICS.pop(name, None)
        if self._producer is not None:
            await self._producer.stop()
        self.pool.terminate()

    def consumer(
        self,
        *topics: Topic,
        member: str = "one",
        handler: Handler[Tally] | None = None,
        pool: asyncpg.Pool | None = None,
        stall_seconds: float = 60.0,
    ) -> Consumer:
        """A consumer of the service."""
        on_step = handler or counting()
        return Consumer(
            [Stream(topic=topic, table=TALLIES, handlers={DossierStepRecordedV1: on_step}) for topic in topics],
            bootstrap=self.bootstrap,
            group=self.group,
            member=f"{self.group}-{member}",
            pool=pool or self.pool,
            publisher=publisher(),
            clock=FrozenClock(),
            wake_relay=self.wake_no_relay,
            stall_seconds=stall_seconds,
        )

    @asynccontextmanager
    async def consuming(self, *topics: Topic, **more: Any) -> AsyncIterator[Consumer]:
        """A consumer that runs inside the context; its own failure is raised at the end."""
        consumer = self.consumer(*topics, **more)
        async with background(consumer.run()):
            yield consumer

    def relay(self, name: str = "relay") -> Relay:
        """A relay of the service."""
        return Relay(self.dsn, SERVICE, bootstrap=self.bootstrap, client_id=name)

    async def publish(self, topic: Topic, key: UUID, *activities: str) -> None:
        """Publish events in one transaction, as an act does."""
        event_class = event_class_of(topic)
        async with unit_of_work(
            self.pool, TALLIES, [key], publisher=publisher(), clock=FrozenClock(), on_publish=self.wake_no_relay
        ) as (_, unit):
            for activity in activities:
                unit.publish(
                    unit.row(key),
                    event_class(state="processing", activity=activity),
                    time=MOMENT,
                    cause=cause(unique("act")),
                )

    async def create_rows(self, *keys: UUID) -> None:
        """Create rows of dossiers for which no record was applied yet."""
        async with unit_of_work(
            self.pool, TALLIES, keys, publisher=publisher(SERVICE), clock=FrozenClock(), on_publish=self.wake_no_relay
        ) as (_, unit):
            for key in keys:
                unit.row(key)

    async def rows(self) -> Mapping[UUID, Tally]:
        """All committed rows."""
        async with self.pool.acquire() as connection:
            keys = [row["dossier_id"] for row in await connection.fetch("select dossier_id from tallies")]
            async with connection.transaction():
                return await TALLIES.lock(connection, keys)

    async def steps(self, key: UUID) -> list[str]:
        """The applied activities of one dossier, in order. Does not wait."""
        found = await self.pool.fetchval("select steps #>> '{}' from tallies where dossier_id = $1", key)
        return [] if found is None else list(json.loads(found))

    async def quarantined(self) -> list[tuple[int, str]]:
        """Offsets and reasons of the quarantined records."""
        rows = await self.pool.fetch(
            'select "offset", reason from quarantined_records order by topic, partition, "offset"'
        )
        return [(row["offset"], row["reason"]) for row in rows]

    async def decide(self, topic: Topic, offset: int, verdict: OperatorDecision, *, partition: int = 0) -> None:
        """Request a replay or a discard, as an operator does."""
        async with self.pool.acquire() as connection:
            await quarantined.request(connection, topic.name, partition, offset, verdict, by="ops-1")

    async def no_request(self) -> bool:
        """Whether every request has been carried out."""
        return not await self.pool.fetchval("select count(*) from quarantined_records where request is not null")

    async def nothing_to_send(self) -> bool:
        """Whether Kafka has acknowledged every event."""
        return not await self.pool.fetchval("select exists (select from outbox)")

    async def nothing_quarantined(self) -> bool:
        """Whether no record is quarantined."""
        return not await self.pool.fetchval("select count(*) from quarantined_records")

    async def stored(self, topic: Topic) -> dict[int, int]:
        """The next offset of each partition, as stored in the database."""
        rows = await self.pool.fetch("select partition, next_offset from stored_offsets where topic = $1", topic.name)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def stopped(self, topic: Topic) -> dict[int, str]:
        """The reason of each partition that has stopped, as stored in the database."""
        rows = await self.pool.fetch(
            "select partition, stopped from stored_offsets where topic = $1 and stopped is not null", topic.name
        )
        return {row["partition"]: row["stopped"] for row in rows}

    async def stop_of(self, topic: Topic, partition: int = 0) -> str:
        """Wait until a partition has stopped, and return the reason."""

        async def has_stopped() -> bool:
            return partition in await self.stopped(topic)

        await eventually(has_stopped, within=30)
        return (await self.stopped(topic))[partition]

    async def committed(self, topic: Topic) -> dict[int, int]:
        """The next offset of each partition, as committed to Kafka, where lag tools read it."""
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.group) as consumer:
            places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
            consumer.assign(places)
            return {place.partition: await consumer.committed(place) for place in places}

    async def ends(self, topic: Topic) -> dict[int, int]:
        """The end offset of each partition."""
        places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:
            return {place.partition: end for place, end in (await consumer.end_offsets(places)).items()}

    async def caught_up(self, *topics: Topic, within: float = 20) -> None:
        """Wait until all records that are now on Kafka are applied or quarantined."""
        for topic in topics:
            ends = await self.ends(topic)

            async def reached(topic: Topic = topic, ends: dict[int, int] = ends) -> None:
                assert await self.stored(topic) == ends

            await eventually(lambda: _true(reached()), within=within)

    async def on_kafka(self, topic: Topic) -> list[Any]:
        """All records of the topic, sorted by partition and offset."""
        ends = await self.ends(topic)
        found: list[Any] = []
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest") as consumer:
            places = [TopicPartition(topic.name, number) for number, end in ends.items() if end]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            while sum(ends.values()) > len(found):
                for records in (await consumer.getmany(timeout_ms=1000)).values():
                    found += records
        return sorted(found, key=lambda record: (record.partition, record.offset))


async def _true(step: Any) -> bool:
    await step
    return True


@asynccontextmanager
async def background(*coroutines: Any) -> AsyncIterator[list["asyncio.Task[None]"]]:
    """Run coroutines inside the context and cancel them at the end. The failure of one fails the test."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def opened(bootstrap: str, dsn: str, folder: Path) -> AsyncIterator[Shell]:
    """A prepared service with its pool, closed at the end of the context."""
    await asyncio.to_thread(prepare, dsn, folder)
    shell = Shell(bootstrap, dsn, await create_pool(dsn, SERVICE))
    try:
        yield shell
    finally:
        await shell.close()
