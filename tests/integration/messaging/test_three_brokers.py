"""Three brokers, one of which is lost under load: acknowledged facts stay, and the way goes on."""

import asyncio
from pathlib import Path

from motcua.embedded.kafka import Cluster
from tests.integration.messaging.test_outages import acts, all_arrived, count, reached
from tests.support import Databases, eventually
from tests.support.delivery import SERVICE, dossier
from tests.support.shell import background, opened


async def test_one_of_three_brokers_is_lost(three_brokers: Cluster, database: Databases, tmp_path: Path) -> None:
    """Replication 3, two copies for an acknowledgement: the one that leads a third of the partitions is killed.

    Acknowledged by one alone, a fact would be gone with its leader.
    """
    url = database.fresh(SERVICE).url(SERVICE)
    async with opened(three_brokers.bootstrap, url, tmp_path / "migrations") as shell:
        topic = await shell.topic(partitions=3, replication=3)
        key = dossier(1)
        async with background(shell.relay().run(), shell.consumer(topic).run()):
            async with acts(shell, topic, key) as heard:
                await eventually(lambda: count(shell, key), within=60)
                lost = three_brokers.brokers[0]
                await asyncio.to_thread(lost.kill)
                try:
                    at = len(heard)
                    await eventually(lambda: reached(shell, key, at + 50), within=60)
                finally:
                    await asyncio.to_thread(lost.start)
            await all_arrived(shell, topic, key, heard)
