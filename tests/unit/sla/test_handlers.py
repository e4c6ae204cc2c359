"""What intake's events and time do to a clock, decided on rows in memory."""

from dataclasses import replace
from datetime import date

import pytest

from services.sla.rebuild import rebuild_deadline
from shared.kernel.centre import Term
from tests.unit.sla.builders import RULES, VIETNAM, Acts, local
from tests.unit.sla.harness import RULES_IN_FORCE, ClockHarness, centre


def test_receipt_sets_the_due_date() -> None:
    """`deadline.set` names due instant and date, counted start, term, calendar with version, and what it reflects."""
    acts = Acts()
    harness = ClockHarness().consume(acts.submitted(), acts.receive("2017-11-06 07:00"))
    (told,) = harness.published
    assert (told.sequence, local(told.time)) == (1, "2017-11-06 07:00")
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


def test_before_the_receipt_there_is_no_clock() -> None:
    """Papers asked for before the receipt, and a withdrawal then, tell nothing."""
    acts = Acts()
    harness = ClockHarness().consume(
        acts.submitted(),
        acts.ask_supplement("2017-11-06 08:00", before_receipt=True),
        acts.supplement_received("2017-11-06 09:00"),
        acts.withdraw("2017-11-06 10:00"),
    )
    assert harness.published == []


def test_supplement_before_the_receipt_does_not_pause() -> None:
    """The clock starts at the receipt, whatever was asked for before."""
    acts = Acts()
    harness = ClockHarness().consume(
        acts.ask_supplement("2017-11-06 07:00", before_receipt=True),
        acts.supplement_received("2017-11-06 08:00"),
        acts.receive("2017-11-06 09:00"),
    )
    assert (harness.types(), local(harness.last.due_at)) == (["set"], "2017-11-13 09:00")


def test_pause_tells_what_remains_and_resume_a_new_date() -> None:
    """While paused no due date stands anywhere; the generation grows with each change."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.ask_supplement("2017-11-07 07:00"))
    assert (harness.last.ground, harness.last.remaining_working_seconds, harness.last.generation) == (
        "supplement",
        32 * 3600,
        2,
    )
    assert (harness.row.state, harness.row.due_at) == ("paused", None)
    harness.consume(acts.supplement_received("2017-11-08 07:00"))
    assert (harness.types(), local(harness.last.due_at), harness.last.generation) == (
        ["set", "paused", "set"],
        "2017-11-13 17:00",
        3,
    )


def test_calendar_days_remain_as_days() -> None:
    """A term in calendar days tells days, not hours."""
    acts = Acts()
    harness = ClockHarness(replace(RULES_IN_FORCE, centre=centre(L_9=Term(9, "calendar_day"))))
    harness.consume(acts.receive("2017-11-06 07:00", "L.9"), acts.ask_supplement("2017-11-07 07:00"))
    assert (harness.last.remaining_working_seconds, harness.last.remaining_calendar_days) == (None, 8)


@pytest.mark.parametrize(
    ("settled", "outcome"),
    [("2017-11-09 23:00", "early"), ("2017-11-10 23:00", "on_time"), ("2017-11-11 00:00", "late")],
)
def test_settlement_is_judged(settled: str, outcome: str) -> None:
    """By local date; afterwards nothing is due and nothing is pending."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.settle(settled))
    assert (harness.last.TYPE, harness.last.how, harness.last.outcome) == ("deadline.ended", "settled", outcome)
    assert local(harness.last.due_at) == "2017-11-10 17:00"
    assert (harness.row.state, harness.row.next_threshold_at) == ("ended", None)


def test_no_term_is_said_at_every_change() -> None:
    """Whoever waits for a due date learns each time that there is none."""
    acts = Acts()
    harness = ClockHarness().consume(
        acts.receive("2017-11-06 07:00", "L.0"),
        acts.ask_supplement("2017-11-07 07:00"),
        acts.supplement_received("2017-11-08 07:00"),
        acts.settle("2017-11-30 07:00"),
    )
    assert harness.types() == ["none", "none", "none", "ended"]
    assert [event.data.model_dump()["dossier_sequence"] for event in harness.published] == [1, 2, 3, 4]
    assert (harness.last.due_at, harness.last.outcome) == (None, None)


def test_unknown_procedure_waits() -> None:
    """It is not "no term": it is listed, and each act says that it still waits."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00", "L.8"), acts.ask_supplement("2017-11-07 07:00"))
    assert harness.types() == ["waiting", "waiting"]
    assert (harness.last.procedure, harness.last.waiting_for, harness.row.waiting_for) == (
        "L.8",
        "procedure",
        "procedure",
    )


def test_calendar_that_ends_too_early_waits() -> None:
    """No due date is guessed beyond the calendar, and the dossier is not refused either."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2027-12-30 07:00"))
    assert (harness.last.TYPE, harness.last.waiting_for) == ("deadline.waiting", "calendar")


def test_waiting_dossier_flows_on_once_the_procedure_is_known() -> None:
    """Derived again from the kept events, pauses included."""
    acts = Acts()
    harness = ClockHarness().consume(
        acts.receive("2017-11-06 07:00", "L.8"),
        acts.ask_supplement("2017-11-07 07:00"),
        acts.supplement_received("2017-11-08 07:00"),
    )
    known = replace(RULES_IN_FORCE, centre=centre(L_8=Term(5, "working_day")), digest="two")
    assert harness.rederive(known, "2017-11-09 12:00")
    assert (harness.last.TYPE, local(harness.last.due_at), harness.last.dossier_sequence) == (
        "deadline.set",
        "2017-11-13 17:00",
        3,
    )
    assert (harness.row.waiting_for, harness.row.rules_digest) == (None, "two")


def test_settled_while_waiting_is_judged_once_the_procedure_is_known() -> None:
    """The settlement was told without a judgement; it follows."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00", "L.8"), acts.settle("2017-11-20 07:00"))
    assert (harness.last.how, harness.last.outcome) == ("settled", None)
    harness.rederive(
        replace(RULES_IN_FORCE, centre=centre(L_8=Term(5, "working_day")), digest="two"), "2017-12-01 12:00"
    )
    assert (harness.last.TYPE, harness.last.outcome) == ("deadline.ended", "late")


def test_other_rules_with_the_same_date_tell_nothing() -> None:
    """A row is derived again by new rules; where nothing moves nobody hears of it, and not a second time."""
    harness = ClockHarness().consume(Acts().receive("2017-11-06 07:00"))
    other = replace(RULES_IN_FORCE, digest="two")
    assert (harness.rederive(other), harness.rederive(other), harness.types()) == (False, False, ["set"])


def test_a_changed_term_with_the_same_date_is_told() -> None:
    """The event names the term, so another one is told, even where both come to the same instant."""
    harness = ClockHarness().consume(Acts().receive("2017-11-06 07:00"))
    before = harness.row.due_at
    assert harness.rederive(replace(RULES_IN_FORCE, centre=centre(L_5=Term(40, "working_hour")), digest="two"))
    assert (harness.last.term.value, harness.last.term.unit, harness.last.due_at) == (40, "working_hour", before)


def test_an_ended_clock_keeps_the_judgement_of_its_time() -> None:
    """A later calendar judges no settlement anew, whatever touches the dossier afterwards."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.settle("2017-11-09 08:00"))
    harness.rules = replace(RULES_IN_FORCE, centre=centre(L_5=Term(1, "working_day")), digest="two")
    harness.consume(acts.record_step("2017-11-10 08:00"))
    assert (harness.types(), harness.row.rules_digest) == (["set", "ended"], "one")


def test_time_tells_each_threshold_once() -> None:
    """In the order of their instants, each at its own instant, with what remains."""
    harness = ClockHarness().consume(Acts().receive("2017-11-06 07:00"))
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


def test_act_fires_what_came_before_it() -> None:
    """Before an act is apply_change, thresholds at or before its time are told: they have truly passed."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.settle("2017-11-10 17:00"))
    assert harness.types() == ["set", "near", "reached", "ended"]
    assert [event.data.model_dump()["dossier_sequence"] for event in harness.published] == [1, 1, 1, 2]


def test_act_that_moves_no_clock_proves_time_too() -> None:
    """No act precedes the one before it, so a recorded step tells that its time has come."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.record_step("2017-11-10 07:00"))
    assert (harness.types(), harness.row.dossier_sequence) == (["set", "near"], 2)


def test_late_record_retracts_what_was_not_so() -> None:
    """Settled at 16:00 and recorded the next morning: reached and breached are taken back, near stays."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00")).tick("2017-11-11 07:00")
    harness.consume(acts.settle("2017-11-10 16:00", recorded="2017-11-11 08:00"))
    assert harness.types() == ["set", "near", "reached", "breached", "retracted", "retracted", "ended"]
    assert [event.data.model_dump()["fired"] for event in harness.published[4:6]] == [
        "deadline.reached",
        "deadline.breached",
    ]
    assert harness.last.outcome == "on_time"
    assert harness.tick("2017-11-30 07:00").types()[-1] == "ended"


def test_retraction_frees_level_and_due_date() -> None:
    """A pause over lunch, recorded late, retracts the warning told meanwhile; the same due date then fires again."""
    acts = Acts()
    harness = ClockHarness(replace(RULES_IN_FORCE, centre=centre(L_1=Term(1, "working_day"))))
    harness.consume(acts.receive("2017-11-06 13:30", "L.1"))  # due on Tuesday 11:30, near on Tuesday 07:30
    harness.tick("2017-11-07 08:00")
    harness.consume(
        acts.ask_supplement("2017-11-06 17:00", recorded="2017-11-07 08:30"),
        acts.supplement_received("2017-11-07 06:00"),
    ).tick("2017-11-07 09:00")
    near = [event for event in harness.published if event.type == "deadline.near"]
    assert harness.types() == ["set", "near", "retracted", "paused", "set", "near"]
    assert near[0].data.model_dump()["due_at"] == near[1].data.model_dump()["due_at"]
    assert near[0].id != near[1].id


def test_pause_after_the_due_date_retracts_nothing() -> None:
    """An overdue dossier that is paused stays overdue: the breach told meanwhile was so."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00")).tick("2017-11-11 07:00")
    harness.consume(acts.ask_supplement("2017-11-10 18:00", recorded="2017-11-11 08:00"))
    assert harness.types() == ["set", "near", "reached", "breached", "paused"]
    assert harness.last.remaining_working_seconds == 0
    assert harness.tick("2017-11-13 17:00").types()[-1] == "escalated"


def test_threshold_has_one_id_whoever_tells_it() -> None:
    """The id follows from dossier, level, due date and generation: the ticker and the next act tell the same event."""
    acts = Acts()
    events = [acts.receive("2017-11-06 07:00"), acts.settle("2017-11-11 07:00")]
    by_act = ClockHarness().consume(*events)
    by_time = ClockHarness().consume(events[0]).tick("2017-11-11 06:00").consume(events[1])
    assert [event.id for event in by_act.published] == [event.id for event in by_time.published]
    assert [event.data for event in by_act.published] == [event.data for event in by_time.published]


def test_replay_derives_what_the_handlers_derived() -> None:
    """From intake's events alone the same deadline follows."""
    acts = Acts()
    events = [
        acts.submitted(),
        acts.ask_supplement("2017-11-03 08:00", before_receipt=True),
        acts.supplement_received("2017-11-03 09:00"),
        acts.receive("2017-11-06 07:00"),
        acts.record_step("2017-11-06 08:00"),
        acts.ask_supplement("2017-11-07 07:00"),
        acts.supplement_received("2017-11-08 07:00"),
    ]
    harness = ClockHarness().consume(*events)
    again = rebuild_deadline(events, RULES_IN_FORCE.centre, VIETNAM)
    assert again is not None
    assert (again.state, again.due_at) == (harness.row.state, harness.row.due_at)
    assert rebuild_deadline(events[:3], RULES_IN_FORCE.centre, VIETNAM) is None


def test_a_set_centre_records_a_threshold_at_its_own_instant() -> None:
    """Its time jumped from May to December: what fell due on the way was known then, in its order."""
    acts = Acts()
    harness = ClockHarness().consume(acts.submitted(), acts.receive("2017-11-06 07:00"))
    harness.tick("2017-12-29 17:00", recorded_from="2017-05-02 00:00")
    assert harness.types()[1:] == ["near", "reached", "breached", "escalated"]
    assert [event.recordedtime for event in harness.published[1:]] == [event.time for event in harness.published[1:]]


def test_no_threshold_is_recorded_before_the_act_that_it_follows_from() -> None:
    """A pause and its end, dated back by weeks: the thresholds since then passed long ago and are known only now."""
    acts = Acts()
    harness = ClockHarness().consume(
        acts.submitted(),
        acts.receive("2017-11-06 07:00"),
        acts.ask_supplement("2017-11-06 08:00", recorded="2017-12-04 08:00"),
        acts.supplement_received("2017-11-06 09:00", recorded="2017-12-04 08:00"),
    )
    told = len(harness.published)
    harness.tick("2017-12-04 09:00", recorded_from="2017-05-02 00:00")
    assert {local(event.recordedtime) for event in harness.published[told:]} == {"2017-12-04 08:00"}
