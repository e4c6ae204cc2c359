"""Every committed event reaches Kafka in the order of its dossier; copies are identical."""

import asyncio
import json
import os
import signal
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from motcua.local.embedded import kafka
from shared.contracts.registry import UpgradeNeededError
from shared.contracts.topics import TOPICS, Topic
from shared.messaging.relay import Relay
from shared.postgres.unit_of_work import Unit
from tests.support import eventually, unique
from tests.support.delivery import MOMENT, TALLIES, cause, dossier, publisher
from tests.support.shell import Shell, background, event_class_of

KEYS = [dossier(n) for n in range(1, 21)]


async def outbox(shell: Shell) -> int:
    """The number of events that Kafka has not acknowledged."""
    return int(await shell.pool.fetchval("select count(*) from outbox"))


def in_order(records: list[Any]) -> dict[str, list[int]]:
    """The sequences of the first copies by dossier; later copies must be identical to the byte."""
    first: dict[tuple[str, int], Any] = {}
    order: dict[str, list[int]] = defaultdict(list)
    for record in records:
        attributes = dict(record.headers)
        event = (record.key.decode(), int(attributes["sequence"]))
        content = (record.key, record.value, record.headers)
        if event not in first:
            first[event] = content
            order[event[0]].append(event[1])
        assert first[event] == content, f"two copies of {event} differ"
    return order


async def every_event(shell: Shell, topic: Topic, upto: int) -> list[Any]:
    """The records; all events of all dossiers must be on Kafka, the first copies in sequence without a gap."""
    records = await shell.on_kafka(topic)
    assert in_order(records) == {str(key): list(range(1, upto + 1)) for key in KEYS}
    return records


async def test_records_equal_the_history(shell: Shell) -> None:
    """Key, value and headers on Kafka are those of the history; the outbox is empty after the acknowledgements."""
    topic = await shell.topic(partitions=3)
    for key in KEYS:
        await shell.publish(topic, key, "one", "two")
    async with background(shell.relay().run()):
        await eventually(shell.nothing_to_send, within=20)
    records = await every_event(shell, topic, 2)
    assert len(records) == 2 * len(KEYS)
    history = {row["id"]: row["value"] for row in await shell.pool.fetch("select id::text, value from events")}
    assert {dict(record.headers)["id"].decode(): record.value.decode() for record in records} == history
    assert all(json.loads(record.value)["subject"] == record.key.decode() for record in records)


async def test_consumer_applies_what_the_relay_sends(shell: Shell) -> None:
    """Events of acts pass the outbox and Kafka and take effect in another service's row."""
    topic = await shell.topic(partitions=3)
    async with background(shell.relay().run()), shell.consuming(topic):
        for activity in ("one", "two", "three"):
            await asyncio.gather(*(shell.publish(topic, key, activity) for key in KEYS))
        await eventually(shell.nothing_to_send, within=20)
        await shell.caught_up(topic)
    assert {tuple(row.steps) for row in (await shell.rows()).values()} == {("one", "two", "three")}


async def test_relay_killed_before_deleting_causes_only_duplicates(shell: Shell, tmp_path: Path) -> None:
    """After a relay was killed between sending and deleting, the next one sends identical copies in order.

    A relay that deleted first would lose events; a consumer without a fence would apply them twice.
    """
    topic = await shell.topic(partitions=3)
    for key in KEYS:
        await shell.publish(topic, key, "one", "two", "three")
    async with shell.pool.acquire() as connection, shell.consuming(topic):
        blocking = connection.transaction()
        await blocking.start()
        await connection.execute("lock table outbox in share mode")  # blocks deletions, not reads
        with shell.replica(topic, member="relay", relays=True).process(tmp_path / "relay.log") as process:
            await eventually(lambda: on_kafka(shell, topic, 60), within=60)
            process.kill()
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where query like 'delete from outbox%' "
            "and datname = current_database() and pid <> pg_backend_pid()"
        )
        await blocking.rollback()
        assert await outbox(shell) == 60
        async with background(shell.relay("second").run()):
            await eventually(shell.nothing_to_send, within=20)
        await shell.caught_up(topic)
    assert len(await every_event(shell, topic, 3)) == 120
    assert {tuple(row.steps) for row in (await shell.rows()).values()} == {("one", "two", "three")}
    assert await shell.quarantined() == []


async def on_kafka(shell: Shell, topic: Topic, records: int) -> bool:
    return sum((await shell.ends(topic)).values()) == records


async def test_relay_restarts_after_a_lost_lock(shell: Shell) -> None:
    """Whenever the database ends the relay's connection, the relay restarts at the oldest row."""
    topic = await shell.topic(partitions=3)
    relay = shell.relay()
    async with background(relay.run()):
        for turn in range(4):
            await asyncio.gather(*(shell.publish(topic, key, f"{turn}") for key in KEYS))
            await eventually(lambda: lock_owners(shell), within=20)
            ended = await shell.pool.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_locks "
                "where locktype = 'advisory' and granted and database = (select oid from pg_database "
                "where datname = current_database())"
            )
            assert ended == 1
        await eventually(
            lambda: relay.reason_not_ready() is None, within=20
        )  # its last connection may have ended while idle
        await eventually(shell.nothing_to_send, within=20)
    await every_event(shell, topic, 4)


async def test_frozen_broker_makes_the_relay_not_ready(shell: Shell, broker: kafka.Broker) -> None:
    """A frozen broker acknowledges nothing: the relay reports it within seconds, and resumes with the broker."""
    topic = await shell.topic(partitions=3)
    relay = shell.relay()
    async with background(relay.run()):
        await shell.publish(topic, KEYS[0], "one")
        await eventually(shell.nothing_to_send, within=20)
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            await shell.publish(topic, KEYS[0], "two")
            await eventually(lambda: reports(relay, "not acknowledged"), within=20)
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        await eventually(shell.nothing_to_send, within=60)
        assert relay.reason_not_ready() is None


async def reports(relay: Relay, text: str) -> bool:
    """Whether the relay's reason contains the text."""
    return text in (relay.reason_not_ready() or "")


async def lock_owners(shell: Shell) -> int:
    """The number of connections that own the relay's lock."""
    return int(
        await shell.pool.fetchval(
            "select count(*) from pg_locks where locktype = 'advisory' and granted and database = "
            "(select oid from pg_database where datname = current_database())"
        )
    )


async def test_two_relays_send_no_duplicates(shell: Shell) -> None:
    """One relay sends and the other is on standby, so each row is sent once."""
    topic = await shell.topic(partitions=3)
    async with background(shell.relay("one").run(), shell.relay("two").run()):
        for turn in range(10):
            await asyncio.gather(*(shell.publish(topic, key, f"{turn}") for key in KEYS))
            assert await lock_owners(shell) <= 1
        await eventually(shell.nothing_to_send, within=20)
    assert len(await every_event(shell, topic, 10)) == 10 * len(KEYS)


async def test_standby_relay_takes_over(shell: Shell) -> None:
    """When the active relay stops, the one on standby becomes active."""
    topic = await shell.topic()
    first = asyncio.create_task(shell.relay("one").run())
    await eventually(lambda: lock_owners(shell), within=20)
    async with background(shell.relay("two").run()):
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await shell.publish(topic, KEYS[0], "one")
        await eventually(shell.nothing_to_send, within=20)


async def test_transaction_that_commits_late_is_sent(shell: Shell) -> None:
    """Events with lower outbox ids than those already sent are sent after their commit, in order.

    A relay that stored a position in the outbox would never read them.
    """
    topic = await shell.topic()
    slow, quick = KEYS[:2]
    event_of = event_class_of(topic)
    async with shell.pool.acquire() as connection, background(shell.relay().run()):
        transaction = connection.transaction()
        await transaction.start()
        unit = Unit(TALLIES, await TALLIES.lock(connection, [slow]), publisher(), MOMENT)
        for activity in ("one", "two"):
            data = event_of(state="processing", activity=activity)
            unit.publish(unit.row(slow), data, time=MOMENT, cause=cause(unique("act")))
        await unit.save(connection)
        await shell.publish(topic, quick, "one")
        await eventually(lambda: on_kafka(shell, topic, 1), within=20)
        await transaction.commit()
        await shell.publish(topic, slow, "three")
        await eventually(shell.nothing_to_send, within=20)
    assert in_order(await shell.on_kafka(topic)) == {str(quick): [1], str(slow): [1, 2, 3]}


async def test_event_of_a_rolled_back_transaction_is_not_sent(shell: Shell) -> None:
    """An event that is rolled back is not sent, and the next event has its sequence."""
    topic = await shell.topic()
    event_of = event_class_of(topic)
    async with background(shell.relay().run()):
        async with shell.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            unit = Unit(TALLIES, {}, publisher(), MOMENT)
            data = event_of(state="processing", activity="never")
            unit.publish(unit.row(KEYS[0]), data, time=MOMENT, cause=cause(unique("act")))
            await unit.save(connection)
            await transaction.rollback()
        await shell.publish(topic, KEYS[0], "one")
        await eventually(shell.nothing_to_send, within=20)
    (record,) = await shell.on_kafka(topic)
    assert json.loads(record.value)["data"]["activity"] == "one"


async def test_large_events_are_sent_in_order(shell: Shell) -> None:
    """An event that does not fit into the batch, and all later ones of the partition, are sent in the next round."""
    topic = await shell.topic()
    for number in range(6):
        size = 600_000 if number % 2 else 10
        await shell.publish(topic, KEYS[0], f"{number}" * size)
        await shell.publish(topic, KEYS[1], f"{number}")
    async with background(shell.relay().run()):
        await eventually(shell.nothing_to_send, within=20)
    records = await shell.on_kafka(topic)
    assert in_order(records) == {str(key): [1, 2, 3, 4, 5, 6] for key in KEYS[:2]}
    assert len(records) == 12


async def test_topic_of_a_later_release_ends_the_relay(shell: Shell) -> None:
    """An older release with the outbox of a later one ends, instead of failing in a loop or skipping events."""
    topic = await shell.topic()
    await shell.publish(topic, KEYS[0], "one")
    del TOPICS[topic.name]
    with pytest.raises(UpgradeNeededError, match=f"The outbox has events for {topic.name}, a topic of a later release"):
        await asyncio.wait_for(shell.relay().run(), 20)
    assert await outbox(shell) == 1
