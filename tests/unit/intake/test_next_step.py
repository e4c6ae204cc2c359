"""Passing a dossier on to the department of its next step."""

import pytest

from services.intake.domain.competence import department_of_step
from services.intake.dossiers.handlers import on_assignment_decided
from services.intake.dossiers.store import DOSSIERS, DossierRow
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
    current: str = "STP",
    by_catalogue: tuple[str, ...] = STEPS,
    departments: frozenset[str] = ALL,
) -> str:
    """The department of the step."""
    return department_of_step(named, number=number, by_catalogue=by_catalogue, current=current, departments=departments)


def test_next_department_is_the_catalogues() -> None:
    """A request may omit the department of an entered step, or name exactly it."""
    assert (following(None, 2), following("STC", 2), following(None, 3, "STC")) == ("STC", "STC", "CA")
    with pytest.raises(Refusal, match="Step 2 belongs to STC, not to CA") as refusal:
        following("CA", 2)
    assert (status_of(refusal.value), refusal.value.allowed) == (422, ("STC",))


def test_step_after_the_last_one_is_refused() -> None:
    """The status is 409: the dossier is to be settled or stopped."""
    with pytest.raises(Refusal, match="Step 3 is the procedure's last") as refusal:
        following(None, 4, "CA")
    assert status_of(refusal.value) == 409


@pytest.mark.parametrize(
    ("named", "message"), [(None, "Name the department"), ("XYZ", "department XYZ does not exist"), ("STP", "already")]
)
def test_without_entered_steps_the_request_names_another_department(named: str | None, message: str) -> None:
    """The department exists and does not already have the dossier."""
    assert following("SYT", 2, by_catalogue=()) == "SYT"
    with pytest.raises(Refusal, match=message) as refusal:
        following(named, 2, by_catalogue=())
    assert (status_of(refusal.value), refusal.value.errors[0].pointer) == (422, "/data/department")


def test_successor_of_an_ended_department_must_be_named() -> None:
    """The steps are those of the day of receipt; on the day of the act their department may not exist any more."""
    without = ALL - {"STC"}
    with pytest.raises(Refusal, match=r"STC does not exist on that day\. Name the department") as refusal:
        following(None, 2, departments=without)
    assert (status_of(refusal.value), refusal.value.allowed) == (422, ("CA", "SYT"))
    assert following("SYT", 2, departments=without) == "SYT"
    with pytest.raises(Refusal, match="STC does not exist on that day"):
        following("STC", 2, departments=without)


def test_department_that_already_has_the_dossier_passes_it_to_another() -> None:
    """STC, the successor of STP, has the next step as well; the request names another department."""
    with pytest.raises(Refusal, match=r"STC already has the dossier\. Name the department") as refusal:
        following(None, 2, "STC")
    assert refusal.value.allowed == ("CA", "STP", "SYT")
    assert following("CA", 2, "STC") == "CA"


def test_assignment_of_an_earlier_step_changes_no_department() -> None:
    """Routing's assignment for step 2 may arrive after step 3 began; it must not pass the dossier back."""
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
            reason=AssignmentReason(rule="receiving-place/1", text="the reason"),
            step=step,
        )
        cause = Cause("test", Actor(kind="system", id="routing", role="service"), MORNING, "test", "test")
        routing = Publisher("routing", "test", 1, "test")
        event = routing.event(data, subject=str(row.key), sequence=step, time=MORNING, cause=cause, place=0)
        on_assignment_decided(event, unit)  # type: ignore[arg-type]  # made of that data
        assert row.department == ("CA" if step == 2 else "SYT")
