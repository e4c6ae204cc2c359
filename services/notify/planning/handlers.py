"""What each consumed event does to the alert plan of its dossier, and which alerts it requires."""

from collections.abc import Callable, Mapping
from typing import Any

from services.notify.domain.alert_plan import Alert, AlertPlan, Deadline, EventRef
from shared.contracts import assignments, deadlines, dossiers
from shared.contracts.envelope import AnyEnvelope, EventData

Handler = Callable[[AlertPlan, EventRef, Any], list[Alert]]
"""Changes the plan and nothing else; returns the alerts that the event requires."""


def on_submitted(plan: AlertPlan, event: EventRef, data: dossiers.DossierSubmittedV1) -> list[Alert]:
    """Record the submission."""
    plan.record_submission(event, data.reach)
    plan.record_department(data.department)
    return []


def on_contact_corrected(plan: AlertPlan, event: EventRef, data: dossiers.DossierContactCorrectedV1) -> list[Alert]:
    """Record the new channels."""
    plan.record_reach(event, data.reach)
    return []


def on_received(plan: AlertPlan, event: EventRef, data: dossiers.DossierReceivedV1) -> list[Alert]:
    """Record the receipt; its alert is planned with the due date."""
    plan.record_receipt(event, data.code)
    plan.record_department(data.department)
    return []


def on_refused(plan: AlertPlan, event: EventRef, data: dossiers.DossierRefusedV1) -> list[Alert]:
    """Plan the alert of a refusal (form 03)."""
    return [plan.alert(event, "refused", form=data.form.number)]


def on_supplement_required(plan: AlertPlan, event: EventRef, data: dossiers.DossierSupplementRequiredV1) -> list[Alert]:
    """Plan the alert of a supplement request (form 02)."""
    template = "supplement_required_before_receipt" if data.before_receipt else "supplement_required"
    papers = list(data.papers)
    return [plan.alert(event, "supplement_required", template=template, form=data.form.number, papers=papers)]


def on_payment_required(plan: AlertPlan, event: EventRef, data: dossiers.DossierPaymentRequiredV1) -> list[Alert]:
    """Plan the alert of a payment request."""
    return [plan.alert(event, "payment_required", amount_vnd=data.amount_vnd)]


def on_settled(plan: AlertPlan, event: EventRef, data: dossiers.DossierSettledV1) -> list[Alert]:
    """Plan the alert of the result, if it is ready."""
    return plan.record_settlement(event, electronic=data.electronic_result)


def on_result_arrived(plan: AlertPlan, event: EventRef, data: dossiers.DossierResultArrivedV1) -> list[Alert]:
    """Plan the alert of the result, if it is ready."""
    return plan.record_arrival(event)


def on_returned(plan: AlertPlan, event: EventRef, data: dossiers.DossierReturnedV1) -> list[Alert]:
    """Plan the alert of a returned result."""
    return [plan.alert(event, "returned")]


def on_stopped(plan: AlertPlan, event: EventRef, data: dossiers.DossierStoppedV1) -> list[Alert]:
    """Plan the alert of a stopped dossier (form 05)."""
    return [plan.alert(event, "stopped", form=data.form.number)]


def on_withdrawn(plan: AlertPlan, event: EventRef, data: dossiers.DossierWithdrawnV1) -> list[Alert]:
    """Plan the alert of a withdrawn dossier."""
    return [plan.alert(event, "withdrawn")]


def on_reopened(plan: AlertPlan, event: EventRef, data: dossiers.DossierReopenedV1) -> list[Alert]:
    """Record that there will be another result."""
    plan.record_reopening()
    return []


def on_other_act(plan: AlertPlan, event: EventRef, data: dossiers.DossierEvent) -> list[Alert]:
    """Require no alert; the plan already has the dossier's state and sequence."""
    return []


def on_deadline(plan: AlertPlan, event: EventRef, data: deadlines.DeadlineEvent) -> list[Alert]:
    """Record the due date, the missing term or the pause; plan the alert of a receipt or of a changed due date."""
    due_at = data.due_at if isinstance(data, deadlines.DeadlineSetV1) else None
    paused = isinstance(data, deadlines.DeadlinePausedV1)
    return plan.record_deadline(Deadline(event, data.dossier_sequence, due_at, paused))


def on_assignment_decided(plan: AlertPlan, event: EventRef, data: assignments.AssignmentDecidedV1) -> list[Alert]:
    """Record where to go and the competent department."""
    place = data.receiving_place
    plan.record_place(
        event.at, {"kind": place.kind, "counters": list(place.counters), "returning": data.returning_place}
    )
    plan.record_department(data.competent_department)
    return []


HANDLERS: Mapping[type[EventData], Handler] = {
    assignments.AssignmentDecidedV1: on_assignment_decided,
    deadlines.DeadlineMovedV1: on_deadline,
    deadlines.DeadlineNoneV1: on_deadline,
    deadlines.DeadlinePausedV1: on_deadline,
    deadlines.DeadlineSetV1: on_deadline,
    dossiers.DossierContactCorrectedV1: on_contact_corrected,
    dossiers.DossierExtendedV1: on_other_act,
    dossiers.DossierHandedOverV1: on_other_act,
    dossiers.DossierPaidV1: on_other_act,
    dossiers.DossierPaymentRequiredV1: on_payment_required,
    dossiers.DossierReceivedElsewhereV1: on_other_act,
    dossiers.DossierReceivedV1: on_received,
    dossiers.DossierRefusedV1: on_refused,
    dossiers.DossierReopenedV1: on_reopened,
    dossiers.DossierResultArrivedV1: on_result_arrived,
    dossiers.DossierReturnedV1: on_returned,
    dossiers.DossierSettledV1: on_settled,
    dossiers.DossierStepBegunV1: on_other_act,
    dossiers.DossierStepRecordedV1: on_other_act,
    dossiers.DossierStoppedV1: on_stopped,
    dossiers.DossierSubmittedV1: on_submitted,
    dossiers.DossierSupplementReceivedV1: on_other_act,
    dossiers.DossierSupplementRequiredV1: on_supplement_required,
    dossiers.DossierTakenOverV1: on_other_act,
    dossiers.DossierWithdrawnV1: on_withdrawn,
}
"""Event type -> its handler."""

IGNORED: frozenset[type[EventData]] = frozenset(
    {
        assignments.AssignmentWaitingV1,
        deadlines.DeadlineAtRiskV1,
        deadlines.DeadlineBreachedV1,
        deadlines.DeadlineEndedV1,
        deadlines.DeadlineEscalatedV1,
        deadlines.DeadlineNearV1,
        deadlines.DeadlinePauseExceededV1,
        deadlines.DeadlineReachedV1,
        deadlines.DeadlineRetractedV1,
        deadlines.DeadlineWaitingV1,
    }
)
"""The event types of the consumed topics without a handler: they require no alert and do not change the plan."""


def plan_alerts(plan: AlertPlan, event: AnyEnvelope) -> list[Alert]:
    """Handle one event of intake, sla or routing; returns the alerts that it requires, with those of deadline events
    that were pending until now. `plan` changes, nothing else does."""
    data = event.data
    handler = HANDLERS.get(type(data))
    if handler is None:
        return []
    ref = EventRef(event.id, event.sequence, event.time)
    if not isinstance(data, dossiers.DossierEvent):
        return handler(plan, ref, data)
    plan.record_event(ref, data.state)
    return handler(plan, ref, data) + plan.apply_pending_deadlines()
