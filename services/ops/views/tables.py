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
    """A read-only mapping over a Faust table of bytes, which decodes each value when it is read.

    It is read by key only: iteration raises NotImplementedError.
    """

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
    """Set entries of a Faust table, send them to its changelog, and return when Kafka has acknowledged all of them.

    Raises the first error of a delivery; the entries are set in the table also then. `table[key] = value` is not used,
    because Faust would write to the changelog partition of the batch's last record.
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
