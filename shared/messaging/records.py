"""Records of Kafka with parsed key and headers, whose value is not decoded yet."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from shared.contracts.envelope import AnyEnvelope
from shared.contracts.registry import decode
from shared.contracts.topics import Topic
from shared.kernel.errors import PoisonMessageError

_MAX_BIGINT = 2**63 - 1
_MAX_INTEGER = 2**31 - 1
_MAX_KEY_LENGTH = 200


class Record(NamedTuple):
    """One record of Kafka.

    `key` is the dossier's UUID or the calendar's name, as in the primary key of the service's table.
    """

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
        """Decode the value and return the event.

        Raises PoisonMessageError if the value cannot be decoded or contradicts key and headers, UpgradeNeededError for
        an event version of a later release.
        """
        event = decode(self.type, self.version, self.value)
        if event.sequence != self.sequence or event.epoch != self.epoch or event.subject != str(self.key):
            raise PoisonMessageError(
                f"The value is event {event.subject} {event.sequence}/{event.epoch}, but "
                f"key and headers are {self.key} {self.sequence}/{self.epoch}."
            )
        return event


def headers_of(event: AnyEnvelope) -> list[tuple[str, bytes]]:
    """Return the Kafka headers of an event: all that a consumer needs to classify its record without decoding it."""
    return headers(event.type, event.data.VERSION, event.sequence, event.epoch, str(event.id))


def headers(event_type: str, version: int, sequence: int, epoch: int, event_id: str) -> list[tuple[str, bytes]]:
    """Return the Kafka headers of an event with these attributes."""
    return [
        ("type", event_type.encode()),
        ("version", b"%d" % version),
        ("sequence", b"%d" % sequence),
        ("epoch", b"%d" % epoch),
        ("id", event_id.encode()),
    ]


def parse(topic: Topic, raw: Any) -> Record:
    """Return a Record from an aiokafka record, with key and headers parsed and the value as bytes.

    Raises PoisonMessageError if key or headers are missing or malformed, or do not fit into the columns of the
    database.
    """
    try:
        found: Mapping[str, bytes] = dict(raw.headers)
        text = raw.key.decode()
        key: Any = UUID(text) if topic.key == "dossier" else text
        record = Record(
            topic=raw.topic,
            partition=raw.partition,
            offset=raw.offset,
            key=key,
            sequence=int(found["sequence"]),
            epoch=int(found["epoch"]),
            id=found["id"].decode(),
            type=found["type"].decode(),
            version=int(found["version"]),
            value=raw.value or b"",
        )
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise PoisonMessageError(f"Key or headers are unreadable: {type(error).__name__} {error}.") from error
    # another spelling of the same UUID is another key, which Kafka may assign to another partition
    if str(key) != text or len(text) > _MAX_KEY_LENGTH:
        raise PoisonMessageError(f"The key is not a valid {topic.key} key: {text[:_MAX_KEY_LENGTH]}.")
    in_range = 1 <= record.sequence <= _MAX_BIGINT and 1 <= record.epoch <= _MAX_BIGINT
    if not (in_range and 1 <= record.version <= _MAX_INTEGER):
        raise PoisonMessageError(
            f"Sequence {record.sequence}, epoch {record.epoch} or version {record.version} is out of range."
        )
    if "\0" in record.type + record.id + text:
        raise PoisonMessageError("The key or a header contains the character NUL.")
    return record


def unreadable(raw: Any) -> Record:
    """Return a Record that the quarantine table can store for an aiokafka record that `parse` rejects.

    Sequence, epoch and version are 0, id and type are empty; the key is what can be read of it.
    """
    key = (raw.key or b"").decode(errors="replace").replace("\0", "\ufffd")[:_MAX_KEY_LENGTH]
    return Record(raw.topic, raw.partition, raw.offset, key, 0, 0, "", "", 0, raw.value or b"")
