"""The partition of a key."""

import random
from uuid import UUID

from aiokafka.partitioner import DefaultPartitioner

from shared.messaging.relay import partition_of


def test_partition_is_that_of_every_kafka_client() -> None:
    """The relay computes partitions itself; they agree with Kafka's default partitioner (murmur2)."""
    kafka = DefaultPartitioner()
    chance = random.Random(6)
    for partitions in (1, 2, 6, 12):
        for _ in range(500):
            key = str(UUID(int=chance.getrandbits(128))).encode()
            assert partition_of(key, partitions) == kafka(key, list(range(partitions)), list(range(partitions)))
