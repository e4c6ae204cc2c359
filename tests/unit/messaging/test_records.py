"""Keys and headers of records: parsed without decoding the value, or rejected in a storable form."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from shared.contracts.topics import CALENDARS, DOSSIERS
from shared.kernel.errors import PoisonMessageError
from shared.messaging.records import headers_of, parse, unreadable
from tests.support.delivery import dossier, step

A = dossier(0xA)


@dataclass
class Raw:
    """A record as aiokafka returns it."""

    key: bytes | None = str(A).encode()
    headers: Any = field(default_factory=lambda: tuple(headers_of(step(A, 3, epoch=2))))
    value: bytes | None = b"{}"
    topic: str = DOSSIERS.name
    partition: int = 4
    offset: int = 17


def changed(**headers: bytes | None) -> tuple[tuple[str, bytes | None], ...]:
    return tuple((dict(headers_of(step(A, 3, epoch=2))) | headers).items())


def test_key_and_headers_are_parsed() -> None:
    """Type, version, sequence, epoch and id are parsed from the headers; the value stays bytes."""
    event = step(A, 3, epoch=2)
    record = parse(DOSSIERS, Raw(value=event.to_json()))
    assert (record.key, record.sequence, record.epoch, record.id) == (A, 3, 2, str(event.id))
    assert (record.type, record.version) == (event.type, 1)
    assert record.event() == event


def test_calendar_key_is_its_name() -> None:
    """Only topics of dossiers have UUID keys."""
    assert parse(CALENDARS, Raw(key=b"standard")).key == "standard"


POISON = {
    "no key": Raw(key=None),
    "a key that is not a UUID": Raw(key=b"H10.18-170428-0001"),
    "another spelling of the UUID": Raw(key=str(A).upper().encode()),
    "a key in no encoding": Raw(key=b"\xff\xfe"),
    "no headers": Raw(headers=()),
    "headers are None": Raw(headers=None),
    "a header without value": Raw(headers=changed(sequence=None)),
    "a sequence in words": Raw(headers=changed(sequence=b"three")),
    "sequence 0": Raw(headers=changed(sequence=b"0")),
    "a sequence too large to store": Raw(headers=changed(sequence=b"9" * 19)),
    "a sequence of 5,000 digits": Raw(headers=changed(sequence=b"9" * 5000)),
    "epoch 0": Raw(headers=changed(epoch=b"0")),
    "an epoch too large to store": Raw(headers=changed(epoch=b"9" * 19)),
    "version 0": Raw(headers=changed(version=b"0")),
    "a version too large to store": Raw(headers=changed(version=b"9" * 10)),
    "a type in no encoding": Raw(headers=changed(type=b"\xff")),
    "a NUL in the type": Raw(headers=changed(type=b"dossier\0")),
    "a NUL in the id": Raw(headers=changed(id=b"\0")),
}


@pytest.mark.parametrize("raw", POISON.values(), ids=POISON.keys())
def test_poison_is_rejected_and_can_be_stored(raw: Raw) -> None:
    """A malformed record raises PoisonMessageError and no other error, and has a storable form."""
    with pytest.raises(PoisonMessageError):
        parse(DOSSIERS, raw)
    stored = unreadable(raw)
    assert (stored.partition, stored.offset, stored.value) == (4, 17, b"{}")
    assert "\0" not in stored.key


def test_long_key_is_truncated() -> None:
    """A key of a megabyte is stored truncated."""
    assert len(unreadable(Raw(key=b"x" * 1_000_000)).key) == 200
    with pytest.raises(PoisonMessageError):
        parse(CALENDARS, Raw(key=b"x" * 201))


def test_tombstone_has_an_empty_value() -> None:
    """A missing value is parsed as empty bytes, which are poison for every handled type."""
    record = parse(DOSSIERS, Raw(value=None))
    assert record.value == b""
    with pytest.raises(PoisonMessageError):
        record.event()


def test_dossier_key_is_a_uuid() -> None:
    """The key has the type of the primary key in the services' tables."""
    assert parse(DOSSIERS, Raw()).key == UUID(str(A))
