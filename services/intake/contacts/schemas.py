"""Requests and responses of the contact look-up."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from services.intake.dossiers.fields import ShortText
from shared.service.http import Body

MAX_CONTACTS = 100
"""Contacts of one request."""


class RequestedContact(Body):
    """A dossier whose applicant's contact is wanted, and for which message, about which event.

    `dossier_sequence` is the sequence of that event; with it, the result has the papers that the event asked for in
    free text.
    """

    dossier_id: UUID
    message_id: UUID | None = None
    dossier_sequence: Annotated[int | None, Field(ge=1)] = None


class ContactRequest(Body):
    """The purpose of a look-up, and the dossiers whose contacts are wanted."""

    purpose: ShortText
    wanted: Annotated[list[RequestedContact], Field(min_length=1, max_length=MAX_CONTACTS)]


class Contact(BaseModel):
    """How to reach an applicant; without phone and e-mail, the applicant cannot be reached.

    `papers` are those that the event `dossier_sequence` of the request asked for in free text, which is not published.
    """

    name: str | None
    phone: str | None
    email: str | None
    papers: list[str]


class FoundContact(BaseModel):
    """The result for one requested contact; `contact` is null if the dossier does not exist."""

    dossier_id: UUID
    message_id: UUID | None
    contact: Contact | None


class ContactResponse(BaseModel):
    """The results of a look-up, one for each requested contact, in the order of the request."""

    found: list[FoundContact]
