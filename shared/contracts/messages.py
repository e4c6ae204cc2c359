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
    """The members of all message events: the message, its channel, and the intake event that it is about.

    `dossier_sequence` is the sequence of that intake event. `channel` is `none` if the applicant has no contact; such a
    message is dropped as soon as it is planned, and officers see it.
    """

    TOPIC: ClassVar[str] = MESSAGES.name

    message_id: UUID
    channel: Open[Literal["sms", "email", "none"]]
    moment: Open[Moment]
    dossier_sequence: int


class MessagePlannedV1(MessageEvent):
    """A message is planned, with the text of `template` in version `template_version`.

    It may be sent from `not_before` until `expires_at`.
    """

    TYPE: ClassVar[str] = "message.planned"

    template: str
    template_version: int
    not_before: Instant
    expires_at: Instant


class MessageSentV1(MessageEvent):
    """The provider accepted the message. `attempts` counts the attempts to send it, `parts` the parts of an SMS.

    If `possibly_doubled`, an earlier attempt got no answer, so the applicant may have the message twice.
    """

    TYPE: ClassVar[str] = "message.sent"

    attempts: int
    parts: int = 1
    possibly_doubled: bool = False


class MessageDeliveredV1(MessageEvent):
    """The provider reports that the message was delivered."""

    TYPE: ClassVar[str] = "message.delivered"


class MessageFailedV1(MessageEvent):
    """The provider rejected the message, or reports that it was not delivered.

    `reason` is a code (`http_422`, `smtp_550`…).
    """

    TYPE: ClassVar[str] = "message.failed"

    reason: str


class MessageUnknownV1(MessageEvent):
    """The outcome is unknown: an attempt got no definite answer and may have succeeded. No further attempt is made."""

    TYPE: ClassVar[str] = "message.unknown"

    attempts: int


class MessageDroppedV1(MessageEvent):
    """The message was not sent and will not be.

    It is overtaken by a later state of the dossier, it expired, or the applicant has no usable contact.
    """

    TYPE: ClassVar[str] = "message.dropped"

    reason: Open[Literal["overtaken", "expired", "no_contact", "not_reachable"]]
