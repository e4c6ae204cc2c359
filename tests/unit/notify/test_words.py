"""What the sender puts into a text at the moment of sending."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.notify.contacts import Contact
from services.notify.deciding import words_for
from services.notify.store import Message

AT = datetime(2017, 11, 20, 2, 0, tzinfo=UTC)
ID = UUID(int=1)


def message(content: dict[str, Any]) -> Message:
    """A planned request for papers."""
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


def test_papers_in_free_words_come_with_the_contact_and_are_not_kept() -> None:
    """They may name a person: the text has them, the message does not."""
    planned = message({"code": "H10.02-171120-0001", "papers": []})
    assert words_for(planned, Contact(papers=("Giấy khai sinh của bà Bình",)))["papers"] == [
        "Giấy khai sinh của bà Bình"
    ]
    assert planned.content["papers"] == []


def test_papers_of_the_catalogue_stay_as_they_were_told() -> None:
    """Their names travel with the event."""
    planned = message({"papers": ["Tờ khai"]})
    assert words_for(planned, Contact())["papers"] == ["Tờ khai"]
