"""What each consumed event does to the alert plan of its dossier, and which alerts it requires."""

from collections.abc import Callable, Mapping
from typing import Any

from services.notify.domain.alert_plan import Alert, AlertPlan, Deadline, EventRef
from shared.contracts import assignments, deadlines, dossiers
from shared.contracts.envelope import AnyEnvelope, EventData

Handler = Callable[[AlertPlan, EventRef, Any], list[Alert]]
"""Changes the plan and nothing else; returns the alerts that the event requires."""


def on_submitted(plan: AlertPlan, event: EventRef, data: dossiers.DossierSubmittedV1) -> list[Alert]:
    """Record the submission: its time, the applicant's channels and the department. It requires no alert."""
    plan.record_submission(event, data.reach)
    plan.record_department(data.department)
    return []


def on_contact_corrected(plan: AlertPlan, event: EventRef, data: dossiers.DossierContactCorrectedV1) -> list[Alert]:
    """Record the channels on which the applicant can be reached from this event on. It requires no alert."""
    plan.record_reach(event, data.reach)
    return []


def on_received(plan: AlertPlan, event: EventRef, data: dossiers.DossierReceivedV1) -> list[Alert]:
    """Record that the dossier was received. Its alert is returned later, by the handler of the due date."""
    plan.record_receipt(event, data.code)
    plan.record_department(data.department)
    return []


def on_refused(plan: AlertPlan, event: EventRef, data: dossiers.DossierRefusedV1) -> list[Alert]:
    """Return the alert that the dossier was refused (form 03)."""
    return [plan.alert(event, "refused", form=data.form.number)]


def on_supplement_required(plan: AlertPlan, event: EventRef, data: dossiers.DossierSupplementRequiredV1) -> list[Alert]:
    """Return, as a list of one, the alert that the applicant must supplement papers (form 02)."""
    template = "supplement_required_before_receipt" if data.before_receipt else "supplement_required"
    papers = list(data.papers)
    return [plan.alert(event, "supplement_required", template=template, form=data.form.number, papers=papers)]


def on_payment_required(plan: AlertPlan, event: EventRef, data: dossiers.DossierPaymentRequiredV1) -> list[Alert]:
    """Return the alert that the applicant must pay a fee."""
    return [plan.alert(event, "payment_required", amount_vnd=data.amount_vnd)]


def on_settled(plan: AlertPlan, event: EventRef, data: dossiers.DossierSettledV1) -> list[Alert]:
    """Return the alert that the result is ready, if it is electronic or has already arrived on paper."""
    return plan.record_settlement(event, electronic=data.electronic_result)


def on_result_arrived(plan: AlertPlan, event: EventRef, data: dossiers.DossierResultArrivedV1) -> list[Alert]:
    """Record that the result arrived on paper; return the alert that it is ready, if the dossier is settled."""
    return plan.record_arrival(event)


def on_returned(plan: AlertPlan, event: EventRef, data: dossiers.DossierReturnedV1) -> list[Alert]:
    """Return the alert that the result was handed out."""
    return [plan.alert(event, "returned")]


def on_stopped(plan: AlertPlan, event: EventRef, data: dossiers.DossierStoppedV1) -> list[Alert]:
    """Return the alert that the dossier was stopped (form 05)."""
    return [plan.alert(event, "stopped", form=data.form.number)]


def on_withdrawn(plan: AlertPlan, event: EventRef, data: dossiers.DossierWithdrawnV1) -> list[Alert]:
    """Return the alert that the dossier was withdrawn."""
    return [plan.alert(event, "withdrawn")]


def on_reopened(plan: AlertPlan, event: EventRef, data: dossiers.DossierReopenedV1) -> list[Alert]:
    """Record that the reopened dossier will have another result, with its own alert. It requires no alert now."""
    plan.record_reopening()
    return []


def on_other_act(plan: AlertPlan, event: EventRef, data: dossiers.DossierEvent) -> list[Alert]:
    """Return no alert and record nothing: `plan_alerts` has recorded the dossier's state and sequence before."""
    return []


def on_deadline(plan: AlertPlan, event: EventRef, data: deadlines.DeadlineEvent) -> list[Alert]:
    """Record the due date, the missing term or the pause; return the alert of the receipt or of a changed due date.

    If the receipt, or an intake event from which sla derived the deadline, is not recorded yet, the deadline event
    stays pending and no alert is returned.
    """
    due_at = data.due_at if isinstance(data, deadlines.DeadlineSetV1) else None
    paused = isinstance(data, deadlines.DeadlinePausedV1)
    return plan.record_deadline(Deadline(event, data.dossier_sequence, due_at, paused))


def on_assignment_decided(plan: AlertPlan, event: EventRef, data: assignments.AssignmentDecidedV1) -> list[Alert]:
    """Record where the applicant goes, and the competent department. It requires no alert."""
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
    """Apply one event of intake, sla or routing to `plan`, and return the alerts that became necessary.

    They include the alerts of deadline events that were pending until now. Only `plan` changes; nothing is stored.
    """
    data = event.data
    handler = HANDLERS.get(type(data))
    if handler is None:
        return []
    ref = EventRef(event.id, event.sequence, event.time)
    if not isinstance(data, dossiers.DossierEvent):
        return handler(plan, ref, data)
    plan.record_event(ref, data.state)
    return handler(plan, ref, data) + plan.apply_pending_deadlines()
