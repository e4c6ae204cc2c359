"""Which partition a key belongs to."""

import random
from uuid import UUID

from aiokafka.partitioner import DefaultPartitioner

from shared.messaging.relay import partition_of


def test_keys_lie_where_every_kafka_client_puts_them() -> None:
    """The relay fills whole batches, so it partitions by itself; it must agree with the default (murmur2)."""
    kafka = DefaultPartitioner()
    chance = random.Random(6)
    for partitions in (1, 2, 6, 12):
        for _ in range(500):
            key = str(UUID(int=chance.getrandbits(128))).encode()
            assert partition_of(key, partitions) == kafka(key, list(range(partitions)), list(range(partitions)))
