"""What notify tells: alerts planned and what became of them (`notify.messages.v1`). Never a text, never an address."""

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
    """Common to all: which message, on which channel, about which event of intake.

    `channel` is `none` where the applicant left no contact: such a plan is dropped at once, and officers see it.
    """

    TOPIC: ClassVar[str] = MESSAGES.name

    message_id: UUID
    channel: Open[Literal["sms", "email", "none"]]
    moment: Open[Moment]
    dossier_sequence: int


class MessagePlannedV1(MessageEvent):
    """To be sent from `not_before` on and not after `expires_at`, from the template named."""

    TYPE: ClassVar[str] = "message.planned"

    template: str
    template_version: int
    not_before: Instant
    expires_at: Instant


class MessageSentV1(MessageEvent):
    """The provider took it. `possibly_doubled`: sent again after an answer that never came."""

    TYPE: ClassVar[str] = "message.sent"

    attempts: int
    parts: int = 1
    possibly_doubled: bool = False


class MessageDeliveredV1(MessageEvent):
    """The provider reports that it reached the applicant."""

    TYPE: ClassVar[str] = "message.delivered"


class MessageFailedV1(MessageEvent):
    """The provider refused it, or reports that it did not arrive; `reason` is a slug (`http_422`, `smtp_550`…)."""

    TYPE: ClassVar[str] = "message.failed"

    reason: str


class MessageUnknownV1(MessageEvent):
    """No answer came and none can be asked for: it may or may not have been sent."""

    TYPE: ClassVar[str] = "message.unknown"

    attempts: int


class MessageDroppedV1(MessageEvent):
    """Never sent, on purpose: overtaken by a later state, expired, no usable contact left, or never any."""

    TYPE: ClassVar[str] = "message.dropped"

    reason: Open[Literal["overtaken", "expired", "no_contact", "not_reachable"]]
