"""Events of notify: planned messages and their outcome (`notify.messages.v1`), without texts and addresses."""

from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.envelope import EventData, Instant, Open
from shared.contracts.topics import MESSAGES

Moment = Literal[
    "received",
    "refused",
    "supplement_required",
    "payment_required",
    "due_date_changed",
    "result_ready",
    "returned",
    "stopped",
    "withdrawn",
]


class MessageEvent(EventData):
    """The members of all message events: the message, its channel, and the event of intake that it is about.

    `channel` is `none` if the applicant has no contact. Such a message is dropped at once, and officers see it.
    """

    TOPIC: ClassVar[str] = MESSAGES.name

    message_id: UUID
    channel: Open[Literal["sms", "email", "none"]]
    moment: Open[Moment]
    dossier_sequence: int


class MessagePlannedV1(MessageEvent):
    """A message is planned: to be sent between `not_before` and `expires_at`, from the template."""

    TYPE: ClassVar[str] = "message.planned"

    template: str
    template_version: int
    not_before: Instant
    expires_at: Instant


class MessageSentV1(MessageEvent):
    """The provider accepted the message. `possibly_doubled`: it was sent again after an attempt without an answer."""

    TYPE: ClassVar[str] = "message.sent"

    attempts: int
    parts: int = 1
    possibly_doubled: bool = False


class MessageDeliveredV1(MessageEvent):
    """The provider reports that the message was delivered."""

    TYPE: ClassVar[str] = "message.delivered"


class MessageFailedV1(MessageEvent):
    """The provider rejected the message or could not deliver it; `reason` is a code (`http_422`, `smtp_550`…)."""

    TYPE: ClassVar[str] = "message.failed"

    reason: str


class MessageUnknownV1(MessageEvent):
    """The outcome is unknown: the provider did not answer and cannot be queried, so the message may have been sent."""

    TYPE: ClassVar[str] = "message.unknown"

    attempts: int


class MessageDroppedV1(MessageEvent):
    """The message is not sent: overtaken by a later state, expired, or without a usable contact."""

    TYPE: ClassVar[str] = "message.dropped"

    reason: Open[Literal["overtaken", "expired", "no_contact", "not_reachable"]]
