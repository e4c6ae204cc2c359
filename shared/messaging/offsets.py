"""Readers for lag: the end offsets of partitions and the timestamps of records, from the broker."""

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
CLIENT_NOT_STOPPED = "client_did_not_stop"

PartitionId = tuple[str, int]
"""A partition: topic and number."""


class EndOffsets:
    """Reads end offsets of partitions repeatedly, over one dedicated connection that opens at the first read.

    Call `close` after use. On a connection that also fetches records, each request would wait up to half a second for
    the pending fetch.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._connecting = asyncio.Lock()

    async def read(self, places: Iterable[PartitionId]) -> dict[PartitionId, int]:
        """Return the current end offset of each partition. Raises StartError if the broker does not answer."""
        try:
            consumer = await self._connected()
            ends = await consumer.end_offsets([TopicPartition(*place) for place in places])
        except KafkaError as error:
            raise StartError(
                f"Kafka at {self._bootstrap} did not answer the request for end offsets: {error!r}."
            ) from error
        return {(place.topic, place.partition): end for place, end in ends.items()}

    async def close(self) -> None:
        """Close the connection if one is open. Never raises."""
        if self._consumer is not None:
            await stop_client(self._consumer)

    async def _connected(self) -> AIOKafkaConsumer:
        async with self._connecting:
            if self._consumer is None:
                self._consumer = await _started(self._bootstrap)
            return self._consumer


class RecordTimestamps:
    """Reads the broker's timestamps of records repeatedly, over one dedicated connection that opens at the first read.

    Call `close` after use.
    """

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._cache: dict[tuple[PartitionId, int], datetime] = {}

    async def read(self, wanted: Iterable[tuple[PartitionId, int]]) -> dict[tuple[PartitionId, int], datetime]:
        """Return the timestamp of the record at each `wanted` partition and offset.

        A record that cannot be read within two seconds is absent. Timestamps that the previous call returned are not
        read again. Raises StartError if the broker does not answer.
        """
        wanted = set(wanted)
        self._cache = {record: at for record, at in self._cache.items() if record in wanted}
        rounds: dict[PartitionId, list[int]] = {}
        for place, offset in sorted(wanted - self._cache.keys()):
            rounds.setdefault(place, []).append(offset)
        try:
            while rounds:  # one offset per partition at a time: groups may be at several offsets of one partition
                await self._read({place: offsets.pop() for place, offsets in rounds.items()})
                rounds = {place: offsets for place, offsets in rounds.items() if offsets}
        except KafkaError as error:
            raise StartError(
                f"Kafka at {self._bootstrap} did not answer the request for records: {error!r}."
            ) from error
        return dict(self._cache)

    async def close(self) -> None:
        """Close the connection if one is open. Never raises."""
        if self._consumer is not None:
            await stop_client(self._consumer)

    async def _read(self, offsets: Mapping[PartitionId, int]) -> None:
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
            except OffsetOutOfRangeError as error:  # deleted from Kafka, or not written yet
                left = {place: offset for place, offset in left.items() if place not in error.args[0]}
                continue
            for place, records in polled.items():
                if records and records[0].offset == left[place]:
                    stamp = datetime.fromtimestamp(records[0].timestamp / 1000, UTC)
                    self._cache[(place.topic, place.partition), left[place]] = stamp
                del left[place]
        consumer.unsubscribe()


async def stop_client(consumer: AIOKafkaConsumer, *, within_seconds: float = 5.0) -> None:
    """Stop an aiokafka client in any state; wait up to `within_seconds`. An error is logged, not raised.

    While the broker is away, aiokafka raises CancelledError from `stop`, which a caller would mistake for its own
    cancellation.
    """
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait([stopping], timeout=within_seconds)
    if stopping.done() and not stopping.cancelled() and stopping.exception() is not None:
        log.warning(CLIENT_NOT_STOPPED, error=repr(stopping.exception()))


async def _started(bootstrap: str, **settings: int | str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, **settings)
    try:
        await consumer.start()
    except BaseException:
        await stop_client(consumer)
        raise
    return consumer
