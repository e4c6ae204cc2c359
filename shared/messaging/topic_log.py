"""Reading a topic as a log, from its beginning to its current end, without a consumer group."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.contracts.topics import Topic
from shared.kernel.errors import StartError
from shared.messaging.offsets import stop_client


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record on Kafka, with its value not decoded. In key and headers, bytes that are not UTF-8 are replaced."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: dict[str, str]
    value: bytes

    @property
    def place(self) -> str:
        """Topic, partition and offset of the record, as one text for messages."""
        return f"{self.topic} partition {self.partition} offset {self.offset}"


async def read_topic(bootstrap: str, topic: Topic) -> AsyncIterator[Sequence[RawRecord]]:
    """Yield every record of `topic` up to its end at the time of the call, in batches.

    The records of each partition are in offset order. Raises StartError if the broker does not answer.
    """
    async with _reader(bootstrap) as consumer:
        places = _partitions([topic])
        ends = await consumer.end_offsets(places)
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        left = {place for place in places if ends[place] > 0}
        while left:
            polled = await consumer.getmany(*left, timeout_ms=1000, max_records=5000)
            for place, records in polled.items():
                yield [
                    RawRecord(
                        place.topic,
                        place.partition,
                        record.offset,
                        (record.key or b"").decode(errors="replace"),
                        {name: value.decode(errors="replace") for name, value in record.headers},
                        record.value or b"",
                    )
                    for record in records
                    if record.offset < ends[place]
                ]
                if records[-1].offset + 1 >= ends[place]:
                    left.discard(place)


def _partitions(topics: Iterable[Topic]) -> list[TopicPartition]:
    return [TopicPartition(topic.name, partition) for topic in topics for partition in range(topic.partitions)]


@asynccontextmanager
async def _reader(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        await consumer.start()
        yield consumer
    except KafkaError as error:
        raise StartError(f"Kafka at {bootstrap} does not answer: {error}.") from error
    finally:
        await stop_client(consumer)
