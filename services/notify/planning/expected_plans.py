"""The messages that a history of events requires, for `motcua verify` to compare with those that notify published."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from services.notify.domain.alert_plan import AlertPlan
from services.notify.planning.handlers import HANDLERS, plan_alerts
from shared.contracts.envelope import AnyEnvelope


@dataclass(frozen=True, slots=True)
class ExpectedPlan:
    """A message that events require; `message.planned` must exist with these values."""

    message_id: UUID
    dossier_id: UUID
    channel: str
    moment: str
    dossier_sequence: int
    template: str


def expected_plans(events: Iterable[AnyEnvelope]) -> list[ExpectedPlan]:
    """Every message that `events`, of any number of dossiers, require.

    Each topic's events of a dossier must come in sequence order. How topics and dossiers interleave makes no
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
