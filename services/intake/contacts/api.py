"""HTTP routes of the contact look-up."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.intake.contacts import store
from services.intake.contacts.schemas import Contact, ContactRequest, ContactResponse, FoundContact
from shared.service.keys import Principal, require
from shared.service.process import Context
from shared.service.provided import provided

router = APIRouter()


@router.post("/contacts/lookup")
async def look_up(
    request: ContactRequest,
    who: Annotated[Principal, Depends(require("service"))],
    context: Annotated[Context, Depends(provided(Context))],
) -> ContactResponse:
    """Return the contacts of applicants to a service that is about to use them; every access is recorded.

    For a dossier that does not exist, `contact` is null; the other results are not affected.
    """
    contacts = await store.look_up(
        context.pool,
        [(one.dossier_id, one.message_id, one.dossier_sequence) for one in request.wanted],
        purpose=request.purpose,
        actor=who.actor.id,
        at=context.clock.now(),
    )
    found = [
        FoundContact(
            dossier_id=one.dossier_id,
            message_id=one.message_id,
            contact=None if contact is None else Contact.model_validate(contact),
        )
        for one, contact in zip(request.wanted, contacts, strict=True)
    ]
    return ContactResponse(found=found)
