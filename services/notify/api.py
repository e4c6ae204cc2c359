"""notify over HTTP: receipts from the provider, messages for the people who look after dossiers."""

import asyncio
import hmac
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, Field

from services.notify.outcomes import record_receipt
from services.notify.recording import Recorder
from services.notify.store import DossierRow, Message, list_messages
from shared.kernel.errors import ExpectedError, Refusal
from shared.postgres.unit_of_work import Unit
from shared.service.http import Body
from shared.service.keys import Principal, require
from shared.service.process import Context

STAFF = require("clerk", "officer", "leader", "ops", "auditor", "service")


class Receipt(Body):
    """What the provider reports of a message."""

    message_id: UUID
    status: Literal["delivered", "undelivered"]


class Receipts(Body):
    """Reports of one message or of many. One message's come in the order in which they hold."""

    receipts: list[Receipt] = Field(min_length=1, max_length=1000)


class ReceiptTaken(BaseModel):
    """`news` is false for a report that changes nothing: a repeated one, say."""

    message_id: UUID
    news: bool


class ReceiptsTaken(BaseModel):
    """What came of each, in the order given; `unknown` are messages that nobody planned here."""

    taken: list[ReceiptTaken]
    unknown: list[UUID]


class MessageOut(BaseModel):
    """A message as staff see it: never its address. `reason` says why it was dropped or failed."""

    message_id: UUID
    dossier_id: UUID
    code: str | None
    dossier_sequence: int
    moment: str
    channel: str
    template: str
    template_version: int
    state: str
    reason: str | None
    attempts: int
    parts: int
    possibly_doubled: bool
    planned_at: datetime
    expires_at: datetime


class MessagesOut(BaseModel):
    """A page of messages; `next_after` continues it, absent on the last one."""

    messages: list[MessageOut]
    next_after: UUID | None = None


def router(context: Context, recorder: Recorder, *, receipt_key: str | None) -> APIRouter:
    """The routes; `receipt_key` is what the provider presents with its receipts (None: none are taken)."""
    routes = APIRouter()

    async def provider(authorization: Annotated[str, Header()] = "") -> None:
        given = authorization.removeprefix("Bearer ").encode()
        if receipt_key is None or not hmac.compare_digest(given, receipt_key.encode()):
            raise ExpectedError("unauthorized", "send the key for receipts: Authorization: Bearer …", status=401)

    def take(receipt: Receipt, message: Message, unit: Unit[DossierRow], _: datetime) -> bool:
        now = context.clock.at_due(message.not_before)
        return record_receipt(receipt.status == "delivered", message, unit, now=now)

    @routes.post("/receipts", dependencies=[Depends(provider)])
    async def receipts(reported: Receipts) -> ReceiptsTaken:
        """Take delivery receipts; the same ones twice do no harm. Where one cannot be kept, the others are all the
        same, and the refusal says that all may be sent again."""
        outcomes = await asyncio.gather(
            *(recorder.record(one.message_id, partial(take, one)) for one in reported.receipts), return_exceptions=True
        )
        answer = ReceiptsTaken(taken=[], unknown=[])
        for one, outcome in zip(reported.receipts, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                answer.unknown.append(one.message_id)
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                answer.taken.append(ReceiptTaken(message_id=one.message_id, news=outcome))
        return answer

    @routes.get("/dossiers/{dossier_id}/messages")
    async def messages_of_dossier(dossier_id: UUID, who: Annotated[Principal, Depends(STAFF)]) -> MessagesOut:
        """Everything planned for a dossier's applicant, oldest first. An officer sees their own department's."""
        found = await list_messages(context.pool, dossier_id=dossier_id, department=_department(who), limit=1000)
        return MessagesOut(messages=[_out(row) for row in found])

    @routes.get("/messages")
    async def noticed(
        who: Annotated[Principal, Depends(STAFF)],
        state: Annotated[Literal["unknown", "failed", "dropped"], Query()],
        reason: Annotated[str | None, Query(max_length=50)] = None,
        after: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> MessagesOut:
        """Messages that somebody should know of, by id: unknown, failed, or dropped (`reason=not_reachable`…)."""
        found = await list_messages(
            context.pool, state=state, reason=reason, after=after, department=_department(who), limit=limit
        )
        more = found[-1]["message_id"] if len(found) == limit else None
        return MessagesOut(messages=[_out(row) for row in found], next_after=more)

    return routes


def _department(who: Principal) -> str | None:
    """Whose messages the caller may see: an officer's own department's, everybody else's all."""
    return who.actor.department if who.actor.role == "officer" else None


def _out(row: Any) -> MessageOut:
    return MessageOut(**{**row, "possibly_doubled": row["doubled"]})
