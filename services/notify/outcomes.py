"""What a step does to a message under its dossier's lock, and the event that tells it."""

from datetime import datetime
from typing import Any, cast

from services.notify.domain.delivery import Again, Ask, Dropped, Failed, Sent, Step, Unknown
from services.notify.store import MESSAGES, DossierRow, Message
from shared.contracts.envelope import Actor, EventData
from shared.contracts.messages import (
    MessageDeliveredV1,
    MessageDroppedV1,
    MessageFailedV1,
    MessageSentV1,
    MessageUnknownV1,
)
from shared.postgres.outbox import Cause
from shared.postgres.unit_of_work import Unit


def record(step: Step, message: Message, unit: Unit[DossierRow], *, now: datetime, machine: datetime) -> None:
    """Write what a step decided; a closed message tells its outcome. `message` and its dossier's row are locked.

    `now` is the centre time by which it was judged, for the event; `machine` is machine time, for when to try again.
    """
    message.leased_until = None
    match step:
        case Again(pause, doubled):
            _wait(message, "send", machine + pause)
            message.doubled = doubled
        case Ask(pause):
            _wait(message, "ask", machine + pause)
        case Sent(reference):
            message.reference = reference
            _close(message, "sent", None)
            _tell_sent(message, unit, now)
        case Failed(reason):
            _close(message, "failed", reason)
            _tell(MessageFailedV1(**_about(message), reason=reason), message, unit, now)
        case Unknown():
            _close(message, "unknown", None)
            _tell(MessageUnknownV1(**_about(message), attempts=message.attempts), message, unit, now)
        case Dropped(reason):
            _close(message, "dropped", reason)
            _tell(MessageDroppedV1(**_about(message), reason=cast(Any, reason)), message, unit, now)
    unit.change(MESSAGES, message)


def record_receipt(arrived: bool, message: Message, unit: Unit[DossierRow], *, now: datetime) -> bool:
    """The provider's report: it arrived, or it did not. True if this was news.

    Arrival overrules whatever was believed, a failure all but arrival. Of a message never sent neither can be true.
    """
    never_sent = message.attempts == 0
    if never_sent or message.state == "delivered" or (not arrived and message.state == "failed"):
        return False
    message.leased_until = None
    if message.state == "planned":  # the report overtook the provider's answer, and says what that would have said
        _tell_sent(message, unit, now)
    if arrived:
        _close(message, "delivered", None)
        _tell(MessageDeliveredV1(**_about(message)), message, unit, now)
    else:
        _close(message, "failed", "undelivered")
        _tell(MessageFailedV1(**_about(message), reason="undelivered"), message, unit, now)
    unit.change(MESSAGES, message)
    return True


def _wait(message: Message, step: Any, until: datetime) -> None:
    message.next_step, message.next_at = step, until


def _close(message: Message, state: Any, reason: str | None) -> None:
    message.state, message.reason, message.next_step = state, reason, None


def _tell_sent(message: Message, unit: Unit[DossierRow], now: datetime) -> None:
    sent = MessageSentV1(
        **_about(message), attempts=message.attempts, parts=message.parts, possibly_doubled=message.doubled
    )
    _tell(sent, message, unit, now)


def _about(message: Message) -> dict[str, Any]:
    return {
        "message_id": message.message_id,
        "channel": message.channel,
        "moment": message.moment,
        "dossier_sequence": message.dossier_sequence,
    }


def _tell(data: EventData, message: Message, unit: Unit[DossierRow], now: datetime) -> None:
    cause = Cause(
        id=f"{message.message_id}/{data.TYPE}/{getattr(data, 'reason', '')}",
        actor=Actor(kind="system", id="notify", role="service"),
        recorded_at=now,
        correlation=message.correlation,
        causation=str(message.planned_event),
    )
    unit.publish(unit.row(message.dossier_id), data, time=now, cause=cause)
