"""Reading a topic as a log, from its beginning to its current end, without a consumer group."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.contracts.topics import Topic
from shared.kernel.errors import StartError
from shared.messaging.offsets import PartitionId, stop_client

READ_SECONDS = 10.0


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


async def read_event_ids(bootstrap: str, spans: Mapping[PartitionId, tuple[int, int]]) -> dict[PartitionId, list[str]]:
    """Return the event id of each record in the span (first offset, offset after the last) of each partition.

    A record without the header has the id "". Raises StartError if the broker does not answer, or if a record of a span
    cannot be read within READ_SECONDS of the previous one.
    """
    found: dict[PartitionId, list[str]] = {place: [] for place in spans}
    left = {TopicPartition(*place) for place, (first, after) in spans.items() if first < after}
    if not left:
        return found
    async with _reader(bootstrap) as consumer:
        consumer.assign(sorted(left))
        for place in left:
            consumer.seek(place, spans[place][0])
        read_at = time.monotonic()
        while left:
            for place, records in (await consumer.getmany(*left, timeout_ms=500, max_records=5000)).items():
                read_at = time.monotonic()
                first, after = spans[place]
                if records[0].offset != first + len(found[place]):
                    raise StartError(f"Kafka deleted records of {place.topic} partition {place.partition}.")
                found[place] += [
                    dict(record.headers).get("id", b"").decode(errors="replace")
                    for record in records
                    if record.offset < after
                ]
                if records[-1].offset + 1 >= after:
                    left.discard(place)
            if time.monotonic() - read_at > READ_SECONDS:
                raise StartError(f"Kafka at {bootstrap} did not return the records of {sorted(left)}.")
    return found


async def cluster_id(bootstrap: str) -> str:
    """Return the id of the Kafka cluster. Raises StartError if it does not answer."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await admin.start()
        return str((await admin.describe_cluster())["cluster_id"])
    except (KafkaError, TimeoutError) as error:
        raise StartError(f"Kafka at {bootstrap} does not answer: {error!r}.") from error
    finally:
        await admin.close()


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
