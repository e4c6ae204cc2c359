"""What each event does: note it, and plan the alerts that it calls for in the same transaction."""

from datetime import UTC, datetime
from typing import Any

from services.notify.domain.planning import UNREACHABLE, Alert
from services.notify.hearing import ASSIGNMENT_EVENTS, DEADLINE_EVENTS, DOSSIER_EVENTS, hear
from services.notify.store import DOSSIERS, MESSAGES, DossierRow, Message
from services.notify.texts import Texts
from shared.contracts import topics
from shared.contracts.assignments import AssignmentDecidedV1
from shared.contracts.dossiers import DossierReceivedV1, DossierSubmittedV1
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.messages import MessageDroppedV1, MessagePlannedV1
from shared.messaging.applier import Handler, Stream
from shared.postgres.unit_of_work import Unit

_AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Due for the sender as soon as it is planned, whatever the machines' clocks say. (The year 1 reads back as -infinity,
which has no zone and compares with nothing.)"""


def streams(texts: Texts) -> list[Stream[DossierRow]]:
    """The topics that notify hears, and what their events do."""
    handler = planner(texts)
    return [
        Stream(topics.DOSSIERS, DOSSIERS, dict.fromkeys(DOSSIER_EVENTS, handler)),
        Stream(topics.DEADLINES, DOSSIERS, dict.fromkeys(DEADLINE_EVENTS, handler)),
        Stream(topics.ASSIGNMENTS, DOSSIERS, dict.fromkeys(ASSIGNMENT_EVENTS, handler)),
    ]


def planner(texts: Texts) -> Handler[DossierRow]:
    """The handler of every event: `hear` decides, each alert becomes a message a channel."""

    def on_event(event: AnyEnvelope, unit: Unit[DossierRow]) -> None:
        row = unit.row(event.dossier_id)
        match event.data:
            case DossierSubmittedV1() | DossierReceivedV1() if event.data.department:
                row.department = event.data.department
            case AssignmentDecidedV1():
                row.department = event.data.competent_department
        for alert in hear(row, event):
            for channel in alert.channels:
                _plan(texts, alert, channel, event, unit)

    return on_event


def _plan(texts: Texts, alert: Alert, channel: str, event: AnyEnvelope, unit: Unit[DossierRow]) -> None:
    row, cause = unit.row(event.dossier_id), unit.cause_of(event)
    version = texts.version_on(alert.valid_from)
    about: dict[str, Any] = {
        "message_id": alert.message_id(channel),
        "channel": channel,
        "moment": alert.moment,
        "dossier_sequence": alert.dossier_sequence,
    }
    expires_at = alert.valid_from + texts.valid_for(version, alert.template)
    planned = unit.publish(
        row,
        MessagePlannedV1(
            **about,
            template=alert.template,
            template_version=version.version,
            not_before=event.time,
            expires_at=expires_at,
        ),
        time=event.time,
        cause=cause,
    )
    message = Message(
        **about,
        dossier_id=event.dossier_id,
        template=alert.template,
        template_version=version.version,
        content=alert.values | _fees(texts, alert),
        planned_event=planned.id,
        correlation=cause.correlation,
        planned_at=event.time,
        not_before=event.time,
        expires_at=expires_at,
        next_at=_AT_ONCE,
    )
    if channel == UNREACHABLE:
        message.state, message.next_step, message.reason = "dropped", None, "not_reachable"
        unit.publish(row, MessageDroppedV1(**about, reason="not_reachable"), time=event.time, cause=cause)
    unit.add(MESSAGES, message)


def _fees(texts: Texts, alert: Alert) -> dict[str, list[int]]:
    """Where to pay, for an alert that asks for it: the fees counters open on that day, if the centre has any."""
    return {"fees": texts.fees_counters(alert.valid_from)} if alert.moment == "payment_required" else {}
