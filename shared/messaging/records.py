"""A record as it came from Kafka, with its headers read and its value still in bytes."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from shared.contracts.envelope import AnyEnvelope
from shared.contracts.registry import decode
from shared.contracts.topics import Topic
from shared.kernel.errors import PoisonMessageError


class Record(NamedTuple):
    """One record; `key` is the dossier's UUID (or the calendar's name) as the service's table has it."""

    topic: str
    partition: int
    offset: int
    key: Any
    sequence: int
    epoch: int
    id: str
    type: str
    version: int
    value: bytes

    def event(self) -> AnyEnvelope:
        """Decode the value. Raises PoisonMessageError, or UpgradeNeededError for a version from the future."""
        event = decode(self.type, self.version, self.value)
        if event.sequence != self.sequence or event.epoch != self.epoch or event.subject != str(self.key):
            raise PoisonMessageError(
                f"the value speaks of {event.subject} {event.sequence}/{event.epoch}, "
                f"key and headers of {self.key} {self.sequence}/{self.epoch}"
            )
        return event


def headers_of(event: AnyEnvelope) -> list[tuple[str, bytes]]:
    """The record headers that let a reader judge a record without decoding it."""
    return headers(event.type, event.data.VERSION, event.sequence, event.epoch, str(event.id))


def headers(event_type: str, version: int, sequence: int, epoch: int, event_id: str) -> list[tuple[str, bytes]]:
    """The same from the parts, as the outbox has them."""
    return [
        ("type", event_type.encode()),
        ("version", b"%d" % version),
        ("sequence", b"%d" % sequence),
        ("epoch", b"%d" % epoch),
        ("id", event_id.encode()),
    ]


_LARGEST = 2**63 - 1
_LONGEST_KEY = 200


def parse(topic: Topic, raw: Any) -> Record:
    """Read key and headers of an aiokafka record. Raises PoisonMessageError when they cannot be read, or not kept."""
    try:
        given: Mapping[str, bytes] = dict(raw.headers)
        text = raw.key.decode()
        key: Any = UUID(text) if topic.key == "dossier" else text
        record = Record(
            topic=raw.topic,
            partition=raw.partition,
            offset=raw.offset,
            key=key,
            sequence=int(given["sequence"]),
            epoch=int(given["epoch"]),
            id=given["id"].decode(),
            type=given["type"].decode(),
            version=int(given["version"]),
            value=raw.value or b"",
        )
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise PoisonMessageError(f"key or headers cannot be read: {type(error).__name__} {error}") from error
    if str(key) != text or len(text) > _LONGEST_KEY:  # another spelling of a dossier's id may lie in another partition
        raise PoisonMessageError(f"the key is not a {topic.key}'s: {text[:_LONGEST_KEY]}")
    if not (1 <= record.sequence <= _LARGEST and 1 <= record.epoch <= _LARGEST and 1 <= record.version <= 2**31 - 1):
        raise PoisonMessageError(
            f"sequence {record.sequence}, epoch {record.epoch}, version {record.version}: they count from 1"
        )
    if "\0" in record.type + record.id + text:
        raise PoisonMessageError("a key or header holds a NUL")
    return record


def unreadable(raw: Any) -> Record:
    """A record that `parse` refused, in a form that can be kept."""
    key = (raw.key or b"").decode(errors="replace").replace("\0", "\ufffd")[:_LONGEST_KEY]
    return Record(raw.topic, raw.partition, raw.offset, key, 0, 0, "", "", 0, raw.value or b"")
