"""Derive the messages that a history of events requires, which `motcua verify` compares with those of notify."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from services.notify.domain.alert_plan import AlertPlan
from services.notify.planning.handlers import HANDLERS, plan_alerts
from shared.contracts.envelope import AnyEnvelope


@dataclass(frozen=True, slots=True)
class ExpectedPlan:
    """A message that the history requires: an event `message.planned` with these values must have been published."""

    message_id: UUID
    dossier_id: UUID
    channel: str
    moment: str
    dossier_sequence: int
    template: str


def expected_plans(events: Iterable[AnyEnvelope]) -> list[ExpectedPlan]:
    """Return every message that must have been planned for `events`, the whole history of any number of dossiers.

    Within one dossier and topic, events must come in sequence order. How topics and dossiers interleave makes no
    difference.
    """
    plans: dict[UUID, AlertPlan] = {}
    expected = []
    for event in events:
        if type(event.data) not in HANDLERS:
            continue
        for alert in plan_alerts(plans.setdefault(event.dossier_id, AlertPlan()), event):
            expected += [
                ExpectedPlan(
                    message_id=alert.message_id(channel),
                    dossier_id=event.dossier_id,
                    channel=channel,
                    moment=alert.moment,
                    dossier_sequence=alert.dossier_sequence,
                    template=alert.template,
                )
                for channel in alert.channels
            ]
    return expected
