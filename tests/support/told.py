"""Facts as intake would tell them, for the services that listen, and a way to put them on Kafka."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from aiokafka import AIOKafkaProducer

from shared.contracts import dossiers
from shared.contracts.dossiers import Channel, DossierEvent, Form, State
from shared.contracts.envelope import Actor, AnyFact
from shared.kernel.ids import uuid7
from shared.messaging.records import headers_of
from shared.postgres.outbox import Cause, Publisher

MORNING = datetime(2018, 1, 2, 1, 30, tzinfo=UTC)
"""08:30 on Tuesday 2 January 2018 at the centre."""

_CLERK = Actor(kind="person", id="clerk-1", role="clerk", counter=1)
_PUBLISHER = Publisher(service="intake", centre="test", epoch=1, catalogue_version="test")


class Told:
    """One dossier's facts of intake, in sequence; each a minute after the one before."""

    def __init__(self, *, start: datetime = MORNING, dossier_id: UUID | None = None) -> None:
        self.dossier_id = dossier_id or uuid7(start)
        self.at = start
        self.facts: list[AnyFact] = []

    def tell(self, data: DossierEvent) -> AnyFact:
        """The next fact."""
        sequence = len(self.facts) + 1
        cause = Cause(
            id=f"{self.dossier_id}/{sequence}",
            actor=_CLERK,
            recorded_at=self.at,
            correlation=str(self.dossier_id),
            causation="test",
        )
        subject = str(self.dossier_id)
        fact = _PUBLISHER.fact(data, subject=subject, sequence=sequence, time=self.at, cause=cause, place=0)
        self.facts.append(fact)
        self.at += timedelta(minutes=1)
        return fact

    def submitted(
        self, procedure: str = "2.000908", department: str | None = None, channel: Channel = "counter"
    ) -> AnyFact:
        """A submission; `department` as intake names it."""
        return self.tell(
            dossiers.DossierSubmittedV1(state="submitted", procedure=procedure, department=department, channel=channel)
        )

    def received(self, procedure: str = "2.000908", department: str = "STP") -> AnyFact:
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

    def begun_step(self, step: int, department: str, passed_on_by: str = "STP") -> AnyFact:
        """The dossier was passed on."""
        data = dossiers.DossierStepBegunV1(
            state="processing", step=step, department=department, passed_on_by=passed_on_by
        )
        return self.tell(data)

    def in_state(self, state: State) -> AnyFact:
        """The fact that brings the dossier into one of these states, with plausible data."""
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


async def send(bootstrap: str, facts: Iterable[AnyFact]) -> None:
    """Put facts on their topics, in the order given, and wait until the broker has them."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=5)
    await producer.start()
    try:
        pending = [
            await producer.send(
                fact.data.TOPIC, key=fact.subject.encode(), value=fact.to_json(), headers=headers_of(fact)
            )
            for fact in facts
        ]
        for sent in pending:
            await sent
    finally:
        await producer.stop()
