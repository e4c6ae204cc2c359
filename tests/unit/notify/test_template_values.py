"""The values that the sender inserts into a text at the moment of sending."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.notify.domain.message import Message
from services.notify.sending.contacts import Contact
from services.notify.sending.handlers import template_values

AT = datetime(2017, 11, 20, 2, 0, tzinfo=UTC)
ID = UUID(int=1)


def message(content: dict[str, Any]) -> Message:
    """A planned supplement request."""
    return Message(
        message_id=ID,
        dossier_id=ID,
        dossier_sequence=4,
        moment="supplement_required",
        channel="sms",
        template="supplement_required",
        template_version=1,
        content=content,
        planned_event=ID,
        correlation="test",
        planned_at=AT,
        not_before=AT,
        expires_at=AT,
        next_at=AT,
    )


def test_free_text_papers_come_with_the_contact() -> None:
    """Free text may contain a name: it is rendered, and not stored in the message."""
    planned = message({"code": "H10.02-171120-0001", "papers": []})
    assert template_values(planned, Contact(papers=("Giấy khai sinh của bà Bình",)))["papers"] == [
        "Giấy khai sinh của bà Bình"
    ]
    assert planned.content["papers"] == []


def test_catalogue_papers_come_with_the_event() -> None:
    """The names of catalogue papers are part of the event."""
    planned = message({"papers": ["Tờ khai"]})
    assert template_values(planned, Contact())["papers"] == ["Tờ khai"]
