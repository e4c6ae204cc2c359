"""HTTP routes of delivery receipts from the provider, and of message lists for staff."""

import hmac
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query

from services.notify.domain.errors import UnauthorizedError
from services.notify.receipts.handlers import apply_receipts
from services.notify.receipts.schemas import MessageQuery, MessageView, Receipts, ReceiptsTaken
from services.notify.receipts.store import messages_by_state, messages_of_dossier
from services.notify.sending.group_commit import GroupCommit
from shared.service.keys import Principal, require
from shared.service.paging import Page, page_of
from shared.service.process import Context
from shared.service.provided import provided
from shared.service.scope import Scope

router = APIRouter()


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """The key that the provider must send with its delivery receipts; if `value` is None, none are accepted."""

    value: str | None = field(repr=False)

    def matches(self, authorization: str) -> bool:
        """Whether an Authorization header contains the key. The comparison takes the same time for any wrong key."""
        presented = authorization.removeprefix("Bearer ").encode()
        return self.value is not None and hmac.compare_digest(presented, self.value.encode())


Here = Annotated[Context, Depends(provided(Context))]
Staff = Annotated[Principal, Depends(require("clerk", "officer", "leader", "ops", "auditor", "service"))]


async def require_receipt_key(
    key: Annotated[ReceiptKey, Depends(provided(ReceiptKey))], authorization: Annotated[str, Header()] = ""
) -> None:
    """Check the key for delivery receipts. Raises UnauthorizedError if the request does not contain it."""
    if not key.matches(authorization):
        raise UnauthorizedError()


@router.post("/receipts", dependencies=[Depends(require_receipt_key)])
async def post_receipts(
    body: Receipts, context: Here, group_commit: Annotated[GroupCommit, Depends(provided(GroupCommit))]
) -> ReceiptsTaken:
    """Apply delivery receipts to their messages. A repeated receipt changes nothing.

    If a receipt cannot be stored, the others are stored and the request fails: send all of them again.
    """
    return await apply_receipts(group_commit, context.clock, body.receipts)


@router.get("/dossiers/{dossier_id}/messages")
async def list_messages_of_dossier(dossier_id: UUID, who: Staff, context: Here) -> Page[MessageView]:
    """List the messages planned for a dossier's applicant (at most 1000) in the order of the events that require them.

    For an officer of another department the list is empty, as for an unknown dossier.
    """
    rows = await messages_of_dossier(context.pool, dossier_id, department=_department(who, context))
    return Page(items=[MessageView.model_validate(row) for row in rows], next=None)


@router.get("/messages")
async def list_messages(query: Annotated[MessageQuery, Query()], who: Staff, context: Here) -> Page[MessageView]:
    """List the messages with an unknown, failed or dropped outcome, ordered by id.

    An officer sees only the messages for dossiers of the own department.
    """
    rows = await messages_by_state(
        context.pool,
        query.state,
        reason=query.reason,
        after=query.after,
        department=_department(who, context),
        limit=query.limit + 1,
    )
    return page_of(rows, query.limit, key=lambda row: row["message_id"], view=MessageView.model_validate)


def _department(who: Principal, context: Context) -> str | None:
    today = context.centre.local_date(context.clock.now())
    return Scope(who.actor, context.centre, today).department(None)
