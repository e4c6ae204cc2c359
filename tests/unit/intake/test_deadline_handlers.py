"""Handlers of sla's events store the clock in the dossier."""

from services.intake.dossiers.handlers import on_deadline_waiting
from services.intake.dossiers.store import DOSSIERS, DossierRow
from shared.contracts.deadlines import DeadlineWaitingV1
from shared.contracts.envelope import Actor, AnyEnvelope
from shared.kernel.ids import uuid7
from shared.postgres.outbox import Cause, Publisher
from shared.postgres.unit_of_work import Unit
from tests.support.dossier_events import MORNING


def test_waiting_deadline_stores_what_is_missing() -> None:
    """A clerk who reads "waiting" must see that the procedure is not entered."""
    row = DossierRow(key=uuid7(MORNING))
    on_deadline_waiting(_deadline_waiting(row), Unit(DOSSIERS, {row.key: row}, _publisher("intake"), MORNING))  # type: ignore[arg-type]
    assert row.due is not None
    assert (row.due["status"], row.due["waiting_for"], row.due["reflects"]) == ("waiting", "procedure", 2)


def _deadline_waiting(row: DossierRow) -> AnyEnvelope:
    cause = Cause("test", Actor(kind="system", id="sla", role="service"), MORNING, correlation="test", causation="test")
    data = DeadlineWaitingV1(dossier_sequence=2, generation=1, procedure="9.999001", waiting_for="procedure")
    return _publisher("sla").event(data, subject=str(row.key), sequence=1, time=MORNING, cause=cause, place=0)


def _publisher(service: str) -> Publisher:
    return Publisher(service=service, centre="test", epoch=1, catalogue_version="test")
