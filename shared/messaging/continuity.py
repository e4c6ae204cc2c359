"""Checks that a partition on Kafka is still the one that a reader has applied: nothing missing, nothing replaced."""

from typing import Any

from aiokafka import TopicPartition

from shared.kernel.errors import MotcuaError


class StopConsumingError(MotcuaError):
    """To continue would lose or corrupt data. It stops the partition that raises it; elsewhere, the process ends."""


def event_id(raw: Any) -> str:
    """Return the event id in the headers of an aiokafka record; "" if it has none."""
    found: bytes = dict(raw.headers).get("id", b"")
    return found.decode(errors="replace").replace("\0", "\ufffd")


def require_next(tp: TopicPartition, position: int, offset: int) -> None:
    """Raises StopConsumingError if `offset`, the next one on Kafka, is not `position`: Kafka lost records."""
    where = f"{tp.topic} partition {tp.partition}"
    if offset > position:
        raise StopConsumingError(
            f"Kafka deleted offsets {position} to {offset - 1} of {where} before they were applied. "
            "Check the topic's retention, then publish them again."
        )
    if offset < position:
        raise StopConsumingError(
            f"{where} ends before offset {position}, up to which it was applied: Kafka lost records, or the "
            f"topic was created again. Nothing was applied. {REMEDY}"
        )


def require_same(tp: TopicPartition, position: int, last_id: str, raw: Any) -> None:
    """Raises StopConsumingError if `raw` is not the record before `position`, with `last_id`, that was applied last."""
    if raw.offset != position - 1:
        require_next(tp, position, raw.offset)
    if event_id(raw) != last_id:
        raise StopConsumingError(
            f"{tp.topic} partition {tp.partition} has another record at offset {raw.offset} than the one that was "
            f"applied: Kafka lost records, and others were written instead. Nothing was applied. {REMEDY}"
        )


REMEDY = "Stop the centre and run `motcua repair log` for the service that writes the topic."
