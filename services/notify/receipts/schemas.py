"""Request and response models of delivery receipts and message lists."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from shared.service.http import Body
from shared.service.paging import PageQuery


class Receipt(Body):
    """A delivery receipt: the provider's report that a message was delivered, or could not be delivered."""

    message_id: UUID
    status: Literal["delivered", "undelivered"]


class Receipts(Body):
    """The delivery receipts of one or many messages. Receipts of the same message are applied in their order."""

    receipts: list[Receipt] = Field(min_length=1, max_length=1000)


class ReceiptTaken(BaseModel):
    """The result of one delivery receipt. `news` is false if the receipt changed nothing, for example if repeated."""

    message_id: UUID
    news: bool


class ReceiptsTaken(BaseModel):
    """`taken` has the results of the receipts in their order; `unknown` lists the ids for which no message exists."""

    taken: list[ReceiptTaken]
    unknown: list[UUID]


class MessageView(BaseModel):
    """A message as staff see it, without the applicant's phone number or e-mail address.

    `reason` states why the message was dropped or failed.
    """

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
    """Which messages to list: those with the outcome `state` and, if `reason` is given, with this reason."""

    state: Literal["unknown", "failed", "dropped"]
    reason: str | None = Field(default=None, max_length=50)
