"""Read and write Faust tables whose entries are bytes."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from services.ops.domain.tallies import TallyKey
from services.ops.views.codec import encode_key
from services.ops.views.handlers import CourseKey

K = TypeVar("K", TallyKey, CourseKey)
V = TypeVar("V")


class DecodedTable(Mapping[K, V]):
    """A table's values, each decoded when it is read."""

    def __init__(self, data: Any, decode: Callable[[bytes], V]) -> None:
        self._data = data
        self._decode = decode

    def __getitem__(self, key: K) -> V:
        return self._decode(self._data[encode_key(key)])

    def __iter__(self) -> Iterator[K]:
        raise NotImplementedError("A table is read by key.")

    def __len__(self) -> int:
        return len(self._data)


async def write(table: Any, entries: Mapping[K, V], encode: Callable[[V], bytes]) -> None:
    """Set entries and return when Kafka has acknowledged each. Raises the first error of a delivery.

    It does not use `table[key] = value`, for which Faust takes the changelog partition of the batch's last record.
    """
    sent = []
    for key, value in entries.items():
        raw_key, raw_value = encode_key(key), encode(value)
        table.data[raw_key] = raw_value  # before the delivery, so that the next batch of this worker sees it
        sent.append(table.send_changelog(key.partition, raw_key, raw_value))
    if sent:
        await asyncio.wait(sent)
        for delivery in sent:
            delivery.result()
