"""Where a dossier stands follows from its events; events that the table of acts forbids are noticed."""

from services.intake.domain.acts import ACTS
from services.intake.replay import ACT_OF, standing
from shared.contracts import dossiers as events
from tests.support.dossier_events import DossierEvents


def test_a_whole_life_ends_where_its_last_event_says() -> None:
    """Submission, receipt, work, settlement, return."""
    told = DossierEvents()
    told.submitted()
    told.received()
    for state in ("processing", "settled", "returned"):
        told.in_state(state)
    stands = standing(told.events)
    assert stands.broken is None
    assert stands.state == "returned"
    assert stands.code is not None


def test_a_supplement_leads_back_to_where_it_was_asked() -> None:
    """The state that a dossier came from is not in the events: it follows from them."""
    told = DossierEvents()
    told.submitted()
    told.received()
    told.in_state("supplement_required")
    told.publish(events.DossierSupplementReceivedV1(state="received"))
    assert standing(told.events).broken is None
    told.events[-1] = told.events[-1].model_copy(
        update={"data": events.DossierSupplementReceivedV1(state="processing")}
    )
    assert standing(told.events).broken == "event 4 does not lead to received, as it must"


def test_an_act_that_its_state_forbids_is_told() -> None:
    """A dossier cannot be settled before its receipt."""
    told = DossierEvents()
    told.submitted()
    told.in_state("settled")
    broken = standing(told.events).broken
    assert broken is not None
    assert "event 2" in broken
    assert "settle" in broken


def test_every_act_has_its_event() -> None:
    """An act whose event is forgotten here would pass unchecked."""
    assert set(ACT_OF.values()) == set(ACTS)


def test_steps_and_extensions_are_counted_and_no_step_is_left_out() -> None:
    """Intake's row says by them who may act, and how often."""
    told = DossierEvents()
    told.submitted()
    told.received()
    told.in_state("processing")
    form = events.Form(kind="04", number="04/1")
    told.publish(events.DossierExtendedV1(state="processing", working_days=2, form=form))
    told.step_begun(2, "STC")
    stands = standing(told.events)
    assert (stands.broken, stands.step, stands.extensions) == (None, 2, 1)
    told.step_begun(4, "CA", passed_on_by="STC")
    assert standing(told.events).broken == "event 6 begins step 4 after step 2"
