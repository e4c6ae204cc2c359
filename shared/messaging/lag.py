"""How far a group is behind on each partition, and since when: from its stored offsets and the broker's own stamps."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from shared.kernel.errors import StartError

_FETCH_MS = 2000

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Lag:
    """One group on one partition; `oldest_at` is when the broker took the first unprocessed record, if there is one."""

    group: str
    topic: str
    partition: int
    behind: int
    end: int
    oldest_at: datetime | None


async def read_lag(bootstrap: str, positions: Mapping[str, Mapping[Place, int]]) -> list[Lag]:
    """The lag of each group by the next offset that it would apply. Reads one record a partition that is behind.

    Raises StartError when the broker does not answer. `oldest_at` is None, too, when a record could not be read in
    two seconds.
    """
    places = {TopicPartition(*place) for group in positions.values() for place in group}
    if not places:
        return []
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, max_poll_records=1)
    try:
        await consumer.start()
        consumer.assign(list(places))
        ends = await consumer.end_offsets(list(places))
        found = []
        for group, offsets in positions.items():
            for (topic, partition), next_offset in sorted(offsets.items()):
                place = TopicPartition(topic, partition)
                behind = max(0, ends[place] - next_offset)
                oldest = await _stamp(consumer, place, next_offset) if behind else None
                found.append(Lag(group, topic, partition, behind, ends[place], oldest))
        return found
    except KafkaConnectionError as error:
        raise StartError(f"Kafka at {bootstrap} does not answer: start it, or correct the setting.") from error
    except KafkaError as error:
        raise StartError(f"Kafka at {bootstrap} did not tell its offsets: {error!r}.") from error
    finally:
        await consumer.stop()


class Ends:
    """The end offsets of places, asked again and again on one connection of its own; close it at the end.

    A connection that fetches answers such a question only once the fetch before it is over, half a second later.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._connecting = asyncio.Lock()

    async def read(self, places: Iterable[Place]) -> dict[Place, int]:
        """The end of every place now. Raises StartError when the broker does not answer."""
        try:
            consumer = await self._connected()
            ends = await consumer.end_offsets([TopicPartition(*place) for place in places])
        except KafkaError as error:
            raise StartError(f"Kafka at {self._bootstrap} did not tell its offsets: {error!r}.") from error
        return {(place.topic, place.partition): end for place, end in ends.items()}

    async def close(self) -> None:
        """Give the connection back."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def _connected(self) -> AIOKafkaConsumer:
        async with self._connecting:
            if self._consumer is None:
                consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
                try:
                    await consumer.start()
                except BaseException:
                    await consumer.stop()
                    raise
                self._consumer = consumer
            return self._consumer


async def _stamp(consumer: AIOKafkaConsumer, place: TopicPartition, offset: int) -> datetime | None:
    consumer.seek(place, offset)
    records = (await consumer.getmany(place, timeout_ms=_FETCH_MS, max_records=1)).get(place)
    return datetime.fromtimestamp(records[0].timestamp / 1000, UTC) if records else None
