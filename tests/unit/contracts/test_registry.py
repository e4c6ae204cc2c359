"""How bytes become events: unknown fields and words pass, old versions are lifted, new ones stop the reader."""

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
    """An event in its third version."""

    TYPE: ClassVar[str] = "sample.moved"
    VERSION: ClassVar[int] = 3
    TOPIC: ClassVar[str] = "sample.samples.v1"

    place: str
    floor: int
    way: Open[Literal["stairs", "lift"]] = "stairs"


LIFTS = {
    ("sample.moved", 1): lambda data: {"place": data["room"]},  # version 2 renamed the room
    ("sample.moved", 2): lambda data: data | {"floor": 0},  # version 3 needs a floor
}
SAMPLES = Registry([SampleMovedV3], LIFTS)


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


def test_record_becomes_the_typed_event() -> None:
    """Instants arrive in UTC, the data in its type."""
    envelope = decode("dossier.taken_over", 1, taken_over())
    assert isinstance(envelope.data, DossierTakenOverV1)
    assert (envelope.time, envelope.actor.counter) == (AT, 1)


def test_event_survives_the_wire() -> None:
    """What is written is what is read."""
    envelope = decode("dossier.taken_over", 1, taken_over())
    assert decode("dossier.taken_over", 1, envelope.to_json()) == envelope


def test_unknown_field_passes() -> None:
    """A writer of a later release may add fields, in the envelope and in the data."""
    value = record_value("dossier.taken_over", 1, {"state": "processing", "department": "STP", "desk": 4}, colour="red")
    assert decode("dossier.taken_over", 1, value) == decode("dossier.taken_over", 1, taken_over())


def test_reader_lets_an_unknown_word_through() -> None:
    """Enums are open: a word of a later release does not stop or park a reader."""
    value = record_value("dossier.taken_over", 1, {"state": "on_the_moon", "department": "STP"}, actorrole="robot")
    envelope = decode("dossier.taken_over", 1, value)
    assert envelope.data.model_dump()["state"] == "on_the_moon"
    assert str(envelope.actor.role) == "robot"


def test_writer_keeps_to_the_words_it_knows() -> None:
    """A slip is refused where it is made, not read by everybody."""
    with pytest.raises(ValidationError):
        DossierTakenOverV1(state="on_the_moon", department="STP")  # type: ignore[arg-type]


def test_word_that_is_no_text_is_poison() -> None:
    """Open means other words, not other kinds of value."""
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
def test_bytes_that_are_no_event_are_poison(value: bytes) -> None:
    """Whatever cannot be read is parked at once; it never ends the reader in another way."""
    with pytest.raises(PoisonMessageError):
        decode("dossier.taken_over", 1, value)


def test_what_is_wrong_is_told_in_a_sentence_and_never_what_stands_there() -> None:
    """An operator reads it in a list, and it is kept with the record: where, not what somebody's value was."""
    with pytest.raises(PoisonMessageError) as poison:
        decode("dossier.taken_over", 1, b'{"sequence": "0912345678x", "data": {}}')
    text = str(poison.value)
    assert text.startswith("not a dossier.taken_over version 1: sequence: ")
    assert text.endswith(" more")
    assert "; without id, source, type and " in text
    assert "0912345678" not in text
    assert "http" not in text


def test_header_and_value_must_name_one_type() -> None:
    """A reader that went by the header alone would take one event for another."""
    value = record_value("dossier.withdrawn", 1, {"state": "withdrawn", "department": "STP"})
    with pytest.raises(PoisonMessageError, match="the header says"):
        decode("dossier.taken_over", 1, value)


def test_version_from_the_future_stops_the_reader() -> None:
    """A known type in an unknown version is never parked: it would be lost to a release that reads it."""
    with pytest.raises(UpgradeNeededError, match="upgrade me"):
        decode("dossier.taken_over", 2, taken_over())


@pytest.mark.parametrize(
    ("version", "data", "floor"),
    [(1, {"room": "A"}, 0), (2, {"place": "A"}, 0), (3, {"place": "A", "floor": 5}, 5)],
)
def test_old_version_is_lifted_step_by_step(version: int, data: dict[str, Any], floor: int) -> None:
    """Handlers know one version, the newest; history stays readable."""
    envelope = SAMPLES.decode("sample.moved", version, record_value("sample.moved", version, data))
    assert envelope.data == SampleMovedV3(place="A", floor=floor)
    assert envelope.dataschema == "urn:motcua:event:sample.moved:v3"


def test_old_version_lets_unknown_words_through() -> None:
    """A lifted record is read by the same rules as a new one."""
    envelope = SAMPLES.decode("sample.moved", 2, record_value("sample.moved", 2, {"place": "A", "way": "broom"}))
    assert envelope.data.model_dump()["way"] == "broom"


@pytest.mark.parametrize("data", [{}, {"room": 1}, [], None, "x"])
def test_old_version_that_cannot_be_lifted_is_poison(data: Any) -> None:
    """An upcaster's error is the record's fault."""
    with pytest.raises(PoisonMessageError):
        SAMPLES.decode("sample.moved", 1, record_value("sample.moved", 1, data))


@pytest.mark.parametrize("version", [0, -1])
def test_version_that_never_was_is_poison(version: int) -> None:
    """Versions count from 1."""
    with pytest.raises(PoisonMessageError):
        SAMPLES.decode("sample.moved", version, record_value("sample.moved", 1, {"room": "A"}))


def test_missing_upcaster_stops_the_start() -> None:
    """A version without a way up would make its records poison."""
    with pytest.raises(ValueError, match="upcasters"):
        Registry([SampleMovedV3], {("sample.moved", 2): LIFTS["sample.moved", 2]})


def test_two_events_of_one_type_stop_the_start() -> None:
    """One type, one meaning."""
    with pytest.raises(ValueError, match="share a type"):
        Registry([SampleMovedV3, SampleMovedV3], LIFTS)


def test_every_event_has_a_topic_and_a_model() -> None:
    """What can be published has a place to go to."""
    assert {event.TOPIC for event in EVENTS.values()} == set(TOPICS)
    assert set(ENVELOPES) == set(EVENTS)


def test_event_types_are_named_noun_and_past_verb() -> None:
    """`dossier.received`, class DossierReceivedV1: one can be told from the other."""
    for name, event in EVENTS.items():
        words = name.replace(".", "_").split("_")
        assert event.__name__ == "".join(word.capitalize() for word in words) + f"V{event.VERSION}"
