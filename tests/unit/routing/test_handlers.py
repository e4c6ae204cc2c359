"""What routing tells after each event of intake, and that the same follows from the events alone."""

from datetime import UTC, date, datetime

import pytest

from services.routing.domain.decisions import Decisions, seeded
from services.routing.handlers import NeverSubmittedError, Routing
from services.routing.replay import decide_again
from services.routing.store import DOSSIERS, RoutedDossier
from services.routing.waiting import cause_of
from shared.catalogue import load_centre
from shared.contracts.assignments import AssignmentDecidedV1, AssignmentWaitingV1
from shared.contracts.dossiers import DossierReopenedV1, State
from shared.contracts.envelope import AnyEnvelope, EventData
from shared.kernel.centre import Centre
from shared.postgres.outbox import Cause, Publisher
from shared.postgres.unit_of_work import Unit
from tests.support.centre_folder import SMALL_CENTRE, write_centre
from tests.support.told import MORNING, Told

LATER = "L.8,Thủ tục mới,New thing,,STP,,none,,,,,2017-04-28,,02/QĐ,,unverified,code,\n"


SHARED = "L.8,Thủ tục mới,New thing,,STP; CA,,none,,,,,2017-04-28,,02/QĐ,,unverified,code,\n"


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """The small centre as it stands."""
    return load_centre(write_centre(tmp_path_factory.mktemp("centre")))


@pytest.fixture(scope="module")
def taught_centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """The small centre once somebody has entered L.8."""
    procedures = SMALL_CENTRE["procedures.csv"] + LATER
    return load_centre(write_centre(tmp_path_factory.mktemp("taught"), procedures_csv=procedures))


def new_unit(rows: dict[object, RoutedDossier] | None = None) -> Unit[RoutedDossier]:
    """A transaction's memory, over rows that it has locked."""
    publisher = Publisher(service="routing", centre="small", epoch=1, catalogue_version="test")
    return Unit(DOSSIERS, rows or {}, publisher, MORNING)


def apply(centre: Centre, envelopes: list[AnyEnvelope]) -> tuple[RoutedDossier, list[EventData]]:
    """The row after these events, and what was told."""
    unit, handlers = new_unit(), Routing(centre, Decisions(seeded(centre))).handlers()
    for envelope in envelopes:
        handlers[type(envelope.data)](envelope, unit)
    return unit.row(envelopes[0].dossier_id), [envelope.data for envelope in unit.events]


def test_a_submission_is_answered_with_an_assignment(centre: Centre) -> None:
    """Told at the time of the submission, reflecting its sequence."""
    told = Told()
    unit = new_unit()
    Routing(centre, Decisions(seeded(centre))).on_submitted(told.submitted(department="STP"), unit)
    (envelope,) = unit.events
    assert isinstance(envelope.data, AssignmentDecidedV1)
    assert (envelope.time, envelope.sequence, envelope.data.dossier_sequence) == (MORNING, 1, 1)
    assert envelope.data.receiving_place.counters == (1, 2)


def test_the_local_date_decides_and_not_the_one_in_utc(centre: Centre) -> None:
    """18:00 UTC on 3 December is already the 4th at the centre, the first day of the pooling."""
    told = Told(start=datetime(2017, 12, 3, 18, 0, tzinfo=UTC))
    _, (event,) = apply(centre, [told.submitted("1.000001", "STC")])
    assert isinstance(event, AssignmentDecidedV1)
    assert (event.local_date, event.receiving_place.kind) == (date(2017, 12, 4), "general")


def test_a_receipt_by_the_known_department_tells_nothing_new(centre: Centre) -> None:
    """Decided once; state and code are kept for the queue."""
    told = Told()
    row, events = apply(centre, [told.submitted(department="STP"), told.received()])
    assert len(events) == 1
    assert (row.state, row.code is not None, row.department) == ("received", True, "STP")


def test_an_unknown_procedure_waits_and_flows_on_when_the_receipt_names_the_department(centre: Centre) -> None:
    """The place is still that of the day of submission."""
    told = Told(start=datetime(2017, 12, 3, 2, 0, tzinfo=UTC))
    first = told.submitted("9.999999")
    told.at = datetime(2017, 12, 5, 2, 0, tzinfo=UTC)
    row, events = apply(centre, [first, told.received("9.999999", "STC")])
    waiting, decided = events
    assert isinstance(waiting, AssignmentWaitingV1)
    assert waiting.waiting_for == "procedure"
    assert isinstance(decided, AssignmentDecidedV1)
    assert (decided.receiving_place.kind, decided.dossier_sequence) == ("department", 2)
    assert row.waiting_for is None


def test_a_receipt_that_names_another_department_replaces_the_assignment(centre: Centre) -> None:
    """The code is drawn from the department named last."""
    told = Told()
    row, events = apply(centre, [told.submitted("L.7", "STP"), told.received("L.7", "CA")])
    assert [event.competent_department for event in events if isinstance(event, AssignmentDecidedV1)] == ["STP", "CA"]
    assert row.department == "CA"


def test_a_catalogue_that_is_put_back_and_forth_tells_events_of_their_own(
    centre: Centre, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A dossier waits for its procedure, for its department, for its procedure again: no event's id is used twice."""
    shared = tmp_path_factory.mktemp("shared")
    taught = load_centre(write_centre(shared, procedures_csv=SMALL_CENTRE["procedures.csv"] + SHARED))
    told = Told()
    row, _ = apply(centre, [told.submitted("L.8")])
    ids = []
    for in_force in (taught, centre, taught, centre):
        unit = new_unit({row.key: row})
        cause = cause_of(row, in_force.catalogue_version, MORNING)
        Routing(in_force, Decisions(seeded(in_force))).assign(row, unit, time=MORNING, cause=cause)
        ids += [envelope.id for envelope in unit.events]
    assert len(set(ids)) == 4


def test_a_waiting_dossier_is_decided_once_the_catalogue_knows(centre: Centre, taught_centre: Centre) -> None:
    """Nothing is told while the answer is the same, and one decision when it is another."""
    told = Told()
    row, _ = apply(centre, [told.submitted("L.8")])
    cause = Cause.of(told.events[0], service="routing", recorded_at=MORNING)
    still, now = new_unit({row.key: row}), new_unit({row.key: row})
    assert not Routing(centre, Decisions(seeded(centre))).assign(row, still, time=MORNING, cause=cause)
    assert still.events == []
    assert Routing(taught_centre, Decisions(seeded(taught_centre))).assign(row, now, time=MORNING, cause=cause)
    assert [type(envelope.data) for envelope in now.events] == [AssignmentDecidedV1]


def test_a_receipt_without_a_submission_is_an_error_that_says_so(centre: Centre) -> None:
    """It is parked with that sentence rather than decided by a guessed date."""
    told = Told()
    with pytest.raises(NeverSubmittedError, match="its submission is not known here"):
        apply(centre, [told.received()])


def test_a_further_step_changes_the_competent_department_alone(centre: Centre) -> None:
    """Where the dossier was received, and where its result will lie, stays as the applicant was told."""
    told = Told()
    told.submitted("2.000908", "STP")
    told.received()
    told.begun_step(2, "STC")
    told.begun_step(3, "CA", passed_on_by="STC")
    row, events = apply(centre, told.events)
    decided = [event for event in events if isinstance(event, AssignmentDecidedV1)]
    assert [(event.competent_department, event.step, event.dossier_sequence) for event in decided] == [
        ("STP", 1, 1),
        ("STC", 2, 3),
        ("CA", 3, 4),
    ]
    assert len({(event.receiving_place, event.returning_place) for event in decided}) == 1
    assert decided[1].reason.text == f"{decided[0].reason.text} Bước 2: Sở Tài chính giải quyết."
    assert (row.department, row.state) == ("CA", "processing")
    assert decide_again(told.events, centre, Decisions(seeded(centre))) == decided[-1]


def test_a_reopened_dossier_is_worked_on_again(centre: Centre) -> None:
    """It stands in its department's queue as being processed."""
    told = Told()
    told.submitted(department="STP")
    told.received()
    told.in_state("settled")
    told.tell(DossierReopenedV1(state="processing"))
    row, _ = apply(centre, told.events)
    assert row.state == "processing"


@pytest.mark.parametrize("state", ["processing", "supplement_required", "settled", "stopped", "withdrawn", "returned"])
def test_every_later_state_is_kept(centre: Centre, state: State) -> None:
    """Queues list what is open, so each state must arrive."""
    told = Told()
    row, events = apply(centre, [told.submitted(department="STP"), told.received(), told.in_state(state)])
    assert (row.state, len(events)) == (state, 1)


@pytest.mark.parametrize(
    ("procedure", "submitted", "received"),
    [
        ("2.000908", "STP", "STP"),
        ("2.000908", None, "STP"),
        ("9.999999", None, None),
        ("9.999999", None, "STC"),
        ("L.7", "STP", "CA"),
        ("L.7", None, None),
        ("2.000908", "SYT", None),
    ],
)
def test_the_same_assignment_follows_from_the_events_alone(
    centre: Centre, procedure: str, submitted: str | None, received: str | None
) -> None:
    """What verify decides again equals what was told last, the sequence that moved it aside."""
    told = Told()
    told.submitted(procedure, submitted)
    if received is not None:
        told.received(procedure, received)
    row, events = apply(centre, told.events)
    again = decide_again(told.events, centre, Decisions(seeded(centre)))
    assert again is not None
    assert again.model_copy(update={"dossier_sequence": 0}) == events[-1].model_copy(update={"dossier_sequence": 0})
    assert row.assignment == events[-1].model_dump(mode="json")


def test_before_the_submission_there_is_nothing_to_decide(centre: Centre) -> None:
    """No events, no assignment."""
    assert decide_again([], centre, Decisions(seeded(centre))) is None
