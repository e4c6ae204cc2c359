"""`motcua lag` on a real broker and database: lag from stored offsets, ages from the broker's timestamps."""

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
from services.ops.lag.reader import LagReader
from services.ops.lag.report import alarms, lag_report
from services.ops.lag.schemas import LagReport
from shared.contracts.topics import Topic
from shared.kernel.errors import StartError
from shared.messaging.admin import create_topics
from shared.messaging.offsets import RecordTimestamps
from shared.postgres.migrate import migrate
from tests.support import Databases, ServiceDatabase, unique

STORE = "insert into stored_offsets (consumer_group, topic, partition, next_offset) values ('sla', %s, %s, %s)"
QUARANTINE = (
    "insert into quarantined_records values ('t', 0, 7, 'k', 2, 1, 'id', 'some.type', 1, '', 'gap', 'missing 1')"
)
COMMAND = (
    "from motcua.__main__ import main; from motcua.local.settings import MotcuaSettings; "
    "MotcuaSettings.database_url = lambda self, role: '{url}'; main()"
)
"""The command, connected to the test's own database."""


def rendered(report: LagReport) -> str:
    """Return the tables as text of a wide terminal."""
    output = io.StringIO()
    Console(width=200, file=output).print(lag.tables(report))
    return output.getvalue()


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


async def test_lag_is_end_offset_minus_stored_offset(broker: kafka.Broker, database: Databases, tmp_path: Path) -> None:
    """The lag of each partition is its end minus the stored offset, with the age of the first pending record."""
    topic = await fill(broker, 5, 2)
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute(STORE, (topic, 0, 3))
        connection.execute(STORE, (topic, 1, 2))
    report = await lag.read(broker.bootstrap, fresh.url("ops"), interval_seconds=0)
    (topic_lag,) = report.topics
    assert (topic_lag.group, topic_lag.topic, topic_lag.behind) == ("sla", topic, 2)
    first, second = topic_lag.partitions
    assert (first.behind, second.behind) == (2, 0)
    assert first.oldest_at is not None
    assert timedelta(seconds=-1) <= report.read_at - first.oldest_at < timedelta(minutes=1)
    assert second.oldest_at is None


async def test_two_offsets_of_one_partition_have_their_own_timestamps(broker: kafka.Broker) -> None:
    """A timestamp is that of the record at the requested offset, and the same in a second read."""
    topic = await fill(broker, 3)
    stamps = RecordTimestamps(broker.bootstrap)
    try:
        wanted = [((topic, 0), 0), ((topic, 0), 2)]
        first = await stamps.read(wanted)
        assert first.keys() == set(wanted)
        assert first[wanted[0]] <= first[wanted[1]]
        assert await stamps.read(wanted) == first
    finally:
        await stamps.close()


async def test_missing_record_has_no_timestamp(broker: kafka.Broker) -> None:
    """The timestamp of a missing record is unknown, not that of another record."""
    topic = await fill(broker, 1)
    stamps = RecordTimestamps(broker.bootstrap)
    try:
        assert await stamps.read([((topic, 0), 7)]) == {}
    finally:
        await stamps.close()


async def test_report_has_rates_and_last_progress(broker: kafka.Broker, database: Databases, tmp_path: Path) -> None:
    """The rate is the change between two samples; the instant of the last change comes from the database."""
    topic = await fill(broker, 8)
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla"), autocommit=True) as connection:
        connection.execute(STORE, (topic, 0, 3))
        reader = LagReader(broker.bootstrap, fresh.url("ops"))
        try:
            samples = [await reader.read()]
            connection.execute("update stored_offsets set next_offset = 6, moved_at = clock_timestamp()")
            samples.append(await reader.read())
        finally:
            await reader.close()
    (topic_lag,) = lag_report(samples).topics
    assert topic_lag.applied_per_second > 0
    assert topic_lag.arriving_per_second == 0
    assert topic_lag.behind == 2
    assert topic_lag.catch_up_seconds is not None
    assert topic_lag.moved_at is not None


async def test_outbox_and_quarantined_records_are_counted(
    broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """A service without lag may have unpublished events and quarantined records."""
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute("insert into outbox (event_id) select gen_random_uuid() from generate_series(1, 3)")
        connection.execute(QUARANTINE)
    report = await lag.read(broker.bootstrap, fresh.url("ops"), interval_seconds=0)
    (backlog,) = report.services
    assert (backlog.service, backlog.outbox) == ("sla", 3)
    assert backlog.outbox_oldest_at is not None
    assert [(quarantined.reason, quarantined.records) for quarantined in backlog.quarantined] == [("gap", 1)]
    assert "nothing applied yet" in rendered(report)


async def test_backlogs_are_reported_without_the_broker(database: Databases, tmp_path: Path) -> None:
    """If Kafka does not answer, the command reports the outboxes and does not hang."""
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute("insert into outbox (event_id) select gen_random_uuid() from generate_series(1, 3)")
        connection.execute(STORE, ("some.topic", 0, 3))
    with socket.create_server(("127.0.0.1", 0)) as hung:  # accepts connections and never answers
        report = await lag.read(f"127.0.0.1:{hung.getsockname()[1]}", fresh.url("ops"))
    assert report.kafka_error is not None
    assert "Kafka" in report.kafka_error
    assert [service.outbox for service in report.services] == [3]
    assert "?" in rendered(report)


async def test_alarm_names_partition_and_outbox_above_the_age(
    broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """Each partition and outbox whose oldest entry is above the limit has one sentence."""
    topic = await fill(broker, 5)
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute(STORE, (topic, 0, 3))
        connection.execute(
            "insert into outbox (event_id, queued_at) values (gen_random_uuid(), now() - interval '2 min')"
        )
    report = await lag.read(broker.bootstrap, fresh.url("ops"), interval_seconds=0)
    partition, outbox = alarms(report, age_seconds=0)
    assert partition.startswith(f"sla on {topic}/0: 2 records pending")
    assert outbox.startswith("sla: 1 events not published to Kafka, the oldest for 12")
    assert len(alarms(report, age_seconds=60)) == 1
    assert alarms(report, age_seconds=3600) == []


async def test_database_of_an_older_release_is_refused(broker: kafka.Broker, database: Databases) -> None:
    """Without the present migrations and rights, the error names the command that applies them."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute("create table stored_offsets (next_offset bigint)")
    with pytest.raises(StartError, match="motcua prepare"):
        await lag.read(broker.bootstrap, fresh.url("ops"))


def test_json_and_alarm_go_to_stdout_stderr_and_status(
    broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """`motcua lag --json --alarm-age` writes the report to stdout and the alarm to stderr, with status 1."""
    fresh = service_database(database, tmp_path)
    with psycopg.connect(fresh.url("sla")) as connection:
        connection.execute(
            "insert into outbox (event_id, queued_at) values (gen_random_uuid(), now() - interval '2 min')"
        )
    environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}  # noqa: TID251 - a child needs its PATH
    done = subprocess.run(
        [sys.executable, "-c", COMMAND.format(url=fresh.url("ops")), "lag", "--json", "--alarm-age", "60"],
        env={**environment, "MOTCUA_KAFKA": broker.bootstrap},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["services"][0]["outbox"] == 1
    assert "sla: 1 events not published to Kafka" in done.stderr
