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
    """The key that the provider presents with its receipts; without a `value` no receipts are accepted."""

    value: str | None = field(repr=False)

    def matches(self, authorization: str) -> bool:
        """Whether an Authorization header contains the key; takes the same time for any wrong one."""
        presented = authorization.removeprefix("Bearer ").encode()
        return self.value is not None and hmac.compare_digest(presented, self.value.encode())


Here = Annotated[Context, Depends(provided(Context))]
Staff = Annotated[Principal, Depends(require("clerk", "officer", "leader", "ops", "auditor", "service"))]


async def require_receipt_key(
    key: Annotated[ReceiptKey, Depends(provided(ReceiptKey))], authorization: Annotated[str, Header()] = ""
) -> None:
    """Raises UnauthorizedError unless the request has the key for receipts."""
    if not key.matches(authorization):
        raise UnauthorizedError()


@router.post("/receipts", dependencies=[Depends(require_receipt_key)])
async def post_receipts(
    body: Receipts, context: Here, group_commit: Annotated[GroupCommit, Depends(provided(GroupCommit))]
) -> ReceiptsTaken:
    """Accept delivery receipts. Repeated ones change nothing.

    If one cannot be stored, the others are, and the request fails: send all of them again.
    """
    return await apply_receipts(group_commit, context.clock, body.receipts)


@router.get("/dossiers/{dossier_id}/messages")
async def list_messages_of_dossier(dossier_id: UUID, who: Staff, context: Here) -> Page[MessageView]:
    """All messages planned for a dossier's applicant, oldest first. An officer sees the own department's."""
    rows = await messages_of_dossier(context.pool, dossier_id, department=_department(who, context))
    return Page(items=[MessageView.model_validate(row) for row in rows], next=None)


@router.get("/messages")
async def list_messages(query: Annotated[MessageQuery, Query()], who: Staff, context: Here) -> Page[MessageView]:
    """Messages with an unknown, failed or dropped outcome, by id. An officer sees the own department's."""
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
