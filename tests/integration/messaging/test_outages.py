"""Outages of broker or database: nothing is lost, duplicated or reordered."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from motcua.local.embedded.kafka import Broker
from motcua.local.embedded.postgres import Postgres
from shared.contracts.topics import Topic
from shared.messaging.admin import create_topics
from shared.messaging.partition import StopConsumingError
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from tests.support import eventually
from tests.support.delivery import dossier, step
from tests.support.shell import Shell, background

KEYS = [dossier(n) for n in range(1, 21)]


@asynccontextmanager
async def acts(shell: Shell, topic: Topic, key: UUID) -> AsyncIterator[list[str]]:
    """Publish events of one dossier one after the other; the list contains those whose commit was confirmed.

    While the database is away an act fails, as a client's request would, and is not listed.
    """
    confirmed: list[str] = []
    stop = asyncio.Event()

    async def act() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                await shell.publish(topic, key, f"{number}")
                confirmed.append(f"{number}")
            except CONNECTION_ERRORS as error:  # a client would get 503 and retry
                if not is_transient(error):
                    raise

    task = asyncio.create_task(act())
    try:
        yield confirmed
    finally:
        stop.set()
        await task


async def published(shell: Shell, key: UUID) -> list[str]:
    """The events that the service published about a dossier, by sequence; consumers must have the same."""
    rows = await shell.pool.fetch(
        "select value::jsonb #>> '{data,activity}' as activity from events where key = $1 order by sequence", str(key)
    )
    return [row["activity"] for row in rows]


async def all_arrived(shell: Shell, topic: Topic, key: UUID, confirmed: list[str]) -> None:
    """Every published event takes effect once and in order, and every confirmed one is published."""
    await eventually(shell.nothing_to_send, within=60)
    await shell.caught_up(topic, within=60)
    events = await published(shell, key)
    assert await shell.steps(key) == events
    assert set(confirmed) <= set(events)
    assert len(events) == len(set(events))
    assert await shell.quarantined() == []


async def count(shell: Shell, key: UUID) -> int:
    return len(await shell.steps(key))


async def test_killed_broker_that_restarts_loses_nothing(shell: Shell, broker: Broker) -> None:
    """Acts continue without the broker; relay and consumer resume when it restarts."""
    topic = await shell.topic(partitions=3)
    key = KEYS[0]
    async with background(shell.relay().run(), shell.consumer(topic).run()):
        async with acts(shell, topic, key) as confirmed:
            await eventually(lambda: count(shell, key), within=30)
            await asyncio.to_thread(broker.kill)
            try:
                at = len(confirmed)
                await eventually(lambda: len(confirmed) > at + 100, within=30)
            finally:
                await asyncio.to_thread(broker.start)
            await eventually(lambda: reached(shell, key, at + 50), within=60)
        await all_arrived(shell, topic, key, confirmed)


async def reached(shell: Shell, key: UUID, effects: int) -> bool:
    return await count(shell, key) >= effects


async def test_stopped_database_that_restarts_loses_nothing(shell: Shell, postgres: Postgres) -> None:
    """An immediate stop rolls back open transactions; relay and consumer resume when the database restarts."""
    topic = await shell.topic(partitions=3)
    key = KEYS[0]
    async with background(shell.relay().run(), shell.consumer(topic).run()):
        async with acts(shell, topic, key) as confirmed:
            await eventually(lambda: count(shell, key), within=30)
            for _ in range(2):
                at = len(confirmed)
                await asyncio.to_thread(postgres.stop_immediately)
                await asyncio.to_thread(postgres.start)
                await eventually(lambda at=at: len(confirmed) > at + 50, within=60)  # type: ignore[misc]
        await all_arrived(shell, topic, key, confirmed)


async def test_deleted_records_stop_the_partition(shell: Shell) -> None:
    """If Kafka deleted records before they were applied, the partition stops and its reason names the offsets."""
    topic = await shell.topic()
    await shell.send(topic, *(step(KEYS[0], n) for n in range(1, 4)))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    await shell.send(topic, *(step(KEYS[0], n) for n in range(4, 9)))
    await delete_before(shell, topic, 6)
    async with shell.consuming(topic):
        assert re.search(r"Kafka deleted offsets 3 to 5 of .*retention", await shell.stop_of(topic))
    assert await shell.steps(KEYS[0]) == ["1", "2", "3"]
    assert await shell.stored(topic) == {0: 3}


async def test_deleted_records_at_the_end_stop_an_idle_partition(shell: Shell) -> None:
    """The consumer detects deleted records even if no later record arrives."""
    topic = await shell.topic()
    await shell.send(topic, step(KEYS[0], 1), step(KEYS[0], 2))
    await delete_before(shell, topic, 2)
    async with shell.consuming(topic):
        assert "Kafka deleted offsets 0 to 1 of" in await shell.stop_of(topic)


async def test_topic_that_was_created_again_stops_the_partition(shell: Shell) -> None:
    """If the topic ends before the stored offset, the partition stops; it would drop new events as redelivered."""
    topic = await shell.topic()
    await shell.send(topic, *(step(KEYS[0], n) for n in range(1, 4)))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    admin = AIOKafkaAdminClient(bootstrap_servers=shell.bootstrap)
    await admin.start()
    await admin.delete_topics([topic.name])
    await admin.close()

    async def created() -> bool:
        return bool(await create_topics(shell.bootstrap, [topic], replication=1))

    await eventually(created, within=20)
    async with shell.consuming(topic) as consumer:
        assert "ends before offset 3, up to which it was applied" in await shell.stop_of(topic)
        assert await consumer.caught_up_in_group(topic) == frozenset(), "the stored offset is beyond the end"
    assert await shell.stored(topic) == {0: 3}


async def delete_before(shell: Shell, topic: Topic, offset: int) -> None:
    """Delete the records before an offset, as retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=shell.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic.name, 0): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()


async def test_stall_ends_the_process(shell: Shell) -> None:
    """With lag but without progress, while broker and database answer, the process ends and names the partition."""
    topic = await shell.topic()
    await shell.create_rows(KEYS[0])
    await shell.send(topic, step(KEYS[0], 1))
    async with shell.pool.acquire() as connection, connection.transaction():
        await connection.execute("select from tallies for update")
        with pytest.raises(StopConsumingError, match=rf"No progress on {topic.name}/0, which have lag, for 2 s"):
            await asyncio.wait_for(shell.consumer(topic, stall_seconds=2.0).run(), 40)
