"""A dossier is rebuilt from its events; events that contradict the life cycle are reported."""

from pathlib import Path

from services.intake.dossiers.rebuild import Rebuilt, rebuild
from services.intake.dossiers.registry import ACT_OF_EVENT, ACTS
from shared.catalogue import load_centre
from shared.contracts import dossiers as events
from tests.support.dossier_events import DossierEvents

CENTRE = load_centre(Path(__file__).resolve().parents[3] / "config" / "binh-phuoc")


def rebuilt(life: DossierEvents) -> Rebuilt:
    """The dossier of these events."""
    return rebuild(life.events, CENTRE)


def test_rebuilt_dossier_has_the_state_of_its_last_event() -> None:
    """Submission, receipt, work, settlement and return lead to `returned`."""
    life = DossierEvents()
    life.submitted()
    life.received()
    for state in ("processing", "settled", "returned"):
        life.in_state(state)
    found = rebuilt(life)
    assert found.broken is None
    assert found.dossier.state == "returned"
    assert found.dossier.code is not None


def test_supplement_leads_back_to_the_state_before_the_pause() -> None:
    """The state before a pause is in no event; it follows from the earlier ones."""
    life = DossierEvents()
    life.submitted()
    life.received()
    life.in_state("supplement_required")
    life.publish(events.DossierSupplementReceivedV1(state="received"))
    assert rebuilt(life).broken is None
    life.events[-1] = life.events[-1].model_copy(
        update={"data": events.DossierSupplementReceivedV1(state="processing")}
    )
    assert rebuilt(life).broken == "event 4: The state after it is processing, but must be received."


def test_event_that_the_state_does_not_allow_is_reported() -> None:
    """A dossier cannot be settled before its receipt."""
    life = DossierEvents()
    life.submitted()
    life.in_state("settled")
    broken = rebuilt(life).broken
    assert broken is not None
    assert "event 2" in broken
    assert "settle" in broken


def test_every_act_has_its_own_event_type() -> None:
    """A rebuild finds the act by the type of its event."""
    assert {act.name for act in ACT_OF_EVENT.values()} == set(ACTS)


def test_rebuilt_dossier_counts_steps_and_extensions() -> None:
    """A step that does not follow the previous one is reported."""
    life = DossierEvents()
    life.submitted()
    life.received()
    life.in_state("processing")
    form = events.Form(kind="04", number="04/1")
    life.publish(events.DossierExtendedV1(state="processing", working_days=2, form=form))
    life.step_begun(2, "STC")
    found = rebuilt(life)
    assert (found.broken, found.dossier.step, found.dossier.extensions) == (None, 2, 1)
    life.step_begun(4, "CA", passed_on_by="STC")
    assert rebuilt(life).broken == "event 6: Step 4 cannot follow step 2."
