"""Effects of intake's events and of time on a clock, decided on rows in memory."""

from dataclasses import replace
from datetime import date

import pytest

from services.sla.rebuild import rebuild_deadline
from shared.kernel.centre import Term
from tests.unit.sla.builders import RULES, VIETNAM, dossier_events, local
from tests.unit.sla.harness import RULES_IN_FORCE, ClockHarness, centre


def test_receipt_publishes_the_due_date() -> None:
    """`deadline.set` has the due instant and date, counted start, term, calendar version and dossier sequence."""
    dossier = dossier_events()
    harness = ClockHarness().consume(dossier.submitted(), dossier.at("2017-11-06 07:00").received())
    (event,) = harness.published
    assert (event.sequence, local(event.time)) == (1, "2017-11-06 07:00")
    data = harness.last
    assert (data.TYPE, data.dossier_sequence, data.generation) == ("deadline.set", 2, 1)
    assert (local(data.due_at), data.due_date, local(data.counted_from)) == (
        "2017-11-10 17:00",
        date(2017, 11, 10),
        "2017-11-06 07:00",
    )
    assert (data.term.value, data.term.unit, data.calendar, data.calendar_version) == (5, "working_day", RULES.name, 3)
    assert (harness.row.state, local(harness.row.due_at), local(harness.row.next_threshold_at)) == (
        "running",
        "2017-11-10 17:00",
        "2017-11-10 07:00",
    )


def test_events_before_the_receipt_publish_nothing() -> None:
    """A request for papers or a withdrawal before the receipt has no clock to change."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.submitted(),
        dossier.at("2017-11-06 08:00").supplement_required(before_receipt=True),
        dossier.at("2017-11-06 09:00").supplement_received(),
        dossier.at("2017-11-06 10:00").withdrawn(),
    )
    assert harness.published == []


def test_supplement_before_the_receipt_does_not_pause_the_clock() -> None:
    """The clock starts at the receipt, whatever was requested before."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").supplement_required(before_receipt=True),
        dossier.at("2017-11-06 08:00").supplement_received(),
        dossier.at("2017-11-06 09:00").received(),
    )
    assert (harness.types(), local(harness.last.due_at)) == (["set"], "2017-11-13 09:00")


def test_pause_publishes_the_remaining_time_and_resumption_a_due_date() -> None:
    """A paused clock has no due date; the generation increases with each change."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-07 07:00").supplement_required()
    )
    assert (harness.last.ground, harness.last.remaining_working_seconds, harness.last.generation) == (
        "supplement",
        32 * 3600,
        2,
    )
    assert (harness.row.state, harness.row.due_at) == ("paused", None)
    harness.consume(dossier.at("2017-11-08 07:00").supplement_received())
    assert (harness.types(), local(harness.last.due_at), harness.last.generation) == (
        ["set", "paused", "set"],
        "2017-11-13 17:00",
        3,
    )


def test_pause_of_calendar_days_publishes_days() -> None:
    """A term in calendar days has remaining days, not hours."""
    dossier = dossier_events()
    harness = ClockHarness(replace(RULES_IN_FORCE, centre=centre(L_9=Term(9, "calendar_day"))))
    harness.consume(
        dossier.at("2017-11-06 07:00").received("L.9"), dossier.at("2017-11-07 07:00").supplement_required()
    )
    assert (harness.last.remaining_working_seconds, harness.last.remaining_calendar_days) == (None, 8)


@pytest.mark.parametrize(
    ("settled", "outcome"),
    [("2017-11-09 23:00", "early"), ("2017-11-10 23:00", "on_time"), ("2017-11-11 00:00", "late")],
)
def test_settlement_has_an_outcome(settled: str, outcome: str) -> None:
    """The outcome compares local dates; an ended clock has no pending threshold."""
    dossier = dossier_events()
    harness = ClockHarness().consume(dossier.at("2017-11-06 07:00").received(), dossier.at(settled).settled())
    assert (harness.last.TYPE, harness.last.how, harness.last.outcome) == ("deadline.ended", "settled", outcome)
    assert local(harness.last.due_at) == "2017-11-10 17:00"
    assert (harness.row.state, harness.row.next_threshold_at) == ("ended", None)


def test_clock_without_a_term_publishes_none_at_every_change() -> None:
    """Consumers that need a due date learn each time that there is none."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received("L.0"),
        dossier.at("2017-11-07 07:00").supplement_required(),
        dossier.at("2017-11-08 07:00").supplement_received(),
        dossier.at("2017-11-30 07:00").settled(),
    )
    assert harness.types() == ["none", "none", "none", "ended"]
    assert [event.data.model_dump()["dossier_sequence"] for event in harness.published] == [1, 2, 3, 4]
    assert (harness.last.due_at, harness.last.outcome) == (None, None)


def test_unknown_procedure_publishes_waiting() -> None:
    """An unknown procedure is not "no term": each act publishes that the due date cannot be derived yet."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received("L.8"), dossier.at("2017-11-07 07:00").supplement_required()
    )
    assert harness.types() == ["waiting", "waiting"]
    assert (harness.last.procedure, harness.last.waiting_for, harness.row.waiting_for) == (
        "L.8",
        "procedure",
        "procedure",
    )


def test_calendar_that_ends_too_early_publishes_waiting() -> None:
    """No due date is guessed after the end of the calendar, and the dossier is not refused."""
    dossier = dossier_events()
    harness = ClockHarness().consume(dossier.at("2027-12-30 07:00").received())
    assert (harness.last.TYPE, harness.last.waiting_for) == ("deadline.waiting", "calendar")


def test_waiting_dossier_gets_a_due_date_when_the_procedure_is_added() -> None:
    """The deadline is derived from the stored changes, pauses included."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received("L.8"),
        dossier.at("2017-11-07 07:00").supplement_required(),
        dossier.at("2017-11-08 07:00").supplement_received(),
    )
    known = replace(RULES_IN_FORCE, centre=centre(L_8=Term(5, "working_day")), digest="two")
    assert harness.rederive(known, "2017-11-09 12:00")
    assert (harness.last.TYPE, local(harness.last.due_at), harness.last.dossier_sequence) == (
        "deadline.set",
        "2017-11-13 17:00",
        3,
    )
    assert (harness.row.waiting_for, harness.row.rules_digest) == (None, "two")


def test_settlement_of_a_waiting_dossier_gets_its_outcome_when_the_procedure_is_added() -> None:
    """The settlement is first published without an outcome."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received("L.8"), dossier.at("2017-11-20 07:00").settled()
    )
    assert (harness.last.how, harness.last.outcome) == ("settled", None)
    harness.rederive(
        replace(RULES_IN_FORCE, centre=centre(L_8=Term(5, "working_day")), digest="two"), "2017-12-01 12:00"
    )
    assert (harness.last.TYPE, harness.last.outcome) == ("deadline.ended", "late")


def test_other_rules_with_the_same_deadline_publish_nothing() -> None:
    """A clock is derived by new rules; if the deadline is the same, nothing is published."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    other = replace(RULES_IN_FORCE, digest="two")
    assert (harness.rederive(other), harness.rederive(other), harness.types()) == (False, False, ["set"])


def test_changed_term_with_the_same_due_date_is_published() -> None:
    """The event has the term, so another term is published even if the due date is the same."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    before = harness.row.due_at
    assert harness.rederive(replace(RULES_IN_FORCE, centre=centre(L_5=Term(40, "working_hour")), digest="two"))
    assert (harness.last.term.value, harness.last.term.unit, harness.last.due_at) == (40, "working_hour", before)


def test_ended_clock_keeps_the_outcome_of_its_rules() -> None:
    """Later rules do not change the outcome, whatever happens to the dossier afterwards."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-09 08:00").settled()
    )
    harness.rules = replace(RULES_IN_FORCE, centre=centre(L_5=Term(1, "working_day")), digest="two")
    harness.consume(dossier.at("2017-11-10 08:00").step_recorded())
    assert (harness.types(), harness.row.rules_digest) == (["set", "ended"], "one")


def test_tick_publishes_each_threshold_once() -> None:
    """Thresholds are published in time order, each at its own instant, near with the time left."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    for when in ("2017-11-10 06:59", "2017-11-10 07:00", "2017-11-10 18:00", "2017-11-20 07:00", "2017-11-20 08:00"):
        harness.tick(when)
    assert [(event.type, local(event.time)) for event in harness.published[1:]] == [
        ("deadline.near", "2017-11-10 07:00"),
        ("deadline.reached", "2017-11-10 17:00"),
        ("deadline.breached", "2017-11-11 00:00"),
        ("deadline.escalated", "2017-11-13 17:00"),
    ]
    assert harness.published[1].data.model_dump()["remaining_working_seconds"] == 8 * 3600
    assert (harness.row.next_threshold_at, harness.row.generation) == (None, 1)


def test_act_publishes_the_thresholds_before_it() -> None:
    """Thresholds at or before the act's instant have passed."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-10 17:00").settled()
    )
    assert harness.types() == ["set", "near", "reached", "ended"]
    assert [event.data.model_dump()["dossier_sequence"] for event in harness.published] == [1, 1, 1, 2]


def test_act_without_effect_on_the_clock_publishes_the_thresholds_before_it() -> None:
    """No act precedes the previous one, so a recorded activity proves that its instant has come."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-10 07:00").step_recorded()
    )
    assert (harness.types(), harness.row.dossier_sequence) == (["set", "near"], 2)


def test_settlement_recorded_late_retracts_later_thresholds() -> None:
    """Settled at 16:00 and recorded the next morning: reached and breached are retracted, near is not."""
    dossier = dossier_events()
    harness = ClockHarness().consume(dossier.at("2017-11-06 07:00").received()).tick("2017-11-11 07:00")
    harness.consume(dossier.at("2017-11-10 16:00", recorded="2017-11-11 08:00").settled())
    assert harness.types() == ["set", "near", "reached", "breached", "retracted", "retracted", "ended"]
    assert [event.data.model_dump()["fired"] for event in harness.published[4:6]] == [
        "deadline.reached",
        "deadline.breached",
    ]
    assert harness.last.outcome == "on_time"
    assert harness.tick("2017-11-30 07:00").types()[-1] == "ended"


def test_retracted_threshold_fires_again_for_the_same_due_date() -> None:
    """A pause recorded late retracts near; the same due date is then near again."""
    dossier = dossier_events()
    harness = ClockHarness(replace(RULES_IN_FORCE, centre=centre(L_1=Term(1, "working_day"))))
    harness.consume(dossier.at("2017-11-06 13:30").received("L.1"))  # due on Tuesday 11:30, near on Tuesday 07:30
    harness.tick("2017-11-07 08:00")
    harness.consume(
        dossier.at("2017-11-06 17:00", recorded="2017-11-07 08:30").supplement_required(),
        dossier.at("2017-11-07 06:00").supplement_received(),
    ).tick("2017-11-07 09:00")
    near = [event for event in harness.published if event.type == "deadline.near"]
    assert harness.types() == ["set", "near", "retracted", "paused", "set", "near"]
    assert near[0].data.model_dump()["due_at"] == near[1].data.model_dump()["due_at"]
    assert near[0].id != near[1].id


def test_pause_after_the_due_date_retracts_nothing() -> None:
    """An overdue dossier that is paused stays overdue."""
    dossier = dossier_events()
    harness = ClockHarness().consume(dossier.at("2017-11-06 07:00").received()).tick("2017-11-11 07:00")
    harness.consume(dossier.at("2017-11-10 18:00", recorded="2017-11-11 08:00").supplement_required())
    assert harness.types() == ["set", "near", "reached", "breached", "paused"]
    assert harness.last.remaining_working_seconds == 0
    assert harness.tick("2017-11-13 17:00").types()[-1] == "escalated"


def test_ticker_and_next_act_publish_the_same_event_id() -> None:
    """The id follows from the dossier, level, due date and generation."""
    dossier = dossier_events()
    events = [dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-11 07:00").settled()]
    by_act = ClockHarness().consume(*events)
    by_time = ClockHarness().consume(events[0]).tick("2017-11-11 06:00").consume(events[1])
    assert [event.id for event in by_act.published] == [event.id for event in by_time.published]
    assert [event.data for event in by_act.published] == [event.data for event in by_time.published]


def test_rebuilt_deadline_equals_the_handlers_deadline() -> None:
    """The deadline follows from intake's events alone."""
    dossier = dossier_events()
    events = [
        dossier.submitted(),
        dossier.at("2017-11-03 08:00").supplement_required(before_receipt=True),
        dossier.at("2017-11-03 09:00").supplement_received(),
        dossier.at("2017-11-06 07:00").received(),
        dossier.at("2017-11-06 08:00").step_recorded(),
        dossier.at("2017-11-07 07:00").supplement_required(),
        dossier.at("2017-11-08 07:00").supplement_received(),
    ]
    harness = ClockHarness().consume(*events)
    again = rebuild_deadline(events, RULES_IN_FORCE.centre, VIETNAM)
    assert again is not None
    assert (again.state, again.due_at) == (harness.row.state, harness.row.due_at)
    assert rebuild_deadline(events[:3], RULES_IN_FORCE.centre, VIETNAM) is None


def test_simulated_clock_records_a_threshold_at_its_instant() -> None:
    """When the time advances from May to December, each threshold is recorded at its own instant."""
    dossier = dossier_events()
    harness = ClockHarness().consume(dossier.submitted(), dossier.at("2017-11-06 07:00").received())
    harness.tick("2017-12-29 17:00", recorded_from="2017-05-02 00:00")
    assert harness.types()[1:] == ["near", "reached", "breached", "escalated"]
    assert [event.recordedtime for event in harness.published[1:]] == [event.time for event in harness.published[1:]]


def test_threshold_is_not_recorded_before_the_act_it_follows_from() -> None:
    """Thresholds after a pause dated back by weeks are known only when the pause is recorded."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.submitted(),
        dossier.at("2017-11-06 07:00").received(),
        dossier.at("2017-11-06 08:00", recorded="2017-12-04 08:00").supplement_required(),
        dossier.at("2017-11-06 09:00", recorded="2017-12-04 08:00").supplement_received(),
    )
    count = len(harness.published)
    harness.tick("2017-12-04 09:00", recorded_from="2017-05-02 00:00")
    assert {local(event.recordedtime) for event in harness.published[count:]} == {"2017-12-04 08:00"}
