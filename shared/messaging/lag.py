"""What only the broker can tell about lag: where partitions end, and when it took a record."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from shared.kernel.errors import StartError

log = structlog.get_logger()

_FETCH_SECONDS = 2.0

Place = tuple[str, int]
"""Topic and partition."""


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
            await give_back(self._consumer)

    async def _connected(self) -> AIOKafkaConsumer:
        async with self._connecting:
            if self._consumer is None:
                self._consumer = await _started(self._bootstrap)
            return self._consumer


class Stamps:
    """When the broker took certain records, asked again and again on one connection of its own; close it at the end."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._known: dict[tuple[Place, int], datetime] = {}

    async def read(self, wanted: Iterable[tuple[Place, int]]) -> dict[tuple[Place, int], datetime]:
        """The stamp of the record at each place and offset; those that cannot be read in two seconds are absent.

        What the last call learnt is not asked for again. Raises StartError when the broker does not answer.
        """
        wanted = set(wanted)
        self._known = {record: at for record, at in self._known.items() if record in wanted}
        rounds: dict[Place, list[int]] = {}
        for place, offset in sorted(wanted - self._known.keys()):
            rounds.setdefault(place, []).append(offset)
        try:
            while rounds:  # an offset a place at once: several groups may stand at several offsets of one
                await self._read({place: offsets.pop() for place, offsets in rounds.items()})
                rounds = {place: offsets for place, offsets in rounds.items() if offsets}
        except KafkaError as error:
            raise StartError(f"Kafka at {self._bootstrap} did not tell its records: {error!r}.") from error
        return dict(self._known)

    async def close(self) -> None:
        """Give the connection back."""
        if self._consumer is not None:
            await give_back(self._consumer)

    async def _read(self, offsets: Mapping[Place, int]) -> None:
        if self._consumer is None:
            self._consumer = await _started(
                self._bootstrap, fetch_max_wait_ms=50, max_partition_fetch_bytes=1, auto_offset_reset="none"
            )
        consumer = self._consumer
        left = {TopicPartition(*place): offset for place, offset in offsets.items()}
        consumer.assign(list(left))
        for place, offset in left.items():
            consumer.seek(place, offset)
        until = time.monotonic() + _FETCH_SECONDS
        while left and time.monotonic() < until:
            try:
                polled = await consumer.getmany(*left, timeout_ms=200)
            except OffsetOutOfRangeError as error:  # deleted from Kafka, or never there
                left = {place: offset for place, offset in left.items() if place not in error.args[0]}
                continue
            for place, records in polled.items():
                if records and records[0].offset == left[place]:
                    stamp = datetime.fromtimestamp(records[0].timestamp / 1000, UTC)
                    self._known[(place.topic, place.partition), left[place]] = stamp
                del left[place]
        consumer.unsubscribe()


async def give_back(consumer: AIOKafkaConsumer, *, within_seconds: float = 5.0) -> None:
    """Stop a client whatever state it is in. Never raises: with the broker away, aiokafka answers with a cancellation
    of its own, which a caller would take for one that is meant for it."""
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait([stopping], timeout=within_seconds)
    if stopping.done() and not stopping.cancelled() and stopping.exception() is not None:
        log.warning("client_did_not_stop", error=repr(stopping.exception()))


async def _started(bootstrap: str, **settings: int | str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, **settings)
    try:
        await consumer.start()
    except BaseException:
        await give_back(consumer)
        raise
    return consumer
