"""The topics that notify consumes; each event's alerts become messages in the transaction that handles the event."""

from typing import Any, cast

from services.notify.domain.alert_plan import UNREACHABLE, Alert
from services.notify.domain.message import Channel, Message
from services.notify.planning.handlers import HANDLERS, plan_alerts
from services.notify.tables import DOSSIERS, MESSAGES, DossierRow
from services.notify.texts import Texts
from shared.contracts import topics
from shared.contracts.envelope import AnyEnvelope, EventData
from shared.contracts.messages import MessageDroppedV1, MessagePlannedV1
from shared.messaging.applier import Handler, Stream
from shared.postgres.unit_of_work import Unit


def create_streams(texts: Texts) -> list[Stream[DossierRow]]:
    """Return the topics that notify consumes, each with its table and the handlers of its events."""
    handler = create_handler(texts)

    def handlers(topic: topics.Topic) -> dict[type[EventData], Handler[DossierRow]]:
        return {kind: handler for kind in HANDLERS if topic.name == kind.TOPIC}

    return [
        Stream(topics.DOSSIERS, DOSSIERS, handlers(topics.DOSSIERS)),
        Stream(topics.DEADLINES, DOSSIERS, handlers(topics.DEADLINES)),
        Stream(topics.ASSIGNMENTS, DOSSIERS, handlers(topics.ASSIGNMENTS)),
    ]


def create_handler(texts: Texts) -> Handler[DossierRow]:
    """Return the one handler of every event. It plans a message for each channel of each alert that the event requires.

    The messages and the events `message.planned` are stored in the transaction that handles the event.
    """

    def on_event(event: AnyEnvelope, unit: Unit[DossierRow]) -> None:
        for alert in plan_alerts(unit.row(event.dossier_id), event):
            for channel in alert.channels:
                _plan(texts, alert, cast(Channel, channel), event, unit)

    return on_event


def _plan(texts: Texts, alert: Alert, channel: Channel, event: AnyEnvelope, unit: Unit[DossierRow]) -> None:
    row, cause = unit.row(event.dossier_id), unit.cause_of(event)
    version = texts.version_on(alert.valid_from)
    expires_at = alert.valid_from + texts.valid_for(version, alert.template)
    identity: dict[str, Any] = {
        "message_id": alert.message_id(channel),
        "channel": channel,
        "moment": alert.moment,
        "dossier_sequence": alert.dossier_sequence,
    }
    planned = unit.publish(
        row,
        MessagePlannedV1(
            **identity,
            template=alert.template,
            template_version=version.version,
            not_before=event.time,
            expires_at=expires_at,
        ),
        time=event.time,
        cause=cause,
    )
    message = Message.plan(
        alert,
        channel,
        dossier_id=event.dossier_id,
        template_version=version.version,
        content=alert.values | _fees(texts, alert),
        planned_event=planned.id,
        correlation=cause.correlation,
        planned_at=event.time,
        expires_at=expires_at,
    )
    if channel == UNREACHABLE:
        message.mark_dropped("not_reachable")
        unit.publish(row, MessageDroppedV1(**identity, reason="not_reachable"), time=event.time, cause=cause)
    unit.add(MESSAGES, message)


def _fees(texts: Texts, alert: Alert) -> dict[str, list[int]]:
    """Return {"fees": the counters where fees are paid on that day} for a payment request, {} for any other alert."""
    return {"fees": texts.fees_counters(alert.valid_from)} if alert.moment == "payment_required" else {}
