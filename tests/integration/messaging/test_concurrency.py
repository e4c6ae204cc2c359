"""Concurrent transactions on one partition or dossier: the second one starts from what the first one committed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from structlog.testing import capture_logs

from shared.contracts.dossiers import DossierStepRecordedV1
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.topics import Topic
from shared.messaging.applier import RecordApplier, Stream
from shared.messaging.consumer import Consumer
from shared.postgres import pool
from shared.postgres.pool import Connection, connect
from shared.postgres.unit_of_work import Unit
from tests.support import eventually
from tests.support.delivery import MOMENT, SERVICE, TALLIES, counting, dossier, publisher, record, step
from tests.support.shell import Shell

A, B = dossier(1), dossier(2)


@asynccontextmanager
async def owner(shell: Shell, topic: Topic, events: Sequence[AnyEnvelope]) -> AsyncIterator[Connection]:
    """Another replica with an open transaction that has locked the partition and applied `events` from offset 0."""
    connection = await connect(shell.dsn, SERVICE)
    try:
        await connection.execute(
            "insert into stored_offsets (consumer_group, topic, partition, next_offset) values ($1, $2, 0, 0) "
            "on conflict do nothing",
            shell.group,
            topic.name,
        )
        await connection.execute("begin")
        await connection.fetchval("select next_offset from stored_offsets where topic = $1 for update", topic.name)
        rows = await TALLIES.lock(connection, {record(topic, event, 0).key for event in events})
        unit = Unit(TALLIES, rows, publisher(SERVICE), MOMENT)
        stream = Stream(topic=topic, table=TALLIES, handlers={DossierStepRecordedV1: counting()})
        applier = RecordApplier(stream, unit, {}, {})
        for offset, event in enumerate(events):
            applier.receive(record(topic, event, offset))
        await unit.save(connection)
        await connection.execute("update stored_offsets set next_offset = $2 where topic = $1", topic.name, len(events))
        yield connection
    finally:
        connection.terminate()


async def waits_for(shell: Shell, statement: str, *, connections: int = 1) -> bool:
    """Whether this number of connections waits for a lock in a statement like this one."""
    waiting = await shell.pool.fetchval(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database() "
        "and query like '%' || $1 || '%'",
        statement,
    )
    return bool(waiting == connections)


@pytest.mark.parametrize("known", [True, False], ids=["known dossiers", "new dossiers"])
@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_successor_waits_for_the_transaction_of_a_slow_owner(shell: Shell, known: bool, ending: str) -> None:
    """A successor with a longer batch waits for the owner's transaction, and applies what that one did not commit.

    An offset read before the owner's commit would reset it later; a fence read before it would apply records twice;
    using either after a rollback would lose records.
    """
    topic = await shell.topic()
    if known:
        await shell.create_rows(A, B)
    events = [step(key, n) for n in range(1, 6) for key in (A, B)]
    async with shell.consuming(topic, member="successor"):
        await eventually(lambda: shell.stored(topic), within=15)
        async with owner(shell, topic, events[:3]) as connection:
            await shell.send(topic, *events)
            await eventually(lambda: waits_for(shell, "stored_offsets%for update"), within=15)
            await connection.execute(ending)
            await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "2", "3", "4", "5"]
    assert await shell.steps(B) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_database_ends_the_transaction_of_a_frozen_owner(shell: Shell, ending: str) -> None:
    """The database ends the idle transaction of a frozen owner, and a successor continues.

    The later commit of the owner fails, because its connection is closed.
    """
    topic = await shell.topic()
    events = [step(A, n) for n in range(1, 6)]
    await shell.send(topic, *events)
    async with owner(shell, topic, events[:3]) as connection:
        await connection.execute("set local idle_in_transaction_session_timeout = '500ms'")
        async with shell.consuming(topic, member="successor"):
            await shell.caught_up(topic)
            with pytest.raises(Exception, match=r"idle-in-transaction timeout|connection (is|was) closed"):
                await connection.execute(ending)
    assert await shell.steps(A) == ["1", "2", "3", "4", "5"]


async def test_other_replicas_end_a_session_frozen_between_two_messages(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between preparing and executing a statement a session counts as active, so no time-out of Postgres ends it.

    Without the other replicas its locks would be held as long as the process is frozen.
    """
    monkeypatch.setattr(pool, "FROZEN_TRANSACTION_SECONDS", 1)
    topic = await shell.topic()
    events = [step(A, n) for n in range(1, 6)]
    await shell.send(topic, *events)
    async with owner(shell, topic, events[:3]) as connection:
        await connection.prepare("select 1")
        async with shell.consuming(topic, member="successor"):
            await shell.caught_up(topic, within=30)
    assert await shell.steps(A) == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("known", [True, False], ids=["known dossier", "new dossier"])
async def test_consumer_waits_for_a_transaction_on_the_dossier(shell: Shell, known: bool) -> None:
    """A transaction that has locked or inserted the row commits first, then the records take effect.

    A consumer that read the row before that commit would overwrite it. A new row cannot be locked: it causes a unique
    violation, and the transaction is retried.
    """
    topic = await shell.topic()
    if known:
        await shell.create_rows(A)
    await shell.send(topic, step(A, 1, "event 1"), step(B, 1), step(A, 2, "event 2"))
    async with shell.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        unit = Unit(TALLIES, await TALLIES.lock(connection, [A]), publisher(SERVICE), MOMENT)
        unit.row(A).steps.append("act")
        await unit.save(connection)
        async with shell.consuming(topic):
            await eventually(lambda: waits_for(shell, "tallies"), within=15)
            await transaction.commit()
            await shell.caught_up(topic)
    assert await shell.steps(A) == ["act", "event 1", "event 2"]
    assert await shell.steps(B) == ["1"]
    assert await shell.quarantined() == []


@pytest.mark.parametrize("known", [True, False], ids=["known dossiers", "new dossiers"])
async def test_two_topics_of_one_dossier_do_not_deadlock(shell: Shell, known: bool) -> None:
    """Transactions of two topics lock the same dossiers, whose records arrived in opposite orders, without deadlock.

    Locks are acquired in one order: the offset row, then dossiers by key, then new ones by key. In the order of
    the batch, each transaction would wait for the other one, once the third releases its lock.
    """
    one, two = await shell.topic("one"), await shell.topic("two")
    keys = [dossier(n) for n in range(1, 42)]
    if known:
        await shell.create_rows(*keys)
    await shell.send(one, *(step(key, 1, "one") for key in keys))
    await shell.send(two, *(step(key, 1, "two") for key in reversed(keys)))
    async with shell.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        unit = Unit(TALLIES, await TALLIES.lock(connection, [keys[20]]), publisher(SERVICE), MOMENT)
        unit.row(keys[20])
        await unit.save(connection)
        with capture_logs() as logs:
            async with shell.consuming(one, two):
                await eventually(lambda: waits_for(shell, "tallies", connections=2), within=15)
                await transaction.rollback()
                await shell.caught_up(one, two)
    rows = await shell.rows()
    assert set(rows) == set(keys)
    assert all(sorted(row.steps) == ["one", "two"] for row in rows.values())
    assert [entry for entry in logs if "deadlock" in entry.get("error", "")] == []


async def test_consumer_seeks_back_after_a_restore_of_the_database(shell: Shell) -> None:
    """If rows and offset are restored under a running replica, it seeks back and applies the lost records again.

    A replica that used its own position would leave a gap in every dossier.
    """
    topic = await shell.topic()
    await shell.send(topic, step(A, 1), step(B, 1))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        await shell.pool.execute("create table backup as select * from tallies")
        await shell.send(topic, step(A, 2), step(B, 2), step(A, 3))
        await shell.caught_up(topic)
        async with shell.pool.acquire() as connection, connection.transaction():
            await connection.execute("lock table stored_offsets in exclusive mode")
            await connection.execute("truncate tallies")
            await connection.execute("insert into tallies select * from backup")
            await connection.execute("update stored_offsets set next_offset = 2")
        await shell.caught_up(topic)
        assert await shell.steps(A) == ["1", "2", "3"]
        await shell.send(topic, step(A, 4))
        await shell.caught_up(topic)
    assert await shell.steps(A) == ["1", "2", "3", "4"]
    assert await shell.steps(B) == ["1", "2"]
    assert await shell.quarantined() == []


@pytest.mark.parametrize("committed", [0, 1, 5], ids=["behind", "a little ahead", "at the end"])
async def test_offsets_committed_to_kafka_are_ignored(shell: Shell, committed: int) -> None:
    """Offsets committed to Kafka are for lag tools; a consumer that started there would skip or repeat records."""
    topic = await shell.topic()
    await shell.send(topic, *(step(A, n) for n in range(1, 6)))
    tp = TopicPartition(topic.name, 0)
    async with AIOKafkaConsumer(
        bootstrap_servers=shell.bootstrap, group_id=shell.group, enable_auto_commit=False
    ) as other:
        other.assign([tp])
        await other.commit({tp: committed})
    async with shell.consuming(topic):
        await shell.caught_up(topic)
        await shell.send(topic, step(A, 6))
        await shell.caught_up(topic)

        async def reported() -> bool:
            return bool(await shell.committed(topic) == {0: 6})

        await eventually(reported, within=10)
    assert await shell.steps(A) == ["1", "2", "3", "4", "5", "6"]


async def test_last_position_is_committed_to_kafka_at_the_stop(shell: Shell) -> None:
    """Lag tools see the last position of a stopped service."""
    topic = await shell.topic()
    await shell.send(topic, step(A, 1), step(A, 2))
    async with shell.consuming(topic):
        await shell.caught_up(topic)
    assert await shell.committed(topic) == {0: 2}


async def test_caught_up_requires_that_records_took_effect(shell: Shell) -> None:
    """A partition has caught up only when its stored offset has reached the end on Kafka."""
    topic = await shell.topic(partitions=2)
    await shell.create_rows(A)
    await shell.send(topic, step(A, 1))
    (partition,) = [number for number, end in (await shell.ends(topic)).items() if end]
    async with shell.consuming(topic) as consumer:
        await shell.caught_up(replace(topic, partitions=2))
        assert await consumer.caught_up(topic) == {0, 1}
        async with shell.pool.acquire() as connection, connection.transaction():
            await connection.execute("select from tallies for update")
            await shell.send(topic, step(A, 2))
            assert await consumer.caught_up(topic) == {1 - partition}
        await shell.caught_up(topic)
        assert await consumer.caught_up(topic) == {0, 1}


async def test_caught_up_in_group_requires_every_topic_and_any_owner(shell: Shell) -> None:
    """All topics must have caught up, whichever member owns the partition."""
    one, two = [await shell.topic(partitions=2) for _ in range(2)]
    await shell.create_rows(A)
    async with shell.consuming(one, two) as consumer, shell.consuming(one, two, member="two") as other:
        await eventually(lambda: _shared(consumer, other, one), within=30)
        await shell.send(one, step(A, 1))
        (partition,) = [number for number, end in (await shell.ends(one)).items() if end]
        await shell.caught_up(one)
        async with shell.pool.acquire() as connection, connection.transaction():
            await connection.execute("select from tallies for update")
            await shell.send(two, step(A, 1))
            for each in (consumer, other):
                assert await each.caught_up_in_group(one) == {0, 1}
                assert await each.caught_up_in_group(one, two) == {1 - partition}
            pending = [
                asyncio.create_task(each.caught_up_in_group(one, two, awaited=awaited, within_seconds=seconds))
                for each, awaited, seconds in (
                    (consumer, {partition}, 60),
                    (other, {partition}, 0.2),
                    (other, {1 - partition}, 60),  # partitions that are not awaited may be behind
                )
            ]
            for soon in pending[1:]:
                assert await soon == {1 - partition}
        async with asyncio.timeout(30):
            assert await pending[0] == {0, 1}
        await shell.caught_up(two)
        for each in (consumer, other):
            assert await each.caught_up_in_group(one, two) == {0, 1}


async def _shared(one: Consumer, two: Consumer, topic: Topic) -> bool:
    return len(await one.caught_up(topic)) == 1 == len(await two.caught_up(topic))


async def test_member_without_partitions_has_not_caught_up(shell: Shell) -> None:
    """A replica outside the group, or without a partition of the topic, has caught up nowhere."""
    topic = await shell.topic()
    consumer = shell.consumer(topic)
    assert await consumer.caught_up(topic) == frozenset()
    assert await consumer.caught_up_in_group(topic) == frozenset()
    assert (consumer.reason_not_ready() or "").startswith("not joined yet")
