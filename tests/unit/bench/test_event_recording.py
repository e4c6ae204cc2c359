"""A copy of an event has another dossier id and event id, and is otherwise unchanged."""

import json
from uuid import UUID

from shared.messaging.topic_log import RawRecord
from tests.bench.event_recording import copied_id, copied_record

DOSSIER = "0199a000-0000-7000-8000-000000000001"
EVENT = "5f1b2c3d-4e5f-5a6b-8c7d-9e0f1a2b3c4d"
VALUE = json.dumps({"id": EVENT, "subject": DOSSIER, "sequence": 3, "data": {"state": "received"}}).encode()


def test_copied_ids_are_unique_and_have_the_same_time() -> None:
    """Each copy has its own id; the time and version of a UUIDv7 stay unchanged."""
    ids = [UUID(copied_id(DOSSIER, copy)) for copy in range(1000)]
    assert len(set(ids)) == 1000
    assert {(one.version, one.int >> 80) for one in ids} == {(7, UUID(DOSSIER).int >> 80)}


def test_copy_zero_is_the_event_itself() -> None:
    """Copy number 0 has the key, value and headers of the recorded event."""
    event = RawRecord("intake.dossiers.v1", 0, 0, DOSSIER, {"id": EVENT, "sequence": "3"}, VALUE)
    assert copied_record(event, 0) == (DOSSIER.encode(), VALUE, [("id", EVENT.encode()), ("sequence", b"3")])


def test_copied_key_value_and_headers_agree() -> None:
    """Key, value and headers of a copy name the same dossier and event; consumers reject a mismatch."""
    key, value, headers = copied_record(
        RawRecord("intake.dossiers.v1", 0, 0, DOSSIER, {"id": EVENT, "sequence": "3"}, VALUE), 7
    )
    content = json.loads(value)
    assert content == {
        "id": dict(headers)["id"].decode(),
        "subject": key.decode(),
        "sequence": 3,
        "data": {"state": "received"},
    }
    assert key.decode() != DOSSIER
    assert dict(headers)["id"].decode() != EVENT
