"""A dossier is rebuilt from its events; events that contradict the life cycle are reported."""

from pathlib import Path

from services.intake.dossiers.rebuild import Rebuilt, rebuild
from services.intake.dossiers.registry import ACT_OF_EVENT, ACTS
from shared.catalogue import load_centre
from shared.contracts import dossiers as events
from tests.support.told import Told

CENTRE = load_centre(Path(__file__).resolve().parents[3] / "config" / "binh-phuoc")


def rebuilt(published: Told) -> Rebuilt:
    """The dossier of these events."""
    return rebuild(published.events, CENTRE)


def test_rebuilt_dossier_has_the_state_of_its_last_event() -> None:
    """Submission, receipt, work, settlement and return lead to `returned`."""
    told = Told()
    told.submitted()
    told.received()
    for state in ("processing", "settled", "returned"):
        told.in_state(state)
    found = rebuilt(told)
    assert found.broken is None
    assert found.dossier.state == "returned"
    assert found.dossier.code is not None


def test_supplement_leads_back_to_the_state_before_the_pause() -> None:
    """The state before a pause is in no event; it follows from the earlier ones."""
    told = Told()
    told.submitted()
    told.received()
    told.in_state("supplement_required")
    told.tell(events.DossierSupplementReceivedV1(state="received"))
    assert rebuilt(told).broken is None
    told.events[-1] = told.events[-1].model_copy(
        update={"data": events.DossierSupplementReceivedV1(state="processing")}
    )
    assert rebuilt(told).broken == "event 4: The state after it is processing, but must be received."


def test_event_that_the_state_does_not_allow_is_reported() -> None:
    """A dossier cannot be settled before its receipt."""
    told = Told()
    told.submitted()
    told.in_state("settled")
    broken = rebuilt(told).broken
    assert broken is not None
    assert "event 2" in broken
    assert "settle" in broken


def test_every_act_has_its_own_event_type() -> None:
    """Two acts with one event type could not be told apart by a rebuild."""
    assert {act.name for act in ACT_OF_EVENT.values()} == set(ACTS)


def test_rebuilt_dossier_counts_steps_and_extensions() -> None:
    """A step that does not follow the previous one is reported."""
    told = Told()
    told.submitted()
    told.received()
    told.in_state("processing")
    form = events.Form(kind="04", number="04/1")
    told.tell(events.DossierExtendedV1(state="processing", working_days=2, form=form))
    told.begun_step(2, "STC")
    found = rebuilt(told)
    assert (found.broken, found.dossier.step, found.dossier.extensions) == (None, 2, 1)
    told.begun_step(4, "CA", passed_on_by="STC")
    assert rebuilt(told).broken == "event 6: Step 4 cannot follow step 2."
