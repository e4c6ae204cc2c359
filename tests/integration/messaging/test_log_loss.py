"""A broker that loses acknowledged records: the writer halts, readers stop, and one command repairs the log."""

import asyncio
from collections.abc import Iterable

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from motcua.local.embedded.kafka import Broker
from shared.contracts.topics import Topic
from shared.kernel.errors import ServiceHaltedError
from shared.messaging.admin import create_topics
from shared.messaging.log_repair import LogRepair, Plan, ReaderGroup, RepairRefusedError
from shared.messaging.records import headers
from shared.postgres.errors import is_fault_of_content, reason_halted
from shared.postgres.retry import transact
from tests.support import eventually
from tests.support.delivery import SERVICE, dossier, step
from tests.support.log_cut import cut_batches, lose_batches
from tests.support.shell import Shell, background

ONE, TWO, THREE, NEW = (dossier(number) for number in range(1, 5))


async def publish_each(shell: Shell, topic: Topic, activities: Iterable[str]) -> None:
    """Publish events of dossier ONE, each in its own record batch."""
    for activity in activities:
        await shell.publish(topic, ONE, activity)
        await eventually(shell.nothing_to_send, within=20)


async def halted(shell: Shell) -> str | None:
    """Why the service is halted."""
    reason: str | None = await shell.pool.fetchval("select halted from service_state")
    return reason


async def is_halted(shell: Shell) -> bool:
    """Whether the service is halted."""
    return await halted(shell) is not None


def repair(shell: Shell, topic: Topic) -> LogRepair:
    """The repair of the topic for the test service and its consumer group."""
    group = ReaderGroup(shell.group, SERVICE, shell.dsn)
    return LogRepair(SERVICE, [topic], bootstrap=shell.bootstrap, url=shell.dsn, readers=[group])


async def repaired(shell: Shell, topic: Topic) -> Plan:
    """Repair the log and return what was done."""
    async with repair(shell, topic) as work:
        plan = await work.plan()
        await work.execute(plan)
    return plan


async def steps(shell: Shell) -> dict[int, list[str]]:
    """The applied activities of each dossier."""
    return {key.int: list(row.steps) for key, row in (await shell.rows()).items()}


async def applies(shell: Shell, topic: Topic, expected: dict[int, list[str]]) -> None:
    """A relay and a consumer publish and apply everything."""
    async with background(shell.relay().run()), shell.consuming(topic):
        await eventually(shell.nothing_to_send, within=30)
        await shell.caught_up(topic)
    assert await steps(shell) == expected


async def test_lost_tail_halts_the_service_until_it_is_repaired(shell: Shell, broker: Broker) -> None:
    """While relay and consumer run through the return of the broker, nothing reuses an offset unnoticed."""
    topic = await shell.topic()
    async with background(shell.relay().run()), shell.consuming(topic):
        await publish_each(shell, topic, "abc")
        await shell.caught_up(topic)
        await asyncio.to_thread(lose_batches, broker, topic.name)
        await eventually(lambda: is_halted(shell), within=30)
        assert await halted(shell) == (
            f"Kafka lost records of {topic.name} partition 0: offsets 2 to 2 were acknowledged and are missing."
        )
        with pytest.raises(ServiceHaltedError, match="Kafka lost records"):
            await transact(lambda: shell.publish(topic, NEW, "new"))
    plan = await repaired(shell, topic)
    assert (len(plan.lost), [reader.next_offset for reader in plan.readers]) == (1, [3])
    await shell.publish(topic, NEW, "new")
    await applies(shell, topic, {1: ["a", "b", "c"], 4: ["new"]})


async def test_event_at_a_lost_offset_halts_the_service(shell: Shell, broker: Broker) -> None:
    """An act that commits while the broker is away is sent to an offset that was acknowledged before."""
    topic = await shell.topic()
    async with background(shell.relay().run()):
        await publish_each(shell, topic, "abc")
        async with shell.consuming(topic):
            await shell.caught_up(topic)
        broker.kill()
        await shell.publish(topic, NEW, "new")
        cut_batches(broker.folder, topic.name, batches=2)
        await asyncio.to_thread(broker.start)
        await eventually(lambda: is_halted(shell), within=30)
    plan = await repaired(shell, topic)
    assert len(plan.lost) == 2
    await applies(shell, topic, {1: ["a", "b", "c"], 4: ["new"]})


async def test_reader_stops_at_a_replaced_record(shell: Shell, broker: Broker) -> None:
    """A consumer that starts after the loss compares its last record before it applies anything."""
    topic = await shell.topic()
    async with background(shell.relay().run()), shell.consuming(topic):
        await publish_each(shell, topic, "ab")
        await shell.caught_up(topic)
    await asyncio.to_thread(lose_batches, broker, topic.name)
    await shell.send(topic, step(NEW, 1))
    stopped = "another record at offset 1 than the one that was applied"
    async with shell.consuming(topic) as consumer:
        await eventually(lambda: _stops(shell, stopped), within=30)
        assert consumer.reason_not_ready() is not None
    assert await steps(shell) == {1: ["a", "b"]}


async def test_reader_ahead_of_the_log_stops(shell: Shell, broker: Broker) -> None:
    """A consumer whose stored offset is beyond the end of the log reports it, also at its start."""
    topic = await shell.topic()
    async with background(shell.relay().run()), shell.consuming(topic):
        await publish_each(shell, topic, "abc")
        await shell.caught_up(topic)
    await asyncio.to_thread(lose_batches, broker, topic.name, batches=3)
    async with shell.consuming(topic):
        await eventually(lambda: _stops(shell, "ends before offset 3"), within=30)


async def test_relay_that_starts_after_the_loss_halts(shell: Shell, broker: Broker) -> None:
    """A partition that lost more than one batch is noticed at the start, with two relays as well."""
    topic = await shell.topic(partitions=2)
    async with background(shell.relay().run()):
        await publish_each(shell, topic, "abcd")
    partition = await shell.pool.fetchval("select partition from produced_offsets where end_offset = 4")
    await asyncio.to_thread(lose_batches, broker, topic.name, partition=partition, batches=3)
    await shell.publish(topic, NEW, "new")
    async with background(shell.relay("one").run(), shell.relay("two").run()):
        await eventually(lambda: is_halted(shell), within=30)
        assert len((await repaired(shell, topic)).lost) == 3
        await eventually(shell.nothing_to_send, within=30)
    await applies(shell, topic, {1: ["a", "b", "c", "d"], 4: ["new"]})


async def test_record_without_acknowledgement_is_a_copy(shell: Shell) -> None:
    """A batch that Kafka has although its relay ended before the acknowledgement halts nothing; it is sent again."""
    topic = await shell.topic()
    await shell.publish(topic, ONE, "a", "b")
    await _send_history(shell, topic)
    async with background(shell.relay().run()):
        await eventually(shell.nothing_to_send, within=20)
        assert not await is_halted(shell)
    assert await shell.pool.fetchval("select end_offset from produced_offsets") == 4
    await applies(shell, topic, {1: ["a", "b"]})


async def test_unknown_record_halts_the_service(shell: Shell) -> None:
    """A record that this database does not know shows a second writer, or that the database lost a commit."""
    topic = await shell.topic()
    async with background(shell.relay().run()):
        await publish_each(shell, topic, "a")
        await shell.send(topic, step(NEW, 1))
        await eventually(lambda: is_halted(shell), within=30)
    assert "1 records that this database does not know" in str(await halted(shell))
    with pytest.raises(RepairRefusedError, match="does not know"):
        await repaired(shell, topic)


async def test_topic_that_was_created_again_is_filled_again(shell: Shell) -> None:
    """Every event of the history is queued again, in the order of each dossier."""
    topic = await shell.topic()
    async with background(shell.relay().run()), shell.consuming(topic):
        await publish_each(shell, topic, "abc")
        await shell.publish(topic, TWO, "x")
        await eventually(shell.nothing_to_send, within=20)
        await shell.caught_up(topic)
    admin = AIOKafkaAdminClient(bootstrap_servers=shell.bootstrap)
    await admin.start()
    await admin.delete_topics([topic.name])
    await eventually(lambda: _gone(admin, topic), within=20)
    await admin.close()
    await create_topics(shell.bootstrap, [topic], replication=1)
    async with background(shell.relay().run()):
        await eventually(lambda: is_halted(shell), within=30)
    assert len((await repaired(shell, topic)).lost) == 4
    await applies(shell, topic, {1: ["a", "b", "c"], 2: ["x"]})
    assert len(await shell.on_kafka(topic)) == 4


async def test_other_cluster_is_refused(shell: Shell) -> None:
    """Behind the same address, another cluster gets no record, and no repair fills it."""
    topic = await shell.topic()
    await shell.pool.execute("update service_state set cluster_id = 'another'")
    await shell.publish(topic, ONE, "a")
    async with background(shell.relay().run()):
        await eventually(lambda: is_halted(shell), within=30)
    assert "publishes to cluster another" in str(await halted(shell))
    assert await shell.ends(topic) == {0: 0}
    with pytest.raises(RepairRefusedError, match="Correct the address"):
        await repaired(shell, topic)


async def test_log_without_damage_needs_no_repair(shell: Shell) -> None:
    """While the relay is active, a plan is empty, and changes nothing."""
    topic = await shell.topic()
    async with background(shell.relay().run()), shell.consuming(topic):
        await publish_each(shell, topic, "ab")
        await shell.caught_up(topic)
        async with repair(shell, topic) as work:
            assert (await work.plan()).is_empty


async def test_halted_service_stores_no_event(shell: Shell) -> None:
    """The database refuses the transaction with the reason, whatever its writer is."""
    topic = await shell.topic()
    await shell.pool.execute("update service_state set halted = 'a reason'")
    with pytest.raises(asyncpg.PostgresError) as refused:
        await shell.publish(topic, ONE, "a")
    assert reason_halted(refused.value) == "a reason"
    assert not is_fault_of_content(refused.value), "no worker sets a row aside for it"
    assert await shell.pool.fetchval("select count(*) from events") == 0


async def _send_history(shell: Shell, topic: Topic) -> None:
    """Publish every event of the history, as a relay does that ends before the acknowledgement."""
    rows = await shell.pool.fetch("select * from events order by sequence")
    records = [
        (
            row["key"].encode(),
            row["value"].encode(),
            headers(row["type"], row["version"], row["sequence"], row["epoch"], str(row["id"])),
        )
        for row in rows
    ]
    await shell.send_raw(topic, records)


async def _stops(shell: Shell, reason: str) -> bool:
    return reason in str(await shell.pool.fetchval("select stopped from stored_offsets"))


async def _gone(admin: AIOKafkaAdminClient, topic: Topic) -> bool:
    return topic.name not in await admin.list_topics()
