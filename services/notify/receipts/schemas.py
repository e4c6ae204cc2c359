"""Request and response models of delivery receipts and message lists."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.service.http import Body
from shared.service.paging import PageQuery


class Receipt(Body):
    """A delivery receipt: what the provider reports about a message."""

    message_id: UUID
    status: Literal["delivered", "undelivered"]


class Receipts(Body):
    """Delivery receipts of one or many messages; those of one message apply in order."""

    receipts: list[Receipt] = Field(min_length=1, max_length=1000)


class ReceiptTaken(BaseModel):
    """The result of one receipt. `news` is false if it changes nothing, for example when it is repeated."""

    message_id: UUID
    news: bool


class ReceiptsTaken(BaseModel):
    """The results in the order of the receipts; `unknown` lists messages that do not exist here."""

    taken: list[ReceiptTaken]
    unknown: list[UUID]


class MessageView(BaseModel):
    """A message as staff see it, without its address. `reason` states why it was dropped or failed."""

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


class MessageQuery(PageQuery):
    """Which messages to list: those of an outcome, and of one reason of it."""

    state: Literal["unknown", "failed", "dropped"]
    reason: str | None = Field(default=None, max_length=50)
