"""Three brokers, one of which fails: acknowledged events are not lost, and delivery continues."""

import asyncio
from pathlib import Path

from motcua.local.embedded.kafka import Cluster
from shared.contracts.topics import Topic
from shared.messaging.admin import create_topics
from tests.integration.messaging.test_outages import acts, all_arrived, count, reached
from tests.integration.motcua.test_embedded_kafka import read, send
from tests.support import Databases, eventually, unique
from tests.support.delivery import SERVICE, dossier
from tests.support.shell import background, opened


async def test_failed_broker_loses_no_acknowledged_event(
    three_brokers: Cluster, database: Databases, tmp_path: Path
) -> None:
    """With three replicas, of which two acknowledge, the failure of a leader loses no acknowledged event."""
    url = database.fresh(SERVICE).url(SERVICE)
    async with opened(three_brokers.bootstrap, url, tmp_path / "migrations") as shell:
        topic = await shell.topic(partitions=3, replication=3)
        key = dossier(1)
        async with background(shell.relay().run(), shell.consumer(topic).run()):
            async with acts(shell, topic, key) as confirmed:
                await eventually(lambda: count(shell, key), within=60)
                lost = three_brokers.brokers[0]
                await asyncio.to_thread(lost.kill)
                try:
                    at = len(confirmed)
                    await eventually(lambda: reached(shell, key, at + 50), within=60)
                finally:
                    await asyncio.to_thread(lost.start)
            await all_arrived(shell, topic, key, confirmed)


async def test_topic_is_available_with_two_of_three_brokers(three_brokers: Cluster) -> None:
    """With three replicas, two brokers accept and serve records while the third one is down."""
    topic = Topic(unique("copied"), owner="intake", partitions=1)
    await create_topics(three_brokers.bootstrap, [topic], replication=3)
    await send(three_brokers.bootstrap, topic.name, b"all up")
    lost = three_brokers.brokers[0]
    await asyncio.to_thread(lost.kill)
    try:

        async def accepted() -> bool:
            await send(three_brokers.bootstrap, topic.name, b"one down")
            return True

        await eventually(accepted, within=30)
        assert set(await read(three_brokers.bootstrap, topic.name)) == {b"all up", b"one down"}
    finally:
        await asyncio.to_thread(lost.start)
    assert lost.running
