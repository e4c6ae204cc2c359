"""Faust's application, consumer and table, changed so that counting continues at the position in the tables.

docs/adr/0015-views-are-exact.md lists what Faust does otherwise.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import faust
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP

from services.ops.views.codec import version_of


class _NoReadOffsets(dict[TP, Any]):
    """An always empty replacement for Faust's map of the last offset read per partition.

    Faust drops records that are not beyond that offset. It stores the offset of a record that it has buffered only
    when it passes the record on, also after a seek; the records before it would then never be read again. ops itself
    recognises the records that it has applied.
    """

    def __missing__(self, key: TP) -> None:
        return None

    def __setitem__(self, key: TP, value: object) -> None:
        pass

    def update(self, *_: object, **__: object) -> None:
        pass


class PositionConsumer(Consumer):  # type: ignore[misc]  # faust's types resolve to Any here
    """A consumer that seeks to the positions of its application where Faust would seek to the committed offsets.

    Faust seeks after each recovery of the tables, and again when a fetch ends during a rebalance, with a request to
    Kafka in between. It could therefore undo any seek from outside at any time, so there are no seeks from outside.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek, and return the offsets, which Faust takes for committed."""
        positions: Mapping[TP, int] = await self.app.seek_to_positions()
        return positions


class LatestValueTable(faust.Table):  # type: ignore[misc]  # faust's generics resolve to Any here
    """A table that ignores older values of a key during recovery, such as the late write of a displaced worker."""

    def apply_changelog_batch(self, batch: Any) -> None:
        latest: dict[bytes, int] = {}
        selected = []
        for event in batch:
            key, version = event.message.key, version_of(event.message.value)
            if version >= latest.setdefault(key, version_of(self.data.get(key))):
                latest[key] = version
                selected.append(event)
        super().apply_changelog_batch(selected)


class FaustApp(faust.App):  # type: ignore[misc]  # as above
    """An application with callbacks for the start and end of a rebalance, and for the positions to seek to.

    When a rebalance ends, every table has been recovered and records arrive.
    """

    on_rebalance_started: Callable[[], None]
    on_rebalance_ended: Callable[[], None]
    seek_to_positions: Callable[[], Awaitable[Mapping[TP, int]]]

    def on_rebalance_start(self) -> None:
        super().on_rebalance_start()
        self.on_rebalance_started()

    def on_rebalance_end(self) -> None:
        super().on_rebalance_end()
        self.on_rebalance_ended()

    def _new_transport(self) -> Any:
        transport = super()._new_transport()
        transport.Consumer = PositionConsumer
        return transport
