"""Events as intake would tell them, for the services that listen, and a way to put them on Kafka."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import AIOKafkaProducer

from shared.contracts import dossiers
from shared.contracts.dossiers import Channel, DossierEvent, Form, State
from shared.contracts.envelope import Actor, AnyEnvelope
from shared.kernel.ids import uuid7
from shared.messaging.records import headers_of
from shared.postgres.outbox import Cause, Publisher

MORNING = datetime(2018, 1, 2, 1, 30, tzinfo=UTC)
"""08:30 on Tuesday 2 January 2018 at the centre."""

_CLERK = Actor(kind="person", id="clerk-1", role="clerk", counter=1)
_PUBLISHER = Publisher(service="intake", centre="test", epoch=1, catalogue_version="test")


class Told:
    """One dossier's events of intake, in sequence; each a minute after the one before."""

    def __init__(self, *, start: datetime = MORNING, dossier_id: UUID | None = None) -> None:
        self.dossier_id = dossier_id or uuid7(start)
        self.at = start
        self.events: list[AnyEnvelope] = []

    def tell(self, data: DossierEvent) -> AnyEnvelope:
        """The next event."""
        sequence = len(self.events) + 1
        cause = Cause(
            id=f"{self.dossier_id}/{sequence}",
            actor=_CLERK,
            recorded_at=self.at,
            correlation=str(self.dossier_id),
            causation="test",
        )
        subject = str(self.dossier_id)
        event = _PUBLISHER.event(data, subject=subject, sequence=sequence, time=self.at, cause=cause, place=0)
        self.events.append(event)
        self.at += timedelta(minutes=1)
        return event

    def submitted(
        self, procedure: str = "2.000908", department: str | None = None, channel: Channel = "counter"
    ) -> AnyEnvelope:
        """A submission; `department` as intake names it."""
        return self.tell(
            dossiers.DossierSubmittedV1(state="submitted", procedure=procedure, department=department, channel=channel)
        )

    def received(self, procedure: str = "2.000908", department: str = "STP") -> AnyEnvelope:
        """The receipt, whose department the code is drawn from."""
        return self.tell(
            dossiers.DossierReceivedV1(
                state="received",
                code=f"H10.01-{self.at:%y%m%d}-{self.dossier_id.int % 10_000:04}",
                procedure=procedure,
                department=department,
                channel="counter",
                form=Form(kind="01", number="01/1"),
            )
        )

    def begun_step(self, step: int, department: str, passed_on_by: str = "STP") -> AnyEnvelope:
        """The dossier was passed on."""
        data = dossiers.DossierStepBegunV1(
            state="processing", step=step, department=department, passed_on_by=passed_on_by
        )
        return self.tell(data)

    def in_state(self, state: State) -> AnyEnvelope:
        """The event that brings the dossier into one of these states, with plausible data."""
        form = Form(kind="00", number="00/1")
        known: dict[str, DossierEvent] = {
            "processing": dossiers.DossierTakenOverV1(state="processing", department="STP"),
            "supplement_required": dossiers.DossierSupplementRequiredV1(
                state="supplement_required", before_receipt=False, papers=("form",), form=form
            ),
            "settled": dossiers.DossierSettledV1(state="settled", outcome="approved"),
            "refused": dossiers.DossierRefusedV1(state="refused", form=form),
            "withdrawn": dossiers.DossierWithdrawnV1(state="withdrawn"),
            "stopped": dossiers.DossierStoppedV1(state="stopped", form=form),
            "returned": dossiers.DossierReturnedV1(state="returned", way="counter"),
        }
        return self.tell(known[state])


async def send(bootstrap: str, events: Iterable[AnyEnvelope]) -> None:
    """Put events on their topics, in the order given, and wait until the broker has them."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=5)
    await producer.start()
    try:
        pending = [
            await producer.send(
                event.data.TOPIC, key=event.subject.encode(), value=event.to_json(), headers=headers_of(event)
            )
            for event in events
        ]
        for sent in pending:
            await sent
    finally:
        await producer.stop()
