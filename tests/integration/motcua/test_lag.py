"""`motcua lag` against the real broker and database: counts from stored offsets, ages from the broker's stamps."""

import asyncio
import socket
from datetime import timedelta
from pathlib import Path

import psycopg
from aiokafka import AIOKafkaProducer

from motcua import lag
from motcua.embedded import kafka
from shared.contracts.topics import Topic
from shared.messaging.admin import create_topics
from shared.postgres.migrate import migrate
from tests.support import Databases, ServiceDatabase, unique

STORE = "insert into stored_offsets (consumer_group, topic, partition, next_offset) values ('sla', %s, %s, %s)"


def service_database(database: Databases, tmp_path: Path) -> ServiceDatabase:
    fresh = database.fresh()
    migrate(fresh.url("sla"), "sla", tmp_path)
    return fresh


async def fill(broker: kafka.Broker, *counts: int) -> str:
    topic = Topic(unique("lag"), owner="intake", partitions=len(counts))
    await create_topics(broker.bootstrap, [topic], replication=1)
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        for partition, count in enumerate(counts):
            for _ in range(count):
                await producer.send_and_wait(topic.name, b"x", partition=partition)
    return topic.name


async def test_what_is_behind_is_counted_from_the_stored_offset(
    broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """Ends minus stored offsets by partition, with the age of the first record that is not applied."""
    topic = await fill(broker, 5, 2)
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute(STORE, (topic, 0, 3))
        connection.execute(STORE, (topic, 1, 2))
    reading = await asyncio.to_thread(lag.read, broker.bootstrap, fresh.url("verify"))
    first, second = reading.lags
    assert (first.behind, second.behind) == (2, 0)
    assert first.oldest_at is not None
    assert timedelta(0) <= reading.read_at - first.oldest_at < timedelta(minutes=1)
    assert second.oldest_at is None


async def test_waiting_facts_and_held_records_are_counted(
    broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """A service that is not behind on its topics may still hold facts that Kafka has not, and records that wait."""
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute("insert into outbox (fact_id) select gen_random_uuid() from generate_series(1, 3)")
        connection.execute(
            "insert into held_records values ('t', 0, 7, 'k', 2, 1, 'id', 'some.type', 1, '', 'gap', 'missing 1')"
        )
    reading = await asyncio.to_thread(lag.read, broker.bootstrap, fresh.url("verify"))
    assert reading.backlogs == {"sla": lag.Backlog(outbox=3, held=1)}
    assert lag.table(reading).row_count == 1


async def test_a_silent_broker_hides_nothing_that_the_database_knows(database: Databases, tmp_path: Path) -> None:
    """At night, with Kafka hung, the outboxes are what the engineer needs; and the command must not hang, too."""
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute("insert into outbox (fact_id) select gen_random_uuid() from generate_series(1, 3)")
        connection.execute(STORE, ("some.topic", 0, 3))
    with socket.create_server(("127.0.0.1", 0)) as hung:  # takes connections and never says a word
        reading = await asyncio.to_thread(lag.read, f"127.0.0.1:{hung.getsockname()[1]}", fresh.url("verify"))
    assert reading.broker_silent is not None
    assert "Kafka" in reading.broker_silent
    assert reading.backlogs == {"sla": lag.Backlog(outbox=3, held=0)}
    assert lag.table(reading).row_count == 1
