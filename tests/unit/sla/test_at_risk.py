"""Published risks of dossiers whose remaining steps no longer fit, and their retraction."""

from dataclasses import replace

from shared.kernel.centre import Term
from tests.support.dossier_events import DossierEvents
from tests.unit.sla.builders import dossier_events, local
from tests.unit.sla.harness import RULES_IN_FORCE, ClockHarness, centre
from tests.unit.sla.test_steps import THREE

HOUR = 3600
IN_STEPS = replace(RULES_IN_FORCE, centre=replace(centre(), steps={"L.5": THREE}))  # 16, 8 and 8 of its forty hours


def received(dossier: DossierEvents) -> ClockHarness:
    """A clock from Monday 6 November 07:00, due on Friday at 17:00."""
    return ClockHarness(IN_STEPS).consume(dossier.at("2017-11-06 07:00").received())


def test_steps_that_no_longer_fit_are_published_once() -> None:
    """The event has the step, the time needed and the time left, and comes before the due date is near."""
    harness = received(dossier_events())
    assert local(harness.row.next_threshold_at) == "2017-11-09 07:00"
    harness.tick("2017-11-09 06:59").tick("2017-11-09 08:00").tick("2017-11-10 06:00")
    assert harness.types() == ["set", "at_risk"]
    assert (local(harness.published[-1].time), local(harness.last.due_at)) == ("2017-11-09 07:00", "2017-11-10 17:00")
    assert (harness.last.step, harness.last.needed_working_seconds, harness.last.remaining_working_seconds) == (
        1,
        16 * HOUR,
        16 * HOUR,
    )
    assert local(harness.row.next_threshold_at) == "2017-11-10 07:00"


def test_each_step_at_risk_is_published() -> None:
    """The first step is late, so the second is at risk from its begin: sixteen hours needed, fourteen left."""
    dossier = dossier_events()
    harness = received(dossier).consume(dossier.at("2017-11-09 09:00").step_begun(2)).tick("2017-11-09 10:00")
    assert harness.types() == ["set", "at_risk", "at_risk"]
    assert [(event.data.model_dump()["step"], local(event.time)) for event in harness.published[1:]] == [
        (1, "2017-11-09 07:00"),
        (2, "2017-11-09 09:00"),
    ]
    assert (harness.last.needed_working_seconds, harness.last.remaining_working_seconds) == (16 * HOUR, 14 * HOUR)


def test_step_begun_in_time_is_not_at_risk() -> None:
    """If every step begins in time, only the deadline is published."""
    dossier = dossier_events()
    harness = received(dossier).consume(
        dossier.at("2017-11-07 17:00").step_begun(2),
        dossier.at("2017-11-08 17:00").step_begun(3),
        dossier.at("2017-11-09 17:00").settled(),
    )
    assert harness.types() == ["set", "ended"]


def test_step_recorded_late_retracts_the_risk() -> None:
    """The step had begun the day before; the next step has its own risk."""
    dossier = dossier_events()
    harness = received(dossier).tick("2017-11-09 07:30")
    harness.consume(dossier.at("2017-11-08 17:00", recorded="2017-11-09 08:00").step_begun(2))
    assert harness.types() == ["set", "at_risk", "retracted"]
    retracted = harness.last
    assert (retracted.fired, retracted.level, local(retracted.due_at)) == ("deadline.at_risk", 1, "2017-11-10 17:00")
    harness.tick("2017-11-10 07:00")
    assert harness.types()[3:] == ["near", "at_risk"]
    assert harness.last.step == 2


def test_settlement_recorded_late_retracts_the_risk() -> None:
    """The dossier was settled before a step was at risk."""
    dossier = dossier_events()
    harness = received(dossier).tick("2017-11-09 08:00")
    harness.consume(dossier.at("2017-11-08 16:00", recorded="2017-11-09 09:00").settled())
    assert harness.types() == ["set", "at_risk", "retracted", "ended"]


def test_risk_fires_again_after_a_pause_recorded_late() -> None:
    """A pause over night that began before the risk moves no due date: the same risk fires again as another event."""
    dossier = dossier_events()
    harness = received(dossier).tick("2017-11-09 08:00")
    asked = dossier.at("2017-11-08 17:00", recorded="2017-11-09 08:30").supplement_required()
    harness.consume(asked, dossier.at("2017-11-09 06:00").supplement_received()).tick("2017-11-09 09:00")
    assert harness.types() == ["set", "at_risk", "retracted", "paused", "set", "at_risk"]
    first, again = [event for event in harness.published if event.type == "deadline.at_risk"]
    assert first.id != again.id
    assert first.data.model_dump()["due_at"] == again.data.model_dump()["due_at"]


def test_risk_fires_again_for_an_extended_due_date() -> None:
    """Extended by a day, the steps fit until Friday morning; the risk of the earlier due date stays true."""
    dossier = dossier_events()
    harness = received(dossier).consume(dossier.at("2017-11-09 09:00").extended(1)).tick("2017-11-10 07:00")
    assert harness.types() == ["set", "at_risk", "set", "at_risk"]
    assert local(harness.last.due_at) == "2017-11-13 17:00"


def test_step_without_internal_term_is_not_at_risk() -> None:
    """The centre has three steps; a fourth has no internal term."""
    dossier = dossier_events()
    harness = received(dossier).consume(dossier.at("2017-11-08 17:00").step_begun(4)).tick("2017-11-10 06:59")
    assert harness.types() == ["set"]


def test_added_steps_are_at_risk_at_once() -> None:
    """A clock derived without steps is derived again; risks that have passed meanwhile are published."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    harness.rederive(replace(IN_STEPS, digest="two"))
    assert harness.tick("2017-11-09 08:00").types() == ["set", "at_risk"]


def test_changed_steps_retract_a_risk_that_they_refute() -> None:
    """With a shorter internal term the step fits for some hours more; then the risk fires again as another event."""
    shorter = replace(THREE[1], term=Term(4, "working_hour"))
    rules = replace(IN_STEPS, centre=replace(centre(), steps={"L.5": (THREE[0], shorter, THREE[2])}), digest="two")
    harness = received(dossier_events()).tick("2017-11-09 08:00")
    harness.rederive(rules, "2017-11-09 09:00")
    assert harness.types() == ["set", "at_risk", "retracted"]
    assert (harness.last.fired, harness.last.level, local(harness.row.next_threshold_at)) == (
        "deadline.at_risk",
        1,
        "2017-11-09 11:00",
    )
    harness.tick("2017-11-09 11:00")
    assert harness.types()[3:] == ["at_risk"]
    assert harness.published[1].id != harness.published[3].id


def test_changed_steps_do_not_retract_a_risk_that_remains() -> None:
    """The risk stays true, although its instant would now differ; so does the risk of an earlier step."""
    longer = replace(THREE[1], term=Term(12, "working_hour"))
    rules = replace(IN_STEPS, centre=replace(centre(), steps={"L.5": (THREE[0], longer, THREE[2])}), digest="two")
    dossier = dossier_events()
    harness = received(dossier).tick("2017-11-09 08:00")
    harness.rederive(rules, "2017-11-09 09:00")
    assert harness.types() == ["set", "at_risk"]
    harness.consume(dossier.at("2017-11-09 10:00").step_begun(2)).tick("2017-11-09 10:30")
    gone = replace(IN_STEPS, centre=centre(), digest="three")
    harness.rederive(gone, "2017-11-09 11:00")
    assert harness.types() == ["set", "at_risk", "at_risk", "retracted"]
    assert harness.last.level == 2


def test_ticker_and_next_act_publish_the_same_events() -> None:
    """The ticker in time, or the next act long after, gives the same events in the same order."""
    dossier = dossier_events()
    events = [
        dossier.at("2017-11-06 07:00").received(),
        dossier.at("2017-11-09 09:00").step_begun(2),
        dossier.at("2017-11-09 10:00").supplement_required(),
        dossier.at("2017-12-29 07:00").supplement_received(),  # thirteen hours are left, fifteen are needed
        dossier.at("2018-01-02 08:00").settled(),
    ]
    by_act, by_time = ClockHarness(IN_STEPS).consume(*events), ClockHarness(IN_STEPS)
    for event, then in zip(
        events, ("11-09 08:00", "11-09 09:30", "12-28 07:00", "12-29 15:00", "12-31 07:00"), strict=True
    ):
        by_time.consume(event).tick(f"2017-{then}")
    assert by_act.types() == [
        *("set", "at_risk", "at_risk", "paused", "pause_exceeded"),
        *("set", "at_risk", "near", "ended"),
    ]
    assert [(event.id, event.time, event.data) for event in by_act.published] == [
        (event.id, event.time, event.data) for event in by_time.published
    ]
