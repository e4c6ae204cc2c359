"""Every committed event reaches Kafka, in order per dossier; what is sent twice is the same twice."""

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
from tests.support.shell import Shell, background, told_on

KEYS = [dossier(n) for n in range(1, 21)]


async def outbox(shell: Shell) -> int:
    """Events that wait for Kafka's acknowledgement."""
    return int(await shell.pool.fetchval("select count(*) from outbox"))


def in_order(records: list[Any]) -> dict[str, list[int]]:
    """First copies by dossier; every later copy is the same to the byte."""
    first: dict[tuple[str, int], Any] = {}
    order: dict[str, list[int]] = defaultdict(list)
    for record in records:
        told = dict(record.headers)
        place = (record.key.decode(), int(told["sequence"]))
        content = (record.key, record.value, record.headers)
        if place not in first:
            first[place] = content
            order[place[0]].append(place[1])
        assert first[place] == content, f"two copies of {place} differ"
    return order


async def every_event(shell: Shell, topic: Topic, upto: int) -> list[Any]:
    """All events of all dossiers lie on Kafka, first copies in sequence order without a gap; gives the records."""
    records = await shell.on_kafka(topic)
    assert in_order(records) == {str(key): list(range(1, upto + 1)) for key in KEYS}
    return records


async def test_events_reach_kafka_as_they_were_kept(shell: Shell) -> None:
    """Key, value and headers on Kafka are the history's own; the outbox is empty when all are acknowledged."""
    topic = await shell.topic(partitions=3)
    for key in KEYS:
        await shell.publish(topic, key, "one", "two")
    async with background(shell.relay().run()):
        await eventually(shell.nothing_to_send, within=20)
    records = await every_event(shell, topic, 2)
    assert len(records) == 2 * len(KEYS)
    kept = {row["id"]: row["value"] for row in await shell.pool.fetch("select id::text, value from events")}
    assert {dict(record.headers)["id"].decode(): record.value.decode() for record in records} == kept
    assert all(json.loads(record.value)["subject"] == record.key.decode() for record in records)


async def test_a_consumer_reads_what_a_relay_sends(shell: Shell) -> None:
    """The whole way: an act's events, through outbox and Kafka, into another service's row."""
    topic = await shell.topic(partitions=3)
    async with background(shell.relay().run()), shell.consuming(topic):
        for activity in ("one", "two", "three"):
            await asyncio.gather(*(shell.publish(topic, key, activity) for key in KEYS))
        await eventually(shell.nothing_to_send, within=20)
        await shell.caught_up(topic)
    assert {tuple(row.steps) for row in (await shell.rows()).values()} == {("one", "two", "three")}


async def test_killed_between_sending_and_deleting(shell: Shell, tmp_path: Path) -> None:
    """Kafka has the events, the outbox still, too: the next relay sends copies that are the same and come in order.

    A relay that deleted first would lose them; a reader without a fence would apply them twice.
    """
    topic = await shell.topic(partitions=3)
    for key in KEYS:
        await shell.publish(topic, key, "one", "two", "three")
    async with shell.pool.acquire() as connection, shell.consuming(topic):
        holding = connection.transaction()
        await holding.start()
        await connection.execute("lock table outbox in share mode")  # reads pass, deletions wait
        with shell.replica(topic, member="relay", relays=True).process(tmp_path / "relay.log") as process:
            await eventually(lambda: on_kafka(shell, topic, 60), within=60)
            process.kill()
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where query like 'delete from outbox%' "
            "and datname = current_database() and pid <> pg_backend_pid()"
        )
        await holding.rollback()
        assert await outbox(shell) == 60
        async with background(shell.relay("second").run()):
            await eventually(shell.nothing_to_send, within=20)
        await shell.caught_up(topic)
    assert len(await every_event(shell, topic, 3)) == 120
    assert {tuple(row.steps) for row in (await shell.rows()).values()} == {("one", "two", "three")}
    assert await shell.quarantined() == []


async def on_kafka(shell: Shell, topic: Topic, records: int) -> bool:
    return sum((await shell.ends(topic)).values()) == records


async def test_a_lost_lock_starts_anew(shell: Shell) -> None:
    """The database ends the relay's connection again and again: each time it begins at the oldest row."""
    topic = await shell.topic(partitions=3)
    relay = shell.relay()
    async with background(relay.run()):
        for turn in range(4):
            await asyncio.gather(*(shell.publish(topic, key, f"{turn}") for key in KEYS))
            await eventually(lambda: holders(shell), within=20)
            ended = await shell.pool.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_locks "
                "where locktype = 'advisory' and granted and database = (select oid from pg_database "
                "where datname = current_database())"
            )
            assert ended == 1
        await eventually(lambda: relay.reason_not_ready() is None, within=20)  # its last connection may end idle
        await eventually(shell.nothing_to_send, within=20)
    await every_event(shell, topic, 4)


async def test_a_frozen_broker_is_seen(shell: Shell, broker: kafka.Broker) -> None:
    """It refuses nothing and acknowledges nothing: the relay says so within seconds, and gets on when it is back."""
    topic = await shell.topic(partitions=3)
    relay = shell.relay()
    async with background(relay.run()):
        await shell.publish(topic, KEYS[0], "one")
        await eventually(shell.nothing_to_send, within=20)
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            await shell.publish(topic, KEYS[0], "two")
            await eventually(lambda: told(relay, "not acknowledged"), within=20)
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        await eventually(shell.nothing_to_send, within=60)
        assert relay.reason_not_ready() is None


async def told(relay: Relay, words: str) -> bool:
    """Whether the relay gives that as its reason."""
    return words in (relay.reason_not_ready() or "")


async def holders(shell: Shell) -> int:
    """How many connections hold the relay's lock."""
    return int(
        await shell.pool.fetchval(
            "select count(*) from pg_locks where locktype = 'advisory' and granted and database = "
            "(select oid from pg_database where datname = current_database())"
        )
    )


async def test_two_relays_double_nothing(shell: Shell) -> None:
    """One sends, the other stands by; without the lock both would read and send the same rows."""
    topic = await shell.topic(partitions=3)
    async with background(shell.relay("one").run(), shell.relay("two").run()):
        for turn in range(10):
            await asyncio.gather(*(shell.publish(topic, key, f"{turn}") for key in KEYS))
            assert await holders(shell) <= 1
        await eventually(shell.nothing_to_send, within=20)
    assert len(await every_event(shell, topic, 10)) == 10 * len(KEYS)


async def test_the_one_that_stands_by_takes_over(shell: Shell) -> None:
    """When the active relay stops, the other goes on by itself."""
    topic = await shell.topic()
    first = asyncio.create_task(shell.relay("one").run())
    await eventually(lambda: holders(shell), within=20)
    async with background(shell.relay("two").run()):
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await shell.publish(topic, KEYS[0], "one")
        await eventually(shell.nothing_to_send, within=20)


async def test_an_older_transaction_that_commits_later(shell: Shell) -> None:
    """Its outbox ids are lower than what was sent meanwhile; its dossier's events still come in order, none is left.

    A relay that remembered how far it had read would never see them.
    """
    topic = await shell.topic()
    slow, quick = KEYS[:2]
    told = told_on(topic)
    async with shell.pool.acquire() as connection, background(shell.relay().run()):
        transaction = connection.transaction()
        await transaction.start()
        unit = Unit(TALLIES, await TALLIES.lock(connection, [slow]), publisher(), MOMENT)
        for activity in ("one", "two"):
            data = told(state="processing", activity=activity)
            unit.publish(unit.row(slow), data, time=MOMENT, cause=cause(unique("act")))
        await unit.save(connection)
        await shell.publish(topic, quick, "one")
        await eventually(lambda: on_kafka(shell, topic, 1), within=20)
        await transaction.commit()
        await shell.publish(topic, slow, "three")
        await eventually(shell.nothing_to_send, within=20)
    assert in_order(await shell.on_kafka(topic)) == {str(quick): [1], str(slow): [1, 2, 3]}


async def test_an_event_is_never_told_by_a_transaction_that_failed(shell: Shell) -> None:
    """What was decided and rolled back is on no topic, and its sequence is used by the next."""
    topic = await shell.topic()
    told = told_on(topic)
    async with background(shell.relay().run()):
        async with shell.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            unit = Unit(TALLIES, {}, publisher(), MOMENT)
            data = told(state="processing", activity="never")
            unit.publish(unit.row(KEYS[0]), data, time=MOMENT, cause=cause(unique("act")))
            await unit.save(connection)
            await transaction.rollback()
        await shell.publish(topic, KEYS[0], "one")
        await eventually(shell.nothing_to_send, within=20)
    (record,) = await shell.on_kafka(topic)
    assert json.loads(record.value)["data"]["activity"] == "one"


async def test_large_events_keep_their_order(shell: Shell) -> None:
    """What does not fit into a partition's batch waits, with all that follows in that partition, for the next round."""
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


async def test_a_topic_that_the_release_lacks_ends_the_relay(shell: Shell) -> None:
    """An older release over a newer one's outbox: it says so, instead of failing in a loop or passing them over."""
    topic = await shell.topic()
    await shell.publish(topic, KEYS[0], "one")
    del TOPICS[topic.name]
    with pytest.raises(UpgradeNeededError, match=f"events wait for {topic.name}, a topic that this release lacks"):
        await asyncio.wait_for(shell.relay().run(), 20)
    assert await outbox(shell) == 1
