"""Builder of the events about one dossier, as intake, sla, routing and notify publish them."""

from datetime import UTC, date, datetime, timedelta
from typing import Self
from uuid import UUID

from shared.contracts import assignments, deadlines, dossiers
from shared.contracts.dossiers import Form
from shared.contracts.envelope import Actor, AnyEnvelope, EventData
from shared.contracts.topics import DOSSIERS, TOPICS
from shared.kernel.ids import uuid7
from shared.kernel.vocabulary import Channel, Reach, State
from shared.postgres.outbox import Cause, Publisher
from tests.support.hand_clock import at as instant_of

MORNING = datetime(2018, 1, 2, 1, 30, tzinfo=UTC)
"""08:30 on Tuesday 2 January 2018 at the centre."""
CLERK = Actor(kind="person", id="clerk-1", role="clerk", counter=1)
TERM = deadlines.Term(value=5, unit="working_day")


class DossierEvents:
    """Builds the events of one dossier and collects them in `events`, in the order of the calls.

    The first event is at `start`, each following event one minute later, unless `at` sets another instant.
    Sequences count per topic, as those of the publishing services do; `sequences` has the last one of each topic.
    Events of intake have `actor`, the others have the publishing service as their actor.
    """

    def __init__(
        self,
        *,
        start: datetime = MORNING,
        dossier_id: UUID | None = None,
        procedure: str = "2.000908",
        reach: tuple[Reach, ...] = ("sms", "email"),
        actor: Actor = CLERK,
    ) -> None:
        self.dossier_id = dossier_id or uuid7(start)
        self.procedure = procedure
        self.reach = reach
        self.actor = actor
        self.next_at = start
        self.code = ""
        self.events: list[AnyEnvelope] = []
        self.sequences = dict.fromkeys(TOPICS, 0)
        self._recorded_at: datetime | None = None

    def at(self, when: datetime | str, *, recorded: datetime | str | None = None) -> Self:
        """Set the instants at which the next event happens and is recorded. A text is local time in Vietnam."""
        self.next_at = _instant(when)
        self._recorded_at = None if recorded is None else _instant(recorded)
        return self

    def publish(self, data: EventData) -> AnyEnvelope:
        """Build the next event of the topic that `data` belongs to."""
        topic = TOPICS[data.TOPIC]
        self.sequences[topic.name] += 1
        sequence, subject = self.sequences[topic.name], str(self.dossier_id)
        cause = Cause(
            id=f"{subject}/{topic.owner}/{sequence}",
            actor=self.actor if topic == DOSSIERS else Actor(kind="system", id=topic.owner, role="service"),
            recorded_at=self._recorded_at or self.next_at,
            correlation=subject,
            causation="test",
        )
        publisher = Publisher(service=topic.owner, centre="test", epoch=1, catalogue_version="test")
        event = publisher.event(data, subject=subject, sequence=sequence, time=self.next_at, cause=cause, place=0)
        self.events.append(event)
        self.next_at += timedelta(minutes=1)
        self._recorded_at = None
        return event

    def submitted(
        self, procedure: str | None = None, department: str | None = None, channel: Channel = "counter"
    ) -> AnyEnvelope:
        return self.publish(
            dossiers.DossierSubmittedV1(
                state="submitted",
                procedure=procedure or self.procedure,
                department=department,
                channel=channel,
                reach=self.reach,
            )
        )

    def received(self, procedure: str | None = None, department: str = "STP") -> AnyEnvelope:
        """`dossier.received`; its code, for department H10.01 and the UTC day, becomes `code`."""
        self.code = f"H10.01-{self.next_at:%y%m%d}-{self.dossier_id.int % 10_000:04}"
        return self.publish(
            dossiers.DossierReceivedV1(
                state="received",
                code=self.code,
                procedure=procedure or self.procedure,
                department=department,
                channel="counter",
                form=Form(kind="01", number="01/1"),
            )
        )

    def refused(self) -> AnyEnvelope:
        return self.publish(dossiers.DossierRefusedV1(state="refused", form=Form(kind="03", number="03/1")))

    def supplement_required(self, *, before_receipt: bool = False) -> AnyEnvelope:
        return self.publish(
            dossiers.DossierSupplementRequiredV1(
                state="supplement_required",
                before_receipt=before_receipt,
                papers=("Bản sao giấy khai sinh", "Sổ hộ khẩu"),
                form=Form(kind="02", number="02/1"),
            )
        )

    def supplement_received(self, state: State = "received") -> AnyEnvelope:
        return self.publish(dossiers.DossierSupplementReceivedV1(state=state))

    def payment_required(self) -> AnyEnvelope:
        return self.publish(dossiers.DossierPaymentRequiredV1(state="payment_required", amount_vnd=1_200_000))

    def taken_over(self) -> AnyEnvelope:
        return self.publish(dossiers.DossierTakenOverV1(state="processing", department="STP"))

    def step_begun(self, step: int, department: str = "STC", passed_on_by: str = "STP") -> AnyEnvelope:
        return self.publish(
            dossiers.DossierStepBegunV1(state="processing", step=step, department=department, passed_on_by=passed_on_by)
        )

    def step_recorded(self) -> AnyEnvelope:
        return self.publish(dossiers.DossierStepRecordedV1(state="processing", activity="checked"))

    def extended(self, by: int | date = 2) -> AnyEnvelope:
        """`dossier.extended`, by a number of working days or to a date."""
        days, day = (by, None) if isinstance(by, int) else (None, by)
        form = Form(kind="04", number="04/1")
        return self.publish(dossiers.DossierExtendedV1(state="processing", working_days=days, to_date=day, form=form))

    def settled(self, *, electronic: bool = False) -> AnyEnvelope:
        return self.publish(
            dossiers.DossierSettledV1(state="settled", outcome="approved", electronic_result=electronic)
        )

    def result_arrived(self, state: State = "settled") -> AnyEnvelope:
        return self.publish(dossiers.DossierResultArrivedV1(state=state))

    def reopened(self) -> AnyEnvelope:
        return self.publish(dossiers.DossierReopenedV1(state="processing"))

    def returned(self) -> AnyEnvelope:
        return self.publish(dossiers.DossierReturnedV1(state="returned", way="counter"))

    def stopped(self) -> AnyEnvelope:
        return self.publish(dossiers.DossierStoppedV1(state="stopped", form=Form(kind="05", number="05/1")))

    def withdrawn(self) -> AnyEnvelope:
        return self.publish(dossiers.DossierWithdrawnV1(state="withdrawn"))

    def contact_corrected(self, *reach: Reach, state: State = "received") -> AnyEnvelope:
        return self.publish(dossiers.DossierContactCorrectedV1(state=state, reach=reach))

    def in_state(self, state: State) -> AnyEnvelope:
        """The event that brings the dossier into this state."""
        by_state = {
            "processing": self.taken_over,
            "supplement_required": self.supplement_required,
            "settled": self.settled,
            "refused": self.refused,
            "withdrawn": self.withdrawn,
            "stopped": self.stopped,
            "returned": self.returned,
        }
        return by_state[state]()

    def deadline_set(self, due: datetime | str, *, dossier_sequence: int | None = None) -> AnyEnvelope:
        """`deadline.set` for that instant, derived from intake's event `dossier_sequence` or from its last one."""
        due_at = _instant(due)
        return self.publish(
            deadlines.DeadlineSetV1(
                dossier_sequence=dossier_sequence or self._dossier_sequence,
                generation=1,
                due_at=due_at,
                due_date=due_at.date(),
                counted_from=self.next_at,
                term=TERM,
                calendar="standard",
                calendar_version=1,
            )
        )

    def deadline_moved(self, due: datetime | str, *, before: datetime | str) -> AnyEnvelope:
        """`deadline.moved` from instant `before`, by a changed calendar."""
        due_at = _instant(due)
        return self.publish(
            deadlines.DeadlineMovedV1(
                dossier_sequence=self._dossier_sequence,
                generation=2,
                due_at=due_at,
                due_date=due_at.date(),
                counted_from=self.next_at,
                term=TERM,
                calendar="standard",
                calendar_version=2,
                previous_due_at=_instant(before),
                decided_by="17/QĐ",
            )
        )

    def deadline_none(self) -> AnyEnvelope:
        return self.publish(deadlines.DeadlineNoneV1(dossier_sequence=self._dossier_sequence, generation=1))

    def deadline_paused(self) -> AnyEnvelope:
        return self.publish(
            deadlines.DeadlinePausedV1(
                dossier_sequence=self._dossier_sequence,
                generation=2,
                ground="supplement",
                remaining_working_seconds=3600,
            )
        )

    def deadline_waiting(self) -> AnyEnvelope:
        return self.publish(
            deadlines.DeadlineWaitingV1(dossier_sequence=self._dossier_sequence, generation=1, procedure="9.999999")
        )

    def assignment_decided(self, *counters: int) -> AnyEnvelope:
        return self.publish(
            assignments.AssignmentDecidedV1(
                dossier_sequence=1,
                procedure=self.procedure,
                local_date=self.next_at.date(),
                receiving_place=assignments.ReceivingPlace(kind="department", department="STP", counters=counters),
                competent_department="STP",
                returning_place="results",
                reason=assignments.AssignmentReason(rule="v1", text="test"),
            )
        )

    @property
    def _dossier_sequence(self) -> int:
        return self.sequences[DOSSIERS.name]


def _instant(when: datetime | str) -> datetime:
    return instant_of(when) if isinstance(when, str) else when
