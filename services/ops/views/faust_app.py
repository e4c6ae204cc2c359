"""Subclasses of Faust's application, consumer and table, so that counting continues at the position in the tables.

docs/adr/0015-views-are-exact.md lists what Faust does without these changes.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import faust
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP

from services.ops.views.codec import version_of


class _NoReadOffsets(dict[TP, Any]):
    """An always empty replacement for Faust's map from each partition to the last offset read there.

    Faust drops records up to that offset. If it delivers a record after a seek back that it had buffered before the
    seek, it stores that record's offset, and would then drop all records between. ops needs no such map, because it
    recognises the records that it has applied.
    """

    def __missing__(self, key: TP) -> None:
        return None

    def __setitem__(self, key: TP, value: object) -> None:
        pass

    def update(self, *_: object, **__: object) -> None:
        pass


class PositionConsumer(Consumer):  # type: ignore[misc]  # faust's types resolve to Any here
    """A consumer that seeks to the positions in the tables whenever Faust would seek to the committed offsets.

    Faust seeks after each recovery of the tables, and again when a fetch ends during a rebalance, with a request to
    Kafka in between. It could therefore undo another seek at any time, so its own seeks use the same positions.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to the positions in the tables, and return them. Faust treats the result as the committed offsets."""
        positions: Mapping[TP, int] = await self.app.seek_to_positions()
        return positions


class LatestValueTable(faust.Table):  # type: ignore[misc]  # faust's generics resolve to Any here
    """A Faust table that, during recovery from its changelog, ignores a value older than the one that it has.

    Such a value is the late write of a worker that has lost the partition.
    """

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
    """A Faust application that calls `on_rebalance_started` and `on_rebalance_ended`; its owner assigns both.

    When a rebalance ends, every table has been recovered and records arrive. `seek_to_positions`, also assigned by the
    owner, replaces Faust's seek to the committed offsets.
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
