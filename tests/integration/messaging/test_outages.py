"""Broker or database go away with a backlog and come back: nothing is lost, doubled or reordered."""

import asyncio
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
    """Publish events of one dossier, one after the other, without end; gives those whose commit was heard.

    While the database is away an act fails, as a client's request would, and is not counted.
    """
    heard: list[str] = []
    stop = asyncio.Event()

    async def act() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            try:
                await shell.publish(topic, key, f"{number}")
                heard.append(f"{number}")
            except CONNECTION_ERRORS as error:  # a client would be told to try again
                if not is_transient(error):
                    raise

    task = asyncio.create_task(act())
    try:
        yield heard
    finally:
        stop.set()
        await task


async def told(shell: Shell, key: UUID) -> list[str]:
    """What the service has told about a dossier, in sequence: the truth that readers must equal."""
    rows = await shell.pool.fetch(
        "select value::jsonb #>> '{data,activity}' as activity from events where key = $1 order by sequence", str(key)
    )
    return [row["activity"] for row in rows]


async def all_arrived(shell: Shell, topic: Topic, key: UUID, heard: list[str]) -> None:
    """Everything told has taken effect once and in order, and everything that a client heard was told."""
    await eventually(shell.nothing_to_send, within=60)
    await shell.caught_up(topic, within=60)
    events = await told(shell, key)
    assert await shell.steps(key) == events
    assert set(heard) <= set(events)
    assert len(events) == len(set(events))
    assert await shell.quarantined() == []


async def count(shell: Shell, key: UUID) -> int:
    return len(await shell.steps(key))


async def test_the_broker_is_killed_and_comes_back(shell: Shell, broker: Broker) -> None:
    """Acts go on while it is away; relay and consumer go on by themselves when it is back."""
    topic = await shell.topic(partitions=3)
    key = KEYS[0]
    async with background(shell.relay().run(), shell.consumer(topic).run()):
        async with acts(shell, topic, key) as heard:
            await eventually(lambda: count(shell, key), within=30)
            await asyncio.to_thread(broker.kill)
            try:
                at = len(heard)
                await eventually(lambda: len(heard) > at + 100, within=30)
            finally:
                await asyncio.to_thread(broker.start)
            await eventually(lambda: reached(shell, key, at + 50), within=60)
        await all_arrived(shell, topic, key, heard)


async def reached(shell: Shell, key: UUID, effects: int) -> bool:
    return await count(shell, key) >= effects


async def test_postgres_is_stopped_at_once_and_comes_back(shell: Shell, postgres: Postgres) -> None:
    """As if its machine were lost: open transactions are gone, everything else goes on where it stood."""
    topic = await shell.topic(partitions=3)
    key = KEYS[0]
    async with background(shell.relay().run(), shell.consumer(topic).run()):
        async with acts(shell, topic, key) as heard:
            await eventually(lambda: count(shell, key), within=30)
            for _ in range(2):
                at = len(heard)
                await asyncio.to_thread(postgres.stop_immediately)
                await asyncio.to_thread(postgres.start)
                await eventually(lambda at=at: len(heard) > at + 50, within=60)  # type: ignore[misc]
        await all_arrived(shell, topic, key, heard)


async def test_records_beyond_the_retention_stop_the_consumer(shell: Shell) -> None:
    """What Kafka deleted unread cannot be made up for by reading on: the consumer says which offsets are gone."""
    topic = await shell.topic()
    await shell.send(topic, *(step(KEYS[0], n) for n in range(1, 4)))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    await shell.send(topic, *(step(KEYS[0], n) for n in range(4, 9)))
    await delete_before(shell, topic, 6)
    with pytest.raises(StopConsumingError, match=r"offsets 3 to 5 of .* are gone from Kafka.*retention"):
        await asyncio.wait_for(shell.consumer(topic).run(), 30)
    assert await shell.steps(KEYS[0]) == ["1", "2", "3"]
    assert await shell.stored(topic) == {0: 3}


async def test_a_hole_up_to_the_end_is_seen_without_a_new_record(shell: Shell) -> None:
    """All unread records are gone and none follows: an idle consumer notices, too."""
    topic = await shell.topic()
    await shell.send(topic, step(KEYS[0], 1), step(KEYS[0], 2))
    await delete_before(shell, topic, 2)
    with pytest.raises(StopConsumingError, match="offsets 0 to 1 of"):
        await asyncio.wait_for(shell.consumer(topic).run(), 30)


async def test_a_topic_made_anew_stops_the_consumer(shell: Shell) -> None:
    """Kafka holds less than was applied: reading on would drop new events as redelivered ones until it caught up."""
    topic = await shell.topic()
    await shell.send(topic, *(step(KEYS[0], n) for n in range(1, 4)))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    admin = AIOKafkaAdminClient(bootstrap_servers=shell.bootstrap)
    await admin.start()
    await admin.delete_topics([topic.name])
    await admin.close()

    async def made() -> bool:
        return bool(await create_topics(shell.bootstrap, [topic], replication=1))

    await eventually(made, within=20)
    with pytest.raises(StopConsumingError, match="ends before offset 3, up to which it was applied"):
        await asyncio.wait_for(shell.consumer(topic).run(), 30)
    assert await shell.stored(topic) == {0: 3}


async def delete_before(shell: Shell, topic: Topic, offset: int) -> None:
    """As retention would, or a person."""
    admin = AIOKafkaAdminClient(bootstrap_servers=shell.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic.name, 0): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()


async def test_a_stall_ends_the_process(shell: Shell) -> None:
    """Records wait, broker and database answer, and nothing moves: the process ends and says where."""
    topic = await shell.topic()
    await shell.know(KEYS[0])
    await shell.send(topic, step(KEYS[0], 1))
    async with shell.pool.acquire() as connection, connection.transaction():
        await connection.execute("select from tallies for update")
        with pytest.raises(StopConsumingError, match=rf"no progress on {topic.name}/0, where records wait, for 2 s"):
            await asyncio.wait_for(shell.consumer(topic, stall_seconds=2.0).run(), 40)
