"""Faust's consumer, which goes on where the tables stand wherever Faust would go to what is committed."""

from collections.abc import Mapping
from typing import Any

from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP


class _Unread(dict[TP, Any]):
    """Remembers nothing, where Faust notes the last offset read of each partition and drops what is not beyond it.

    It notes the offset of a record that it holds only when it has passed it on, so also after a seek; whatever lies
    before it is then never read again. Whoever counts knows by itself what it has counted.
    """

    def __missing__(self, key: TP) -> None:
        return None

    def __setitem__(self, key: TP, value: object) -> None:
        pass

    def update(self, *_: object, **__: object) -> None:
        pass


class TablesConsumer(Consumer):  # type: ignore[misc]  # faust's types resolve to Any here
    """Its application says where to go on.

    Faust goes to what is committed when tables are recovered, and again when a fetch ends while partitions move, and
    waits for Kafka in between: a seek of somebody else's may be undone at any time, so there is none.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _Unread()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek, and return the offsets that were sought, which Faust takes for committed."""
        positions: Mapping[TP, int] = await self.app.seek_to_positions()
        return positions
