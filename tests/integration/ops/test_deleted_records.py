"""Records that Kafka deleted before they were counted make ops unready."""

import asyncio

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from motcua.local.embedded import kafka
from shared.contracts.topics import DOSSIERS
from tests.support import eventually
from tests.support.ops import DossierProducer, Ops


async def test_deleted_records_make_ops_unready(own_broker: kafka.Broker, replicas: tuple[Ops, Ops]) -> None:
    """Readiness names the partition and its first offset, also after more records; other partitions are counted."""
    ops, _ = replicas
    async with DossierProducer(own_broker.bootstrap) as producer:
        await producer.send_dossiers(30)
        admin = AIOKafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(DOSSIERS.name, 0): RecordsToDelete(before_offset=3)})
        finally:
            await admin.close()
        await asyncio.to_thread(ops.launch)
        reason = f"Records before offset 3 of {DOSSIERS.name}/0 were deleted from Kafka"
        await eventually(lambda: reason in ops.reasons().get("views", ""), within=60)
        before = ops.views()["arrivals"]["total"]
        await producer.send_dossiers(30)
        await eventually(lambda: ops.has_counted(before), within=60)  # the other partitions are counted
        assert reason in ops.reasons().get("views", "")
