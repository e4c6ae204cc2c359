"""Requests and responses of the contact look-up."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from services.intake.dossiers.fields import ShortText
from shared.service.http import Body

MAX_CONTACTS = 100
"""Contacts of one request."""


class RequestedContact(Body):
    """The applicant of a dossier, the message that uses the contact, and the event that the message is about."""

    dossier_id: UUID
    message_id: UUID | None = None
    dossier_sequence: Annotated[int | None, Field(ge=1)] = None


class ContactRequest(Body):
    """The purpose of a look-up and the contacts."""

    purpose: ShortText
    wanted: Annotated[list[RequestedContact], Field(min_length=1, max_length=MAX_CONTACTS)]


class Contact(BaseModel):
    """How to reach an applicant; without phone and e-mail, the applicant cannot be reached.

    `papers` are those that the event asked for in free text, which is not published.
    """

    name: str | None
    phone: str | None
    email: str | None
    papers: list[str]


class FoundContact(BaseModel):
    """The result for one requested contact; without `contact` the dossier does not exist."""

    dossier_id: UUID
    message_id: UUID | None
    contact: Contact | None


class ContactResponse(BaseModel):
    """The results in the order of the request."""

    found: list[FoundContact]
