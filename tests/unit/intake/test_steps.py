"""Passing a dossier on to the department of its next step."""

import pytest

from services.intake.domain.competence import department_of_step
from services.intake.handlers import on_assignment_decided
from services.intake.tables import DOSSIERS, DossierRow
from shared.contracts.assignments import AssignmentDecidedV1, AssignmentReason, ReceivingPlace
from shared.contracts.envelope import Actor
from shared.kernel.errors import Refusal
from shared.kernel.ids import uuid7
from shared.postgres.outbox import Cause, Publisher
from shared.postgres.unit_of_work import Unit
from shared.service.problems import status_of
from tests.support.dossier_events import MORNING

STEPS = ("STP", "STC", "CA")
ALL = frozenset({"STP", "STC", "CA", "SYT"})


def following(
    named: str | None,
    number: int,
    present: str = "STP",
    by_catalogue: tuple[str, ...] = STEPS,
    departments: frozenset[str] = ALL,
) -> str:
    """The department of that step."""
    return department_of_step(named, number=number, by_catalogue=by_catalogue, present=present, departments=departments)


def test_the_order_is_the_catalogues() -> None:
    """Nobody has to name what is entered; who names it may only name that."""
    assert (following(None, 2), following("STC", 2), following(None, 3, "STC")) == ("STC", "STC", "CA")
    with pytest.raises(Refusal, match="step 2 is for STC, not for CA") as refusal:
        following("CA", 2)
    assert (status_of(refusal.value), refusal.value.allowed) == (422, ("STC",))


def test_after_the_last_step_nothing_follows() -> None:
    """409: the dossier is settled, or stopped."""
    with pytest.raises(Refusal, match="step 3 is the procedure's last") as refusal:
        following(None, 4, "CA")
    assert status_of(refusal.value) == 409


@pytest.mark.parametrize(
    ("named", "said"), [(None, "name the department"), ("XYZ", "no department XYZ"), ("STP", "already")]
)
def test_without_entered_steps_somebody_names_another_department(named: str | None, said: str) -> None:
    """One that there is, and that does not have the dossier."""
    assert following("SYT", 2, by_catalogue=()) == "SYT"
    with pytest.raises(Refusal, match=said) as refusal:
        following(named, 2, by_catalogue=())
    assert (status_of(refusal.value), refusal.value.errors[0].pointer) == (422, "/data/department")


def test_the_successor_of_a_department_that_has_ended_is_named() -> None:
    """The steps are those of the day of the receipt; on that of the act their next department may be no more."""
    without = ALL - {"STC"}
    with pytest.raises(Refusal, match="no department STC on that day: name the department") as refusal:
        following(None, 2, departments=without)
    assert (status_of(refusal.value), refusal.value.allowed) == (422, ("CA", "SYT"))
    assert following("SYT", 2, departments=without) == "SYT"
    with pytest.raises(Refusal, match="no department STC on that day"):
        following("STC", 2, departments=without)


def test_a_successor_that_has_the_following_step_as_well_passes_on_to_another() -> None:
    """STC took over from STP at the receipt, or at a step: nothing holds the dossier back."""
    with pytest.raises(Refusal, match="STC has the dossier already: name the department") as refusal:
        following(None, 2, "STC")
    assert refusal.value.allowed == ("CA", "STP", "SYT")
    assert following("CA", 2, "STC") == "CA"


def test_an_assignment_of_an_earlier_step_changes_no_department() -> None:
    """Routing's answer to step 2 may come when step 3 has begun: it must not take the dossier back."""
    row = DossierRow(key=uuid7(MORNING), department="CA", step=3, state="processing", assignment={"reason": "before"})
    unit = Unit(DOSSIERS, {row.key: row}, Publisher("intake", "test", 1, "test"), MORNING)
    for step, department in ((2, "STC"), (3, "SYT")):
        data = AssignmentDecidedV1(
            dossier_sequence=3,
            procedure="2.000908",
            local_date=MORNING.date(),
            receiving_place=ReceivingPlace(kind="department", department="STP", counters=(1,)),
            competent_department=department,
            returning_place="results",
            reason=AssignmentReason(rule="receiving-place/1", text="as told"),
            step=step,
        )
        cause = Cause("test", Actor(kind="system", id="routing", role="service"), MORNING, "test", "test")
        routing = Publisher("routing", "test", 1, "test")
        event = routing.event(data, subject=str(row.key), sequence=step, time=MORNING, cause=cause, place=0)
        on_assignment_decided(event, unit)  # type: ignore[arg-type]  # made of that data
        assert row.department == ("CA" if step == 2 else "SYT")
