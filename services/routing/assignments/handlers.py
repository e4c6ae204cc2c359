"""What each event of intake changes in a dossier's assignment, and what routing publishes then. No SQL, no await."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.routing.assignments.store import AssignmentRow
from services.routing.domain.assignment import Assigned, Assignment, Waiting
from services.routing.general_counter.store import SignedDecisions
from shared.contracts import dossiers
from shared.contracts.assignments import (
    AssignmentDecidedV1,
    AssignmentReason,
    AssignmentWaitingV1,
    ReceivingPlace,
    WeekFigure,
)
from shared.contracts.envelope import EventData, EventEnvelope
from shared.kernel.centre import Centre
from shared.messaging.applier import Handler
from shared.postgres.outbox import Cause
from shared.postgres.unit_of_work import Unit

AssignmentUnit = Unit[AssignmentRow]

IGNORED: frozenset[type[EventData]] = frozenset(
    {
        dossiers.DossierContactCorrectedV1,
        dossiers.DossierExtendedV1,
        dossiers.DossierHandedOverV1,
        dossiers.DossierReceivedElsewhereV1,
        dossiers.DossierResultArrivedV1,
        dossiers.DossierStepRecordedV1,
    }
)
"""The event types of intake without a handler: they change neither the assignment nor the state of a dossier."""


@dataclass(frozen=True, slots=True)
class AssignmentHandlers:
    """Handlers of intake's events: assign dossiers by the centre's configuration and the signed decisions."""

    centre: Centre
    signed: SignedDecisions

    def by_event(self) -> Mapping[type[EventData], Handler[AssignmentRow]]:
        """Return the handler for each event type of intake, by type, except the types in IGNORED."""
        return {
            dossiers.DossierSubmittedV1: self.on_submitted,
            dossiers.DossierReceivedV1: self.on_received,
            dossiers.DossierRefusedV1: self.on_state_changed,
            dossiers.DossierSupplementRequiredV1: self.on_state_changed,
            dossiers.DossierSupplementReceivedV1: self.on_state_changed,
            dossiers.DossierPaymentRequiredV1: self.on_state_changed,
            dossiers.DossierPaidV1: self.on_state_changed,
            dossiers.DossierTakenOverV1: self.on_state_changed,
            dossiers.DossierStepBegunV1: self.on_step_begun,
            dossiers.DossierSettledV1: self.on_state_changed,
            dossiers.DossierReopenedV1: self.on_state_changed,
            dossiers.DossierStoppedV1: self.on_state_changed,
            dossiers.DossierWithdrawnV1: self.on_state_changed,
            dossiers.DossierReturnedV1: self.on_state_changed,
        }

    def on_submitted(self, event: EventEnvelope[Any], unit: AssignmentUnit) -> None:
        """Store the submission, and assign the dossier by the local date of the submission."""
        row = unit.row(event.dossier_id)
        record_event(row, event)
        self.assign(row, unit, time=event.time, cause=unit.cause_of(event))

    def on_received(self, event: EventEnvelope[Any], unit: AssignmentUnit) -> None:
        """Store that intake received the dossier; assign again unless the department in the event is the assigned one.

        The event's department counts, because the dossier's code contains its agency id. A dossier without an
        assignment is always decided again. Raises SubmissionMissingError.
        """
        row = unit.row(event.dossier_id)
        record_event(row, event)
        if row.department != event.data.department:
            self.assign(row, unit, time=event.time, cause=unit.cause_of(event))

    def on_step_begun(self, event: EventEnvelope[Any], unit: AssignmentUnit) -> None:
        """Store the new step, and publish the assignment with the step's department as the competent one.

        Receiving and returning place remain those of the first step. Publishes nothing while the dossier waits. Raises
        SubmissionMissingError.
        """
        row = unit.row(event.dossier_id)
        record_event(row, event)
        self.assign(row, unit, time=event.time, cause=unit.cause_of(event))

    def on_state_changed(self, event: EventEnvelope[Any], unit: AssignmentUnit) -> None:
        """Store the dossier's new state, which decides whether queues list it as open. Publishes nothing."""
        unit.row(event.dossier_id).change_state(event.data.state)

    def assign(self, row: AssignmentRow, unit: AssignmentUnit, *, time: datetime, cause: Cause) -> bool:
        """Assign the dossier of `row` or leave it waiting, and publish the result. Return whether it is assigned now.

        Publishes nothing if the dossier still waits for the same thing. Changes only `row` and `unit`, in memory.
        Raises SubmissionMissingError.
        """
        decision = row.decide(self.centre, self.signed.current)
        if not row.apply(decision):
            return False
        event = to_event(decision, row.dossier_sequence)
        row.published = event.model_dump(mode="json")
        unit.publish(row, event, time=time, cause=cause)
        return row.waiting_for is None


def record_event(assignment: Assignment, event: EventEnvelope[Any]) -> None:
    """Copy from an event of intake into `assignment` what the assignment depends on.

    Reads dossier.submitted, dossier.received and dossier.step_begun, and ignores other events. Decides nothing.
    """
    data = event.data
    if isinstance(data, dossiers.DossierSubmittedV1):
        assignment.submit(
            procedure=data.procedure,
            department=data.department,
            channel=data.channel,
            state=data.state,
            at=event.time,
            sequence=event.sequence,
        )
    elif isinstance(data, dossiers.DossierReceivedV1):
        assignment.receive(
            code=data.code,
            procedure=data.procedure,
            department=data.department,
            state=data.state,
            at=event.time,
            sequence=event.sequence,
        )
    elif isinstance(data, dossiers.DossierStepBegunV1):
        assignment.begin_step(data.step, data.department, state=data.state, sequence=event.sequence)


def to_event(decision: Assigned | Waiting, dossier_sequence: int) -> AssignmentDecidedV1 | AssignmentWaitingV1:
    """Build the event data for an assignment, or for a dossier that waits for one. Publishes nothing itself."""
    reason = AssignmentReason(
        rule=decision.reason.rule,
        decision=decision.reason.decision,
        in_force_from=decision.reason.in_force_from,
        text=decision.reason.text,
        figures=tuple(
            WeekFigure(week=week.start, dossiers=week.dossiers, working_days=week.working_days)
            for week in decision.reason.weeks
        ),
    )
    if isinstance(decision, Waiting):
        return AssignmentWaitingV1(
            dossier_sequence=dossier_sequence,
            procedure=decision.procedure,
            waiting_for=decision.waiting_for,
            reason=reason,
        )
    return AssignmentDecidedV1(
        dossier_sequence=dossier_sequence,
        procedure=decision.procedure,
        local_date=decision.local_date,
        receiving_place=ReceivingPlace(
            kind=decision.receiving, department=decision.receiving_department, counters=decision.counters
        ),
        competent_department=decision.competent_department,
        returning_place=decision.returning_place,
        reason=reason,
        step=decision.step,
    )
