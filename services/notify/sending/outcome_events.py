"""Publish the event of a message's outcome, and store the message, through the unit of work."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from services.notify.domain.message import Message, State
from services.notify.tables import MESSAGES, DossierRow
from shared.contracts.envelope import Actor
from shared.contracts.messages import (
    MessageDeliveredV1,
    MessageDroppedV1,
    MessageEvent,
    MessageFailedV1,
    MessageSentV1,
    MessageUnknownV1,
)
from shared.postgres.outbox import Cause
from shared.postgres.unit_of_work import Unit

_NOTIFY = Actor(kind="system", id="notify", role="service")


def store(message: Message, unit: Unit[DossierRow]) -> None:
    """Register a changed message with the unit, which updates the message's row in its transaction."""
    unit.change(MESSAGES, message)


def publish_outcome(message: Message, unit: Unit[DossierRow], *, now: datetime) -> None:
    """Add the event of a closed message's outcome to the unit, which stores it in the outbox in its transaction.

    `now` is the centre time of the event.
    """
    data = _EVENTS[message.state](message)
    cause = Cause(
        id=f"{message.message_id}/{data.TYPE}/{getattr(data, 'reason', '')}",
        actor=_NOTIFY,
        recorded_at=now,
        correlation=message.correlation,
        causation=str(message.planned_event),
    )
    unit.publish(unit.row(message.dossier_id), data, time=now, cause=cause)


def _identity(message: Message) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "channel": message.channel,
        "moment": message.moment,
        "dossier_sequence": message.dossier_sequence,
    }


def _sent(message: Message) -> MessageEvent:
    return MessageSentV1(
        **_identity(message),
        attempts=message.attempts,
        parts=message.parts,
        possibly_doubled=message.possibly_doubled,
    )


def _delivered(message: Message) -> MessageEvent:
    return MessageDeliveredV1(**_identity(message))


def _failed(message: Message) -> MessageEvent:
    return MessageFailedV1(**_identity(message), reason=cast(str, message.reason))


def _unknown(message: Message) -> MessageEvent:
    return MessageUnknownV1(**_identity(message), attempts=message.attempts)


def _dropped(message: Message) -> MessageEvent:
    return MessageDroppedV1(**_identity(message), reason=cast(Any, message.reason))


_EVENTS: Mapping[State, Callable[[Message], MessageEvent]] = {
    "sent": _sent,
    "delivered": _delivered,
    "failed": _failed,
    "unknown": _unknown,
    "dropped": _dropped,
}
