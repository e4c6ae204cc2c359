"""Extensions, further steps, reopenings and long pauses, in a clock's row and in the published events."""

from datetime import date

from tests.unit.sla.builders import dossier_events, local
from tests.unit.sla.harness import ClockHarness


def test_extension_is_published_and_stored() -> None:
    """The row stores an extension by working days or to a date, so that the deadline can be derived again."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-07 07:00").extended(2)
    )
    harness.consume(dossier.at("2017-11-08 07:00").extended(date(2017, 11, 16)))
    assert (harness.types(), local(harness.last.due_at)) == (["set", "set", "set"], "2017-11-16 17:00")
    assert [(event.working_days, event.to_date) for event in harness.row.clock_changes()[1:]] == [
        (2, None),
        (None, date(2017, 11, 16)),
    ]


def test_extension_recorded_late_retracts_the_reached_due_date() -> None:
    """An extension made before the due date refutes that the due date was reached."""
    dossier = dossier_events()
    harness = ClockHarness().consume(dossier.at("2017-11-06 07:00").received()).tick("2017-11-10 17:00")
    harness.consume(dossier.at("2017-11-10 16:00", recorded="2017-11-10 17:30").extended(1))
    assert harness.types()[-2:] == ["retracted", "set"]
    assert local(harness.last.due_at) == "2017-11-13 17:00"


def test_reopened_dossier_has_the_time_left_at_its_settlement() -> None:
    """The time from the settlement to the reopening does not count."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(),
        dossier.at("2017-11-09 07:00").settled(),
        dossier.at("2017-11-16 07:00").reopened(),
    )
    assert (harness.types(), local(harness.last.due_at)) == (["set", "ended", "set"], "2017-11-17 17:00")
    harness.consume(dossier.at("2017-11-20 08:00").settled())
    assert (harness.last.how, harness.last.outcome) == ("settled", "late")


def test_further_step_changes_the_department_and_publishes_nothing() -> None:
    """The due date does not depend on the department that works on the dossier."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-07 07:00").step_begun(2)
    )
    assert (harness.types(), harness.row.department, harness.row.clock_changes()[-1].step) == (["set"], "STC", 2)


def test_pause_longer_than_the_ceiling_is_published_once() -> None:
    """Thirty working days from Tuesday 7 November end on Monday 18 December; the event has the ground and the begin."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-07 07:00").supplement_required()
    )
    assert local(harness.row.next_threshold_at) == "2017-12-18 17:00"
    harness.tick("2017-12-18 16:59").tick("2017-12-19 08:00").tick("2018-03-01 08:00")
    assert harness.types() == ["set", "paused", "pause_exceeded"]
    assert (local(harness.published[-1].time), harness.last.ground) == ("2017-12-18 17:00", "supplement")
    assert (local(harness.last.paused_at), local(harness.last.threshold_at)) == ("2017-11-07 07:00", "2017-12-18 17:00")
    assert harness.row.next_threshold_at is None


def test_each_pause_longer_than_the_ceiling_is_published() -> None:
    """The threshold of the first pause does not count for the second, and later papers retract nothing."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-07 07:00").supplement_required()
    )
    harness.consume(
        dossier.at("2017-12-20 07:00").supplement_received(), dossier.at("2017-12-20 08:00").supplement_required()
    )
    harness.tick("2018-03-01 08:00")
    assert harness.types() == ["set", "paused", "pause_exceeded", "set", "paused", "pause_exceeded"]
    assert local(harness.last.paused_at) == "2017-12-20 08:00"


def test_papers_received_before_the_ceiling_retract_it() -> None:
    """Papers recorded late show that the pause had ended before the ceiling."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-07 07:00").supplement_required()
    )
    harness.tick("2017-12-19 07:00")
    harness.consume(dossier.at("2017-12-18 16:00", recorded="2017-12-19 08:00").supplement_received())
    assert harness.types() == ["set", "paused", "pause_exceeded", "retracted", "set"]
    retracted = harness.published[-2].data.model_dump()
    assert (retracted["fired"], retracted["level"], local(retracted["due_at"])) == (
        "deadline.pause_exceeded",
        None,
        "2017-11-07 07:00",
    )


def test_pause_without_a_term_has_a_ceiling() -> None:
    """The ceiling does not depend on the term."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received("L.0"), dossier.at("2017-11-07 07:00").supplement_required()
    )
    assert harness.tick("2017-12-19 07:00").types() == ["none", "none", "pause_exceeded"]
