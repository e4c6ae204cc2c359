"""Events of one dossier's life, as intake, sla and routing would tell them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.contracts import assignments, deadlines, dossiers
from shared.contracts.envelope import Actor, AnyEnvelope, EventData
from shared.kernel.ids import uuid7
from shared.postgres.outbox import Cause, Publisher

START = datetime(2017, 11, 20, 1, 0, tzinfo=UTC)
TERM = deadlines.Term(value=5, unit="working_day")
_OWNERS = {
    "intake.dossiers.v1": "intake",
    "sla.deadlines.v1": "sla",
    "sla.calendars.v1": "sla",
    "routing.assignments.v1": "routing",
}


class Life:
    """Tells events about one dossier; `at` moves on by a minute with each, from `start`.

    Sequences count by topic, as the owners' do. `events` keeps what was told.
    """

    def __init__(self, *, start: datetime = START, reach: tuple[dossiers.Reach, ...] = ("sms", "email")) -> None:
        self.dossier_id: UUID = uuid7(start)
        self.at = start
        self.reach = reach
        self.code = f"H10.02-{start:%y%m%d}-{self.dossier_id.int % 10_000:04}"
        self.events: list[AnyEnvelope] = []
        self._sequences = dict.fromkeys(_OWNERS, 0)

    @property
    def heard(self) -> int:
        """The sequence of intake's last event."""
        return self._sequences["intake.dossiers.v1"]

    def tell(self, data: EventData) -> AnyEnvelope:
        """The next event of the topic that `data` belongs to."""
        self._sequences[data.TOPIC] += 1
        self.at += timedelta(minutes=1)
        owner, sequence = _OWNERS[data.TOPIC], self._sequences[data.TOPIC]
        cause = Cause(
            id=f"{self.dossier_id}/{owner}/{sequence}",
            actor=Actor(kind="system", id="test", role="service"),
            recorded_at=self.at,
            correlation="test",
            causation="test",
        )
        publisher = Publisher(service=owner, centre="binh-phuoc", epoch=1, catalogue_version="test")
        event = publisher.event(
            data, subject=str(self.dossier_id), sequence=sequence, time=self.at, cause=cause, place=0
        )
        self.events.append(event)
        return event

    def submitted(self) -> AnyEnvelope:
        return self.tell(
            dossiers.DossierSubmittedV1(
                state="submitted", procedure="2.000908", department="STP", channel="counter", reach=self.reach
            )
        )

    def received(self) -> AnyEnvelope:
        form = dossiers.Form(kind="01", number="01/2017/000001")
        return self.tell(
            dossiers.DossierReceivedV1(
                state="received", code=self.code, procedure="2.000908", department="STP", channel="counter", form=form
            )
        )

    def refused(self) -> AnyEnvelope:
        form = dossiers.Form(kind="03", number="03/2017/000001")
        return self.tell(dossiers.DossierRefusedV1(state="refused", form=form))

    def supplement_required(self, *, before_receipt: bool = False) -> AnyEnvelope:
        return self.tell(
            dossiers.DossierSupplementRequiredV1(
                state="supplement_required",
                before_receipt=before_receipt,
                papers=("Bản sao giấy khai sinh", "Sổ hộ khẩu"),
                form=dossiers.Form(kind="02", number="02/2017/000001"),
            )
        )

    def supplement_received(self, state: dossiers.State = "received") -> AnyEnvelope:
        return self.tell(dossiers.DossierSupplementReceivedV1(state=state))

    def payment_required(self) -> AnyEnvelope:
        return self.tell(dossiers.DossierPaymentRequiredV1(state="payment_required", amount_vnd=1_200_000))

    def taken_over(self) -> AnyEnvelope:
        return self.tell(dossiers.DossierTakenOverV1(state="processing", department="STP"))

    def settled(self, *, electronic: bool = False) -> AnyEnvelope:
        return self.tell(dossiers.DossierSettledV1(state="settled", outcome="approved", electronic_result=electronic))

    def result_arrived(self, state: dossiers.State = "settled") -> AnyEnvelope:
        return self.tell(dossiers.DossierResultArrivedV1(state=state))

    def reopened(self) -> AnyEnvelope:
        return self.tell(dossiers.DossierReopenedV1(state="processing"))

    def extended(self) -> AnyEnvelope:
        form = dossiers.Form(kind="04", number="04/1")
        return self.tell(dossiers.DossierExtendedV1(state="processing", working_days=2, form=form))

    def returned(self) -> AnyEnvelope:
        return self.tell(dossiers.DossierReturnedV1(state="returned", way="counter"))

    def stopped(self) -> AnyEnvelope:
        form = dossiers.Form(kind="05", number="05/2017/000001")
        return self.tell(dossiers.DossierStoppedV1(state="stopped", form=form))

    def withdrawn(self) -> AnyEnvelope:
        return self.tell(dossiers.DossierWithdrawnV1(state="withdrawn"))

    def contact_corrected(self, *reach: dossiers.Reach, state: dossiers.State = "received") -> AnyEnvelope:
        return self.tell(dossiers.DossierContactCorrectedV1(state=state, reach=reach))

    def due(self, day: int, *, reflects: int | None = None) -> AnyEnvelope:
        """`deadline.set` for 16:30 local on that day of November 2017."""
        return self.due_by(datetime(2017, 11, day, 9, 30, tzinfo=UTC), reflects=reflects)

    def due_by(self, due_at: datetime, *, reflects: int | None = None) -> AnyEnvelope:
        """`deadline.set` for that instant."""
        return self.tell(
            deadlines.DeadlineSetV1(
                dossier_sequence=reflects or self.heard,
                generation=1,
                due_at=due_at,
                due_date=due_at.date(),
                counted_from=self.at,
                term=TERM,
                calendar="standard",
                calendar_version=1,
            )
        )

    def moved(self, day: int, before: int) -> AnyEnvelope:
        """`deadline.moved` from one day of November 2017 to another, by a changed calendar."""
        due_at, previous = (datetime(2017, 11, on, 9, 30, tzinfo=UTC) for on in (day, before))
        return self.tell(
            deadlines.DeadlineMovedV1(
                dossier_sequence=self.heard,
                generation=2,
                due_at=due_at,
                due_date=due_at.date(),
                counted_from=self.at,
                term=TERM,
                calendar="standard",
                calendar_version=2,
                previous_due_at=previous,
                decided_by="17/QĐ",
            )
        )

    def no_due(self) -> AnyEnvelope:
        return self.tell(deadlines.DeadlineNoneV1(dossier_sequence=self.heard, generation=1))

    def paused(self) -> AnyEnvelope:
        return self.tell(
            deadlines.DeadlinePausedV1(
                dossier_sequence=self.heard, generation=2, ground="supplement", remaining_working_seconds=3600
            )
        )

    def waiting(self) -> AnyEnvelope:
        return self.tell(deadlines.DeadlineWaitingV1(dossier_sequence=self.heard, generation=1, procedure="9.999999"))

    def assigned(self, *counters: int) -> AnyEnvelope:
        return self.tell(
            assignments.AssignmentDecidedV1(
                dossier_sequence=1,
                procedure="2.000908",
                local_date=self.at.date(),
                receiving_place=assignments.ReceivingPlace(kind="department", department="STP", counters=counters),
                competent_department="STP",
                returning_place="results",
                reason=assignments.AssignmentReason(rule="v1", text="test"),
            )
        )
