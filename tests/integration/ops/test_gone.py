"""Records that Kafka deleted before they were counted are told, and never passed over in silence."""

import asyncio

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from motcua.local.embedded import kafka
from shared.contracts.topics import DOSSIERS
from tests.support import eventually
from tests.support.ops import Ops, Sent


async def test_records_that_are_gone_make_it_unready(own_broker: kafka.Broker, two: tuple[Ops, Ops]) -> None:
    """Readiness names the place and the first offset that is left, also when more arrives."""
    ops, _ = two
    async with Sent(own_broker.bootstrap) as sent:
        await sent.lives(30)
        admin = AIOKafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(DOSSIERS.name, 0): RecordsToDelete(before_offset=3)})
        finally:
            await admin.close()
        await asyncio.to_thread(ops.launch)
        told = f"records before offset 3 of {DOSSIERS.name}/0 are gone from Kafka"
        await eventually(lambda: told in ops.reasons().get("views", ""), within=60)
        before = ops.views()["arrivals"]["total"]
        await sent.lives(30)
        await eventually(lambda: ops.has_counted(before), within=60)  # the other partitions go on
        assert told in ops.reasons().get("views", "")
