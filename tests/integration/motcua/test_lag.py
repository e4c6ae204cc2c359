"""`motcua lag` against the real broker and database: counts from stored offsets, ages from the broker's stamps."""

import io
import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from aiokafka import AIOKafkaProducer
from rich.console import Console

from motcua.cli import lag
from motcua.local.database import grant_to_ops
from motcua.local.embedded import kafka
from services.ops.report import LagReport, alarms, lag_report
from services.ops.watching import Watcher
from shared.contracts.topics import Topic
from shared.kernel.errors import StartError
from shared.messaging.admin import create_topics
from shared.messaging.lag import Stamps
from shared.postgres.migrate import migrate
from tests.support import Databases, ServiceDatabase, unique

STORE = "insert into stored_offsets (consumer_group, topic, partition, next_offset) values ('sla', %s, %s, %s)"
HOLD = "insert into quarantined_records values ('t', 0, 7, 'k', 2, 1, 'id', 'some.type', 1, '', 'gap', 'missing 1')"
COMMAND = (
    "from motcua.__main__ import main; from motcua.local.settings import MotcuaSettings; "
    "MotcuaSettings.database_url = lambda self, role: '{url}'; main()"
)
"""The command on a database of the tests' own name."""


def shown(report: LagReport) -> str:
    """The tables, as a wide terminal has them."""
    told = io.StringIO()
    Console(width=200, file=told).print(lag.tables(report))
    return told.getvalue()


def service_database(database: Databases, tmp_path: Path) -> ServiceDatabase:
    fresh = database.fresh()
    migrate(fresh.url("sla"), "sla", tmp_path)
    grant_to_ops(fresh.server_url, "sla", database=fresh.name)
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
    report = await lag.read(broker.bootstrap, fresh.url("ops"), between_seconds=0)
    (told,) = report.topics
    assert (told.group, told.topic, told.behind) == ("sla", topic, 2)
    first, second = told.partitions
    assert (first.behind, second.behind) == (2, 0)
    assert first.oldest_at is not None
    assert timedelta(seconds=-1) <= report.read_at - first.oldest_at < timedelta(minutes=1)
    assert second.oldest_at is None


async def test_two_groups_at_two_offsets_of_one_partition_each_have_their_oldest(broker: kafka.Broker) -> None:
    """The stamp is that of the record at the asked offset, and is the same when asked again."""
    topic = await fill(broker, 3)
    stamps = Stamps(broker.bootstrap)
    try:
        wanted = [((topic, 0), 0), ((topic, 0), 2)]
        first = await stamps.read(wanted)
        assert first.keys() == set(wanted)
        assert first[wanted[0]] <= first[wanted[1]]
        assert await stamps.read(wanted) == first
    finally:
        await stamps.close()


async def test_a_record_that_is_not_there_has_no_stamp(broker: kafka.Broker) -> None:
    """Unknown, within seconds; never another record's."""
    topic = await fill(broker, 1)
    stamps = Stamps(broker.bootstrap)
    try:
        assert await stamps.read([((topic, 0), 7)]) == {}
    finally:
        await stamps.close()


async def test_rates_and_last_progress_are_told(broker: kafka.Broker, database: Databases, tmp_path: Path) -> None:
    """What moved between two looks is the rate; when it last moved stands in the database, for whoever looks later."""
    topic = await fill(broker, 8)
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla"), autocommit=True) as connection:
        connection.execute(STORE, (topic, 0, 3))
        watcher = Watcher(broker.bootstrap, fresh.url("ops"))
        try:
            readings = [await watcher.look()]
            connection.execute("update stored_offsets set next_offset = 6, moved_at = clock_timestamp()")
            readings.append(await watcher.look())
        finally:
            await watcher.close()
    (told,) = lag_report(readings).topics
    assert told.applied_per_second > 0
    assert told.arriving_per_second == 0
    assert told.behind == 2
    assert told.catch_up_seconds is not None
    assert told.moved_at is not None


async def test_waiting_events_and_held_records_are_counted(
    broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """A service that is not behind on its topics may still hold events that Kafka has not, and records that wait."""
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute("insert into outbox (event_id) select gen_random_uuid() from generate_series(1, 3)")
        connection.execute(HOLD)
    report = await lag.read(broker.bootstrap, fresh.url("ops"), between_seconds=0)
    (told,) = report.services
    assert (told.service, told.outbox) == ("sla", 3)
    assert told.outbox_oldest_at is not None
    assert [(quarantined.reason, quarantined.records) for quarantined in told.quarantined] == [("gap", 1)]
    assert "nothing applied yet" in shown(report)


async def test_a_silent_broker_hides_nothing_that_the_database_knows(database: Databases, tmp_path: Path) -> None:
    """At night, with Kafka hung, the outboxes are what the engineer needs; and the command must not hang, too."""
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute("insert into outbox (event_id) select gen_random_uuid() from generate_series(1, 3)")
        connection.execute(STORE, ("some.topic", 0, 3))
    with socket.create_server(("127.0.0.1", 0)) as hung:  # takes connections and never says a word
        report = await lag.read(f"127.0.0.1:{hung.getsockname()[1]}", fresh.url("ops"))
    assert report.kafka_silent is not None
    assert "Kafka" in report.kafka_silent
    assert [service.outbox for service in report.services] == [3]
    assert "?" in shown(report)


async def test_an_alarm_names_what_waits_too_long(broker: kafka.Broker, database: Databases, tmp_path: Path) -> None:
    """A partition and an outbox whose oldest is older than the limit, each in a sentence; none below it."""
    topic = await fill(broker, 5)
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute(STORE, (topic, 0, 3))
        connection.execute(
            "insert into outbox (event_id, queued_at) values (gen_random_uuid(), now() - interval '2 min')"
        )
    report = await lag.read(broker.bootstrap, fresh.url("ops"), between_seconds=0)
    partition, outbox = alarms(report, age_seconds=0)
    assert partition.startswith(f"sla on {topic}/0: 2 records wait")
    assert outbox.startswith("sla: 1 events are not on Kafka, the oldest for 12")
    assert len(alarms(report, age_seconds=60)) == 1
    assert alarms(report, age_seconds=3600) == []


async def test_a_database_of_an_older_release_is_named(broker: kafka.Broker, database: Databases) -> None:
    """Before the new migrations and rights: a sentence with the way out."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute("create table stored_offsets (next_offset bigint)")
    with pytest.raises(StartError, match="motcua prepare"):
        await lag.read(broker.bootstrap, fresh.url("ops"))


def test_scripts_get_one_document_and_a_status(broker: kafka.Broker, database: Databases, tmp_path: Path) -> None:
    """`motcua lag --json --alarm-age`: the report on stdout, the reason on stderr, status 1."""
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute(
            "insert into outbox (event_id, queued_at) values (gen_random_uuid(), now() - interval '2 min')"
        )
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}  # noqa: TID251 - a child needs its PATH
    done = subprocess.run(
        [sys.executable, "-c", COMMAND.format(url=fresh.url("ops")), "lag", "--json", "--alarm-age", "60"],
        env={**kept, "MOTCUA_KAFKA": broker.bootstrap},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["services"][0]["outbox"] == 1
    assert "sla: 1 events are not on Kafka" in done.stderr
