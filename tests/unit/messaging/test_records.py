"""Keys and headers: what can be read is judged without decoding, what cannot is kept in a form that can be stored."""

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
    """As aiokafka hands a record over."""

    key: bytes | None = str(A).encode()
    headers: Any = field(default_factory=lambda: tuple(headers_of(step(A, 3, epoch=2))))
    value: bytes | None = b"{}"
    topic: str = DOSSIERS.name
    partition: int = 4
    offset: int = 17


def changed(**headers: bytes | None) -> tuple[tuple[str, bytes | None], ...]:
    return tuple((dict(headers_of(step(A, 3, epoch=2))) | headers).items())


def test_headers_say_what_the_fence_needs() -> None:
    """Type, version, sequence, epoch and id come back as they were written; the value stays in bytes."""
    event = step(A, 3, epoch=2)
    record = parse(DOSSIERS, Raw(value=event.to_json()))
    assert (record.key, record.sequence, record.epoch, record.id) == (A, 3, 2, str(event.id))
    assert (record.type, record.version) == (event.type, 1)
    assert record.event() == event


def test_a_calendar_is_keyed_by_its_name() -> None:
    """Only dossier topics have UUIDs as keys."""
    assert parse(CALENDARS, Raw(key=b"standard")).key == "standard"


POISON = {
    "no key": Raw(key=None),
    "a key that is no UUID": Raw(key=b"H10.18-170428-0001"),
    "another spelling of the UUID": Raw(key=str(A).upper().encode()),
    "a key in no encoding": Raw(key=b"\xff\xfe"),
    "no headers": Raw(headers=()),
    "headers that are none": Raw(headers=None),
    "a header without value": Raw(headers=changed(sequence=None)),
    "a sequence in words": Raw(headers=changed(sequence=b"three")),
    "sequence 0": Raw(headers=changed(sequence=b"0")),
    "a sequence too large to keep": Raw(headers=changed(sequence=b"9" * 19)),
    "a sequence of 5,000 digits": Raw(headers=changed(sequence=b"9" * 5000)),
    "epoch 0": Raw(headers=changed(epoch=b"0")),
    "an epoch too large to keep": Raw(headers=changed(epoch=b"9" * 19)),
    "version 0": Raw(headers=changed(version=b"0")),
    "a version too large to keep": Raw(headers=changed(version=b"9" * 10)),
    "a type in no encoding": Raw(headers=changed(type=b"\xff")),
    "a NUL in the type": Raw(headers=changed(type=b"dossier\0")),
    "a NUL in the id": Raw(headers=changed(id=b"\0")),
}


@pytest.mark.parametrize("raw", POISON.values(), ids=POISON.keys())
def test_poison_is_refused_and_can_be_kept(raw: Raw) -> None:
    """One bad record never stops a partition: it is PoisonMessageError and nothing else, and has a storable form."""
    with pytest.raises(PoisonMessageError):
        parse(DOSSIERS, raw)
    kept = unreadable(raw)
    assert (kept.partition, kept.offset, kept.value) == (4, 17, b"{}")
    assert "\0" not in kept.key


def test_a_key_is_cut_to_what_an_index_takes() -> None:
    """A megabyte in place of a key is kept by its beginning."""
    assert len(unreadable(Raw(key=b"x" * 1_000_000)).key) == 200
    with pytest.raises(PoisonMessageError):
        parse(CALENDARS, Raw(key=b"x" * 201))


def test_a_tombstone_has_an_empty_value() -> None:
    """No value is read as no bytes, which then is poison for every type that is handled."""
    record = parse(DOSSIERS, Raw(value=None))
    assert record.value == b""
    with pytest.raises(PoisonMessageError):
        record.event()


def test_the_key_is_the_dossier() -> None:
    """As the services' tables have it."""
    assert parse(DOSSIERS, Raw()).key == UUID(str(A))
