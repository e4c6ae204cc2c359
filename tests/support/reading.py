"""What stands on a topic, read by somebody without a group."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts.envelope import AnyEnvelope
from shared.contracts.topics import Topic
from shared.messaging.records import parse


async def count_on(bootstrap: str, topic: Topic) -> int:
    """How many records were ever put on it, by the ends of its partitions: cheap to ask again and again."""
    places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        return sum((await consumer.end_offsets(places)).values())


async def events_on(bootstrap: str, topic: Topic) -> list[AnyEnvelope]:
    """Every event from the beginning up to the end as it is now; in order within each partition."""
    places = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        found: list[AnyEnvelope] = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            for records in (await consumer.getmany(*places, timeout_ms=500)).values():
                found += [parse(topic, record).event() for record in records]
        return found
    finally:
        await consumer.stop()
