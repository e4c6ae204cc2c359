"""Events and raw records on Kafka: publish them, count them, and read them without a consumer group."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts.envelope import AnyEnvelope
from shared.contracts.topics import TOPICS, Topic
from shared.messaging.records import headers_of, parse
from shared.messaging.relay import partition_of

RawRecord = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Key, value and headers."""


class EventProducer:
    """Publishes in the order of the calls; the partition follows from the key, as in the relay."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Connect. Each start needs a stop."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True, linger_ms=5
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Send what is buffered and disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, events: Iterable[AnyEnvelope], topic: Topic | None = None) -> None:
        """Publish events on `topic`, or each on the topic of its type, and wait until the broker has stored them."""
        by_topic = [
            (topic or TOPICS[event.data.TOPIC], (event.subject.encode(), event.to_json(), headers_of(event)))
            for event in events
        ]
        await self._send(by_topic)

    async def send_raw(self, topic: Topic, records: Iterable[RawRecord]) -> None:
        """Publish records and wait until the broker has stored them."""
        await self._send([(topic, record) for record in records])

    async def _send(self, records: Iterable[tuple[Topic, RawRecord]]) -> None:
        assert self._producer is not None
        sent = [
            await self._producer.send(
                topic.name, value, key=key, headers=list(headers), partition=partition_of(key or b"", topic.partitions)
            )
            for topic, (key, value, headers) in records
        ]
        await asyncio.gather(*sent)


async def send(bootstrap: str, events: Iterable[AnyEnvelope]) -> None:
    """Publish events with a producer of their own."""
    async with EventProducer(bootstrap) as producer:
        await producer.send(events)


async def send_later_version(bootstrap: str, event: AnyEnvelope) -> None:
    """Publish an event as a later release would: with version 2, which this release cannot read."""
    async with EventProducer(bootstrap) as producer:
        await producer.send_raw(TOPICS[event.data.TOPIC], [later_version(event)])


def later_version(event: AnyEnvelope) -> RawRecord:
    """The record of an event with version 2."""
    newer = [(name, b"2" if name == "version" else value) for name, value in headers_of(event)]
    return event.subject.encode(), event.to_json(), newer


async def count_records(bootstrap: str, topic: Topic) -> int:
    """The number of records that were ever published on the topic, from the end offsets: a cheap request."""
    partitions = _partitions(topic)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        return sum((await consumer.end_offsets(partitions)).values())


async def read_events(bootstrap: str, topic: Topic) -> list[AnyEnvelope]:
    """Every event from the beginning to the current end of the topic, in order within each partition."""
    partitions = _partitions(topic)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[AnyEnvelope] = []
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for records in (await consumer.getmany(*partitions, timeout_ms=500)).values():
                found += [parse(topic, record).event() for record in records]
        return found
    finally:
        await consumer.stop()


def _partitions(topic: Topic) -> list[TopicPartition]:
    return [TopicPartition(topic.name, number) for number in range(topic.partitions)]
