"""What each event of intake does to routing's row, and what routing tells of it. Pure on locked rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.routing.domain.decisions import Decisions
from services.routing.replay import Question
from services.routing.store import RoutedDossier
from shared.contracts import dossiers as told
from shared.contracts.assignments import AssignmentDecidedV1
from shared.contracts.envelope import EventData, EventEnvelope
from shared.kernel.centre import Centre
from shared.kernel.errors import MotcuaError
from shared.messaging.applier import Handler
from shared.postgres.outbox import Cause
from shared.postgres.unit_of_work import Unit

Routed = Unit[RoutedDossier]


class NeverSubmittedError(MotcuaError):
    """A receipt without a submission (an operator discarded it): parked, for the local date to decide by is missing."""


@dataclass(slots=True)
class Routing:
    """The handlers of a service that decides by `centre`, and by the `decisions` of which there are `version`."""

    centre: Centre
    decisions: Decisions
    version: int = 0

    def follow(self, decisions: Decisions, version: int) -> None:
        """Decide by a longer row of decisions from now on; a shorter one changes nothing."""
        if version > self.version:
            self.decisions, self.version = decisions, version

    def handlers(self) -> Mapping[type[EventData], Handler[RoutedDossier]]:
        """Events that leave state and department as they are (extensions, hand-overs, contacts) are passed over."""
        return {
            told.DossierSubmittedV1: self.on_submitted,
            told.DossierReceivedV1: self.on_received,
            told.DossierRefusedV1: self.on_state,
            told.DossierSupplementRequiredV1: self.on_state,
            told.DossierSupplementReceivedV1: self.on_state,
            told.DossierPaymentRequiredV1: self.on_state,
            told.DossierPaidV1: self.on_state,
            told.DossierTakenOverV1: self.on_state,
            told.DossierStepBegunV1: self.on_step_begun,
            told.DossierSettledV1: self.on_state,
            told.DossierReopenedV1: self.on_state,
            told.DossierStoppedV1: self.on_state,
            told.DossierWithdrawnV1: self.on_state,
            told.DossierReturnedV1: self.on_state,
        }

    def on_submitted(self, envelope: EventEnvelope[Any], unit: Routed) -> None:
        """Decide, by the local date of the submission."""
        row = unit.row(envelope.dossier_id)
        row.procedure = envelope.data.procedure
        row.named_department = envelope.data.department
        row.submitted_at = envelope.time
        row.channel = envelope.data.channel
        row.state = envelope.data.state
        row.dossier_sequence = envelope.sequence
        self.assign(row, unit, time=envelope.time, cause=unit.cause_of(envelope))

    def on_received(self, envelope: EventEnvelope[Any], unit: Routed) -> None:
        """The code is drawn from the department that the receipt names: where routing had another, or none, it
        decides again."""
        row = unit.row(envelope.dossier_id)
        row.code = envelope.data.code
        row.received_at = envelope.time
        row.procedure = envelope.data.procedure
        row.named_department = envelope.data.department
        row.state = envelope.data.state
        row.dossier_sequence = envelope.sequence
        if row.department != envelope.data.department:
            self.assign(row, unit, time=envelope.time, cause=unit.cause_of(envelope))

    def on_step_begun(self, envelope: EventEnvelope[Any], unit: Routed) -> None:
        """Another department goes on; where the dossier was received and where its result lies stays as it was told."""
        row = unit.row(envelope.dossier_id)
        row.state = envelope.data.state
        row.step, row.passed_on_to = envelope.data.step, envelope.data.department
        row.dossier_sequence = envelope.sequence
        self.assign(row, unit, time=envelope.time, cause=unit.cause_of(envelope))

    def on_state(self, envelope: EventEnvelope[Any], unit: Routed) -> None:
        """Keep the state, so that queues list what is open."""
        unit.row(envelope.dossier_id).state = envelope.data.state

    def assign(self, row: RoutedDossier, unit: Routed, *, time: datetime, cause: Cause) -> bool:
        """Decide for a submitted dossier and tell it, unless it waits for the same as before. True: it has a place."""
        if row.procedure is None or row.submitted_at is None:
            raise NeverSubmittedError(f"dossier {row.key} was received, but its submission is not known here")
        on = self.centre.local_date(row.submitted_at)
        asked = Question(
            row.procedure, row.named_department, on, row.dossier_sequence, step=row.step, passed_on_to=row.passed_on_to
        )
        event = asked.answer(self.centre, self.decisions)
        if isinstance(event, AssignmentDecidedV1):
            row.department = event.competent_department
            row.receiving_place = event.receiving_place.kind
            row.waiting_for = None
        elif row.waiting_for == event.waiting_for:
            return False
        else:
            row.department = None
            row.receiving_place = None
            row.waiting_for = event.waiting_for
        row.assignment = event.model_dump(mode="json")
        unit.publish(row, event, time=time, cause=cause)
        return row.waiting_for is None
