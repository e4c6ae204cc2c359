"""From events on the topics to the alerts that they call for; used by the handlers and by whoever checks them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.notify.domain import planning
from services.notify.domain.planning import Alert, Clock, Known, Told
from shared.contracts import assignments, deadlines, dossiers
from shared.contracts.envelope import AnyEnvelope, EventData

Hear = Callable[[Known, Told, Any], list[Alert]]


def _submitted(known: Known, told: Told, data: dossiers.DossierSubmittedV1) -> list[Alert]:
    planning.hear_submission(known, told, data.reach)
    return []


def _contact_corrected(known: Known, told: Told, data: dossiers.DossierContactCorrectedV1) -> list[Alert]:
    planning.hear_reach(known, told, data.reach)
    return []


def _received(known: Known, told: Told, data: dossiers.DossierReceivedV1) -> list[Alert]:
    planning.hear_receipt(known, told, data.code)
    return []


def _refused(known: Known, told: Told, data: dossiers.DossierRefusedV1) -> list[Alert]:
    return [planning.call(known, told, "refused", form=data.form.number)]


def _supplement_required(known: Known, told: Told, data: dossiers.DossierSupplementRequiredV1) -> list[Alert]:
    template = "supplement_required_before_receipt" if data.before_receipt else "supplement_required"
    papers = list(data.papers)
    return [planning.call(known, told, "supplement_required", template=template, form=data.form.number, papers=papers)]


def _payment_required(known: Known, told: Told, data: dossiers.DossierPaymentRequiredV1) -> list[Alert]:
    return [planning.call(known, told, "payment_required", amount_vnd=data.amount_vnd)]


def _settled(known: Known, told: Told, data: dossiers.DossierSettledV1) -> list[Alert]:
    return planning.hear_settlement(known, told, electronic=data.electronic_result)


def _result_arrived(known: Known, told: Told, data: dossiers.DossierResultArrivedV1) -> list[Alert]:
    return planning.hear_arrival(known, told)


def _returned(known: Known, told: Told, data: dossiers.DossierReturnedV1) -> list[Alert]:
    return [planning.call(known, told, "returned")]


def _stopped(known: Known, told: Told, data: dossiers.DossierStoppedV1) -> list[Alert]:
    return [planning.call(known, told, "stopped", form=data.form.number)]


def _withdrawn(known: Known, told: Told, data: dossiers.DossierWithdrawnV1) -> list[Alert]:
    return [planning.call(known, told, "withdrawn")]


def _reopened(known: Known, told: Told, data: dossiers.DossierReopenedV1) -> list[Alert]:
    planning.hear_reopening(known)
    return []


def _nothing(known: Known, told: Told, data: dossiers.DossierEvent) -> list[Alert]:
    return []  # only the state and the sequence matter, and these are heard for every event


DOSSIER_EVENTS: Mapping[type[EventData], Hear] = {
    dossiers.DossierSubmittedV1: _submitted,
    dossiers.DossierReceivedV1: _received,
    dossiers.DossierRefusedV1: _refused,
    dossiers.DossierSupplementRequiredV1: _supplement_required,
    dossiers.DossierSupplementReceivedV1: _nothing,
    dossiers.DossierPaymentRequiredV1: _payment_required,
    dossiers.DossierPaidV1: _nothing,
    dossiers.DossierTakenOverV1: _nothing,
    dossiers.DossierSettledV1: _settled,
    dossiers.DossierStoppedV1: _stopped,
    dossiers.DossierWithdrawnV1: _withdrawn,
    dossiers.DossierReturnedV1: _returned,
    dossiers.DossierExtendedV1: _nothing,
    dossiers.DossierStepBegunV1: _nothing,
    dossiers.DossierReopenedV1: _reopened,
    dossiers.DossierStepRecordedV1: _nothing,
    dossiers.DossierHandedOverV1: _nothing,
    dossiers.DossierResultArrivedV1: _result_arrived,
    dossiers.DossierContactCorrectedV1: _contact_corrected,
    dossiers.DossierReceivedElsewhereV1: _nothing,
}
DEADLINE_EVENTS = (
    deadlines.DeadlineSetV1,
    deadlines.DeadlineMovedV1,
    deadlines.DeadlineNoneV1,
    deadlines.DeadlinePausedV1,
)
ASSIGNMENT_EVENTS = (assignments.AssignmentDecidedV1,)


def hear(known: Known, event: AnyEnvelope) -> list[Alert]:
    """Take note of one event of intake, sla or routing; the alerts that it calls for, alone or with earlier ones.

    Events of other types are passed over. `known` changes; nothing else does.
    """
    told, data = Told(event.id, event.sequence, event.time), event.data
    if isinstance(data, dossiers.DossierEvent) and (part := DOSSIER_EVENTS.get(type(data))):
        planning.hear(known, told, data.state)
        return part(known, told, data) + planning.hear_waiting(known)
    if isinstance(data, DEADLINE_EVENTS):
        due_at = data.due_at if isinstance(data, deadlines.DeadlineSetV1) else None
        paused = isinstance(data, deadlines.DeadlinePausedV1)
        return planning.hear_clock(known, Clock(told, data.dossier_sequence, due_at, paused))
    if isinstance(data, ASSIGNMENT_EVENTS):
        place = data.receiving_place
        found = {"kind": place.kind, "counters": list(place.counters), "returning": data.returning_place}
        planning.hear_place(known, told.at, found)
    return []


@dataclass(frozen=True, slots=True)
class CalledFor:
    """A plan that the events call for; `message.planned` must exist with these values."""

    message_id: UUID
    dossier_id: UUID
    channel: str
    moment: str
    dossier_sequence: int
    template: str


def plans_called_for(events: Iterable[AnyEnvelope]) -> list[CalledFor]:
    """Every plan that `events` call for, of any number of dossiers.

    Each topic's events of a dossier must come in sequence order; how topics and dossiers interleave makes no
    difference. Pure: for `motcua verify`, which compares the answer with what notify published.
    """
    known: dict[UUID, Known] = {}
    called = []
    for event in events:
        if not isinstance(event.data, (dossiers.DossierEvent, deadlines.DeadlineEvent, *ASSIGNMENT_EVENTS)):
            continue
        for alert in hear(known.setdefault(event.dossier_id, Known()), event):
            called += [
                CalledFor(
                    message_id=alert.message_id(channel),
                    dossier_id=event.dossier_id,
                    channel=channel,
                    moment=alert.moment,
                    dossier_sequence=alert.dossier_sequence,
                    template=alert.template,
                )
                for channel in alert.channels
            ]
    return called
