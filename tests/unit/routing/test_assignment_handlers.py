"""What routing publishes after each event of intake, and that a rebuild from the events gives the same."""

from datetime import UTC, date, datetime

import pytest

from services.routing.assignments.handlers import AssignmentHandlers
from services.routing.assignments.rebuild import rebuild_assignment
from services.routing.assignments.store import DOSSIERS, AssignmentRow
from services.routing.assignments.worker import cause_of
from services.routing.domain.decisions import Decisions, initial_decisions
from services.routing.domain.errors import SubmissionMissingError
from services.routing.general_counter.store import SignedDecisions
from shared.catalogue import load_centre
from shared.contracts.assignments import AssignmentDecidedV1, AssignmentWaitingV1
from shared.contracts.envelope import AnyEnvelope, EventData
from shared.kernel.centre import Centre
from shared.kernel.vocabulary import State
from shared.postgres.outbox import Cause, Publisher
from shared.postgres.unit_of_work import Unit
from tests.support.centre_folder import SMALL_CENTRE, write_centre
from tests.support.dossier_events import MORNING, DossierEvents

NEW_PROCEDURE = "L.8,Thủ tục mới,New thing,,STP,,none,,,,,2017-04-28,,02/QĐ,,unverified,code,\n"
SHARED_PROCEDURE = "L.8,Thủ tục mới,New thing,,STP; CA,,none,,,,,2017-04-28,,02/QĐ,,unverified,code,\n"


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """The small centre."""
    return load_centre(write_centre(tmp_path_factory.mktemp("centre")))


@pytest.fixture(scope="module")
def extended_centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    """The small centre with the procedure L.8 in its catalogue."""
    procedures = SMALL_CENTRE["procedures.csv"] + NEW_PROCEDURE
    return load_centre(write_centre(tmp_path_factory.mktemp("extended"), procedures_csv=procedures))


def handlers(centre: Centre) -> AssignmentHandlers:
    """The handlers under the configured decisions."""
    return AssignmentHandlers(centre, SignedDecisions(Decisions(initial_decisions(centre))))


def new_unit(rows: dict[object, AssignmentRow] | None = None) -> Unit[AssignmentRow]:
    """A unit of work over locked rows."""
    publisher = Publisher(service="routing", centre="small", epoch=1, catalogue_version="test")
    return Unit(DOSSIERS, rows or {}, publisher, MORNING)


def apply(centre: Centre, envelopes: list[AnyEnvelope]) -> tuple[AssignmentRow, list[EventData]]:
    """The row after these events, and the published data."""
    unit, by_event = new_unit(), handlers(centre).by_event()
    for envelope in envelopes:
        by_event[type(envelope.data)](envelope, unit)
    return unit.row(envelopes[0].dossier_id), [envelope.data for envelope in unit.events]


def test_submission_publishes_assignment(centre: Centre) -> None:
    """The event has the time of the submission and contains its sequence."""
    dossier = DossierEvents()
    unit = new_unit()
    handlers(centre).on_submitted(dossier.submitted(department="STP"), unit)
    (envelope,) = unit.events
    assert isinstance(envelope.data, AssignmentDecidedV1)
    assert (envelope.time, envelope.sequence, envelope.data.dossier_sequence) == (MORNING, 1, 1)
    assert envelope.data.receiving_place.counters == (1, 2)


def test_submission_is_decided_by_local_date(centre: Centre) -> None:
    """18:00 UTC on 3 December is already the 4th at the centre, the first day of the pooling."""
    dossier = DossierEvents(start=datetime(2017, 12, 3, 18, 0, tzinfo=UTC))
    _, (event,) = apply(centre, [dossier.submitted("1.000001", "STC")])
    assert isinstance(event, AssignmentDecidedV1)
    assert (event.local_date, event.receiving_place.kind) == (date(2017, 12, 4), "general")


def test_receipt_by_same_department_publishes_nothing(centre: Centre) -> None:
    """A dossier is assigned once; a receipt stores state and code for the queue."""
    dossier = DossierEvents()
    row, events = apply(centre, [dossier.submitted(department="STP"), dossier.received()])
    assert len(events) == 1
    assert (row.state, row.code is not None, row.department) == ("received", True, "STP")


def test_unknown_procedure_is_assigned_when_receipt_names_department(centre: Centre) -> None:
    """A dossier of an unknown procedure waits; the receiving place is still that of the day of submission."""
    dossier = DossierEvents(start=datetime(2017, 12, 3, 2, 0, tzinfo=UTC))
    first = dossier.submitted("9.999999")
    dossier.at(datetime(2017, 12, 5, 2, 0, tzinfo=UTC))
    row, events = apply(centre, [first, dossier.received("9.999999", "STC")])
    waiting, decided = events
    assert isinstance(waiting, AssignmentWaitingV1)
    assert waiting.waiting_for == "procedure"
    assert isinstance(decided, AssignmentDecidedV1)
    assert (decided.receiving_place.kind, decided.dossier_sequence) == ("department", 2)
    assert row.waiting_for is None


def test_receipt_by_other_department_replaces_assignment(centre: Centre) -> None:
    """The dossier's code contains the agency id of the department that was named last."""
    dossier = DossierEvents()
    row, events = apply(centre, [dossier.submitted("L.7", "STP"), dossier.received("L.7", "CA")])
    assert [event.competent_department for event in events if isinstance(event, AssignmentDecidedV1)] == ["STP", "CA"]
    assert row.department == "CA"


def test_restored_catalogue_publishes_events_with_new_ids(
    centre: Centre, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A dossier that waits for its procedure, its department and its procedure again gets events with distinct ids."""
    shared = tmp_path_factory.mktemp("shared")
    extended = load_centre(write_centre(shared, procedures_csv=SMALL_CENTRE["procedures.csv"] + SHARED_PROCEDURE))
    dossier = DossierEvents()
    row, _ = apply(centre, [dossier.submitted("L.8")])
    ids = []
    for catalogue in (extended, centre, extended, centre):
        unit = new_unit({row.key: row})
        cause = cause_of(row, catalogue.catalogue_version, MORNING)
        handlers(catalogue).assign(row, unit, time=MORNING, cause=cause)
        ids += [envelope.id for envelope in unit.events]
    assert len(set(ids)) == 4


def test_waiting_dossier_is_assigned_when_catalogue_has_procedure(centre: Centre, extended_centre: Centre) -> None:
    """Nothing is published while the dossier waits for the same thing, and one event when it is assigned."""
    dossier = DossierEvents()
    row, _ = apply(centre, [dossier.submitted("L.8")])
    cause = Cause.of(dossier.events[0], service="routing", recorded_at=MORNING)
    still, now = new_unit({row.key: row}), new_unit({row.key: row})
    assert not handlers(centre).assign(row, still, time=MORNING, cause=cause)
    assert still.events == []
    assert handlers(extended_centre).assign(row, now, time=MORNING, cause=cause)
    assert [type(envelope.data) for envelope in now.events] == [AssignmentDecidedV1]


def test_receipt_without_submission_raises_error(centre: Centre) -> None:
    """The record is parked, because the local date that decides is unknown."""
    dossier = DossierEvents()
    with pytest.raises(SubmissionMissingError, match="submission never took effect here"):
        apply(centre, [dossier.received()])


def test_further_step_changes_only_competent_department(centre: Centre) -> None:
    """The receiving and the returning place stay those of the first step."""
    dossier = DossierEvents()
    dossier.submitted("2.000908", "STP")
    dossier.received()
    dossier.step_begun(2, "STC")
    dossier.step_begun(3, "CA", passed_on_by="STC")
    row, events = apply(centre, dossier.events)
    decided = [event for event in events if isinstance(event, AssignmentDecidedV1)]
    assert [(event.competent_department, event.step, event.dossier_sequence) for event in decided] == [
        ("STP", 1, 1),
        ("STC", 2, 3),
        ("CA", 3, 4),
    ]
    assert len({(event.receiving_place, event.returning_place) for event in decided}) == 1
    assert decided[1].reason.text == f"{decided[0].reason.text} Bước 2: Sở Tài chính giải quyết."
    assert (row.department, row.state) == ("CA", "processing")
    assert rebuild_assignment(dossier.events, centre, Decisions(initial_decisions(centre))) == decided[-1]


def test_reopened_dossier_is_processing(centre: Centre) -> None:
    """A reopened dossier is in its department's queue again, in the state `processing`."""
    dossier = DossierEvents()
    dossier.submitted(department="STP")
    dossier.received()
    dossier.in_state("settled")
    dossier.reopened()
    row, _ = apply(centre, dossier.events)
    assert row.state == "processing"


@pytest.mark.parametrize("state", ["processing", "supplement_required", "settled", "stopped", "withdrawn", "returned"])
def test_later_state_is_stored(centre: Centre, state: State) -> None:
    """Each later state is stored, because queues list only open dossiers."""
    dossier = DossierEvents()
    row, events = apply(centre, [dossier.submitted(department="STP"), dossier.received(), dossier.in_state(state)])
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
def test_rebuild_from_events_equals_published_assignment(
    centre: Centre, procedure: str, submitted: str | None, received: str | None
) -> None:
    """A rebuild equals the last published event, except for `dossier_sequence`."""
    dossier = DossierEvents()
    dossier.submitted(procedure, submitted)
    if received is not None:
        dossier.received(procedure, received)
    row, events = apply(centre, dossier.events)
    rebuilt = rebuild_assignment(dossier.events, centre, Decisions(initial_decisions(centre)))
    assert rebuilt is not None
    assert rebuilt.model_copy(update={"dossier_sequence": 0}) == events[-1].model_copy(update={"dossier_sequence": 0})
    assert row.published == events[-1].model_dump(mode="json")


def test_rebuild_without_events_is_none(centre: Centre) -> None:
    """Before the submission there is no assignment."""
    assert rebuild_assignment([], centre, Decisions(initial_decisions(centre))) is None
