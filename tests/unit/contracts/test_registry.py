"""Decoding of records: unknown fields and words are accepted, old versions are upcast, later versions are rejected."""

import json
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import pytest
from pydantic import ValidationError

from shared.contracts.dossiers import DossierTakenOverV1
from shared.contracts.envelope import Actor, EventData, Open, actor_attributes, schema_uri
from shared.contracts.registry import ENVELOPES, EVENTS, Registry, UpgradeNeededError, decode
from shared.contracts.topics import TOPICS
from shared.kernel.errors import PoisonMessageError
from shared.kernel.ids import derived_id

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
DOSSIER = "018f2c5e-7b1a-7c3d-9e2f-0123456789ab"


class SampleMovedV3(EventData):
    """An event with three versions."""

    TYPE: ClassVar[str] = "sample.moved"
    VERSION: ClassVar[int] = 3
    TOPIC: ClassVar[str] = "sample.samples.v1"

    place: str
    floor: int
    way: Open[Literal["stairs", "lift"]] = "stairs"


UPCASTERS = {
    ("sample.moved", 1): lambda data: {"place": data["room"]},  # version 2 renamed the room
    ("sample.moved", 2): lambda data: data | {"floor": 0},  # version 3 needs a floor
}
SAMPLES = Registry([SampleMovedV3], UPCASTERS)


def record_value(event_type: str, version: int, data: dict[str, Any], **more: Any) -> bytes:
    document = {
        "specversion": "1.0",
        "id": str(derived_id("cause", event_type, 0)),
        "source": "/motcua/trial/intake",
        "type": event_type,
        "subject": DOSSIER,
        "time": "2026-03-02T08:00:00+07:00",
        "dataschema": schema_uri(event_type, version),
        "sequence": 1,
        "recordedtime": AT.isoformat(),
        **actor_attributes(Actor(kind="person", id="clerk-1", role="clerk", counter=1)),
        "centre": "trial",
        "epoch": 1,
        "catalogueversion": "sha256:ab",
        "correlationid": "c",
        "causationid": "c",
        "data": data,
    }
    return json.dumps(document | more).encode()


def taken_over(**more: Any) -> bytes:
    return record_value("dossier.taken_over", 1, {"state": "processing", "department": "STP"}, **more)


def test_record_is_decoded_to_the_typed_event() -> None:
    """Instants are in UTC, and the data has its type."""
    envelope = decode("dossier.taken_over", 1, taken_over())
    assert isinstance(envelope.data, DossierTakenOverV1)
    assert (envelope.time, envelope.actor.counter) == (AT, 1)


def test_encoded_event_is_decoded_unchanged() -> None:
    """Decoding an encoded event returns the same event."""
    envelope = decode("dossier.taken_over", 1, taken_over())
    assert decode("dossier.taken_over", 1, envelope.to_json()) == envelope


def test_unknown_field_is_ignored() -> None:
    """A later release may add fields to the envelope and to the data."""
    value = record_value("dossier.taken_over", 1, {"state": "processing", "department": "STP", "desk": 4}, colour="red")
    assert decode("dossier.taken_over", 1, value) == decode("dossier.taken_over", 1, taken_over())


def test_unknown_word_is_accepted_by_a_reader() -> None:
    """A word of a later release in an open enumeration is accepted."""
    value = record_value("dossier.taken_over", 1, {"state": "on_the_moon", "department": "STP"}, actorrole="robot")
    envelope = decode("dossier.taken_over", 1, value)
    assert envelope.data.model_dump()["state"] == "on_the_moon"
    assert str(envelope.actor.role) == "robot"


def test_unknown_word_cannot_be_published() -> None:
    """A producer can use only the words that it knows."""
    with pytest.raises(ValidationError):
        DossierTakenOverV1(state="on_the_moon", department="STP")  # type: ignore[arg-type]


def test_word_of_another_type_is_poison() -> None:
    """An open enumeration accepts other words, but no other types."""
    with pytest.raises(PoisonMessageError):
        decode("dossier.taken_over", 1, record_value("dossier.taken_over", 1, {"state": 7, "department": "STP"}))


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        taken_over(sequence=0),
        taken_over(time="2026-03-02T08:00:00"),
    ],
)
def test_undecodable_value_is_poison(value: bytes) -> None:
    """Every value that cannot be decoded raises PoisonMessageError and no other error."""
    with pytest.raises(PoisonMessageError):
        decode("dossier.taken_over", 1, value)


def test_poison_message_names_the_fault_without_the_value() -> None:
    """The message names invalid and missing fields, never values, which may be personal data."""
    with pytest.raises(PoisonMessageError) as poison:
        decode("dossier.taken_over", 1, b'{"sequence": "0912345678x", "data": {}}')
    text = str(poison.value)
    assert text.startswith("Not a valid dossier.taken_over of version 1: sequence: ")
    assert text.endswith(" more.")
    assert "; missing: id, source, type and " in text
    assert "0912345678" not in text
    assert "http" not in text


def test_type_of_header_and_value_must_agree() -> None:
    """A value of another type than the header's is poison."""
    value = record_value("dossier.withdrawn", 1, {"state": "withdrawn", "department": "STP"})
    with pytest.raises(PoisonMessageError, match="The header has type"):
        decode("dossier.taken_over", 1, value)


def test_later_version_needs_an_upgrade() -> None:
    """A later version of a known type is not poison: a later release can read it."""
    with pytest.raises(UpgradeNeededError, match="Upgrade this service"):
        decode("dossier.taken_over", 2, taken_over())


@pytest.mark.parametrize(
    ("version", "data", "floor"),
    [(1, {"room": "A"}, 0), (2, {"place": "A"}, 0), (3, {"place": "A", "floor": 5}, 5)],
)
def test_old_version_is_upcast_step_by_step(version: int, data: dict[str, Any], floor: int) -> None:
    """Handlers receive only the newest version; the history stays readable."""
    envelope = SAMPLES.decode("sample.moved", version, record_value("sample.moved", version, data))
    assert envelope.data == SampleMovedV3(place="A", floor=floor)
    assert envelope.dataschema == "urn:motcua:event:sample.moved:v3"


def test_unknown_word_is_accepted_in_an_old_version() -> None:
    """An upcast record is validated by the same rules as a new one."""
    envelope = SAMPLES.decode("sample.moved", 2, record_value("sample.moved", 2, {"place": "A", "way": "broom"}))
    assert envelope.data.model_dump()["way"] == "broom"


@pytest.mark.parametrize("data", [{}, {"room": 1}, [], None, "x"])
def test_old_version_that_cannot_be_upcast_is_poison(data: Any) -> None:
    """An error in an upcaster makes the record poison."""
    with pytest.raises(PoisonMessageError):
        SAMPLES.decode("sample.moved", 1, record_value("sample.moved", 1, data))


@pytest.mark.parametrize("version", [0, -1])
def test_version_below_1_is_poison(version: int) -> None:
    """Versions start at 1."""
    with pytest.raises(PoisonMessageError):
        SAMPLES.decode("sample.moved", version, record_value("sample.moved", 1, {"room": "A"}))


def test_missing_upcaster_is_an_error() -> None:
    """Without an upcaster, the records of an old version would be poison."""
    with pytest.raises(ValueError, match="upcasters"):
        Registry([SampleMovedV3], {("sample.moved", 2): UPCASTERS["sample.moved", 2]})


def test_two_events_of_one_type_are_an_error() -> None:
    """An event type has one class."""
    with pytest.raises(ValueError, match="have the same type"):
        Registry([SampleMovedV3, SampleMovedV3], UPCASTERS)


def test_every_event_has_a_topic_and_a_model() -> None:
    """Every event has a known topic and an envelope model."""
    assert {event.TOPIC for event in EVENTS.values()} == set(TOPICS)
    assert set(ENVELOPES) == set(EVENTS)


def test_class_name_follows_from_the_event_type() -> None:
    """The class of `dossier.received` version 1 is DossierReceivedV1."""
    for name, event in EVENTS.items():
        words = name.replace(".", "_").split("_")
        assert event.__name__ == "".join(word.capitalize() for word in words) + f"V{event.VERSION}"
