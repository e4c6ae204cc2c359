"""A broker that loses the last record batches of a partition, as after a crash of its machine."""

import struct
from pathlib import Path

from motcua.local.embedded.kafka import Broker

_HEADER = struct.Struct(">qi")
"""Base offset of a record batch, and the number of bytes that follow."""


def lose_batches(broker: Broker, topic: str, *, partition: int = 0, batches: int = 1) -> None:
    """Kill the broker, cut the last record batches of a partition, and start it again. Blocks."""
    broker.kill()
    cut_batches(broker.folder, topic, partition=partition, batches=batches)
    broker.start()


def cut_batches(folder: Path, topic: str, *, partition: int = 0, batches: int = 1) -> None:
    """Cut the last `batches` record batches of a partition of a stopped broker. Raises ValueError if it has fewer."""
    (segment,) = (folder / "data" / f"{topic}-{partition}").glob("*.log")
    content = segment.read_bytes()
    starts, at = [], 0
    while at + _HEADER.size <= len(content):
        _, length = _HEADER.unpack_from(content, at)
        if length <= 0:
            break
        starts.append(at)
        at += _HEADER.size + length
    if len(starts) < batches:
        raise ValueError(f"{segment} has {len(starts)} batches, fewer than {batches}.")
    with segment.open("r+b") as file:
        file.truncate(starts[-batches])
