"""An event told again about another dossier is the same event in every other respect."""

import json
from uuid import UUID

from shared.messaging.topic_log import Copy
from tests.bench.event_recording import another, copied

DOSSIER = "0199a000-0000-7000-8000-000000000001"
FACT = "5f1b2c3d-4e5f-5a6b-8c7d-9e0f1a2b3c4d"
VALUE = json.dumps({"id": FACT, "subject": DOSSIER, "sequence": 3, "data": {"state": "received"}}).encode()


def test_copies_are_other_dossiers_of_the_same_kind() -> None:
    """As many ids as copies; the time in a UUIDv7, its version and its variant stay."""
    ids = [UUID(another(DOSSIER, copy)) for copy in range(1000)]
    assert len(set(ids)) == 1000
    assert {(one.version, one.int >> 80) for one in ids} == {(7, UUID(DOSSIER).int >> 80)}


def test_the_first_copy_is_the_event_itself() -> None:
    """Nothing is changed that need not be."""
    event = Copy("intake.dossiers.v1", 0, 0, DOSSIER, {"id": FACT, "sequence": "3"}, VALUE)
    assert copied(event, 0) == (DOSSIER.encode(), VALUE, [("id", FACT.encode()), ("sequence", b"3")])


def test_key_value_and_headers_speak_of_the_same_dossier_and_event() -> None:
    """A consumer refuses a record whose value contradicts its key and headers."""
    key, value, headers = copied(Copy("intake.dossiers.v1", 0, 0, DOSSIER, {"id": FACT, "sequence": "3"}, VALUE), 7)
    told = json.loads(value)
    assert told == {
        "id": dict(headers)["id"].decode(),
        "subject": key.decode(),
        "sequence": 3,
        "data": {"state": "received"},
    }
    assert key.decode() != DOSSIER
    assert dict(headers)["id"].decode() != FACT
