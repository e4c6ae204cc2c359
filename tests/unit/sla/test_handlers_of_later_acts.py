"""What extensions, further steps, reopenings and long pauses do to a clock's row and what is told of them."""

from datetime import date

from tests.unit.sla.builders import Acts, local
from tests.unit.sla.harness import ClockHarness


def test_extension_sets_a_later_date_and_is_kept() -> None:
    """By working days and by a date; the row gives the same events back, so that the date can be derived again."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.extend("2017-11-07 07:00", 2))
    harness.consume(acts.extend("2017-11-08 07:00", date(2017, 11, 16)))
    assert (harness.types(), local(harness.last.due_at)) == (["set", "set", "set"], "2017-11-16 17:00")
    assert [(event.working_days, event.to_date) for event in harness.row.clock_changes()[1:]] == [
        (2, None),
        (None, date(2017, 11, 16)),
    ]


def test_extension_recorded_late_takes_back_what_was_told() -> None:
    """It came before the due date, as its own instant says; that the date was reached is taken back."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00")).tick("2017-11-10 17:00")
    harness.consume(acts.extend("2017-11-10 16:00", 1, recorded="2017-11-10 17:30"))
    assert harness.types()[-2:] == ["retracted", "set"]
    assert local(harness.last.due_at) == "2017-11-13 17:00"


def test_reopened_dossier_has_its_rest_of_time() -> None:
    """Settled with two days left, reopened a week later: the time between did not count."""
    acts = Acts()
    harness = ClockHarness().consume(
        acts.receive("2017-11-06 07:00"), acts.settle("2017-11-09 07:00"), acts.reopen("2017-11-16 07:00")
    )
    assert (harness.types(), local(harness.last.due_at)) == (["set", "ended", "set"], "2017-11-17 17:00")
    harness.consume(acts.settle("2017-11-20 08:00"))
    assert (harness.last.how, harness.last.outcome) == ("settled", "late")


def test_further_step_changes_the_department_and_tells_nothing() -> None:
    """Who works on a dossier makes no difference to its due date."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.begin_step("2017-11-07 07:00", 2))
    assert (harness.types(), harness.row.department, harness.row.clock_changes()[-1].step) == (["set"], "STC", 2)


def test_pause_that_is_too_long_is_told_once() -> None:
    """Thirty working days from Tuesday 7 November on end on Monday 18 December: the event says why and since when."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.ask_supplement("2017-11-07 07:00"))
    assert local(harness.row.next_threshold_at) == "2017-12-18 17:00"
    harness.tick("2017-12-18 16:59").tick("2017-12-19 08:00").tick("2018-03-01 08:00")
    assert harness.types() == ["set", "paused", "pause_exceeded"]
    assert (local(harness.published[-1].time), harness.last.ground) == ("2017-12-18 17:00", "supplement")
    assert (local(harness.last.paused_at), local(harness.last.threshold_at)) == ("2017-11-07 07:00", "2017-12-18 17:00")
    assert harness.row.next_threshold_at is None


def test_each_pause_that_is_too_long_is_told() -> None:
    """What was told of the first pause does not stand for the second; papers that come later take nothing back."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.ask_supplement("2017-11-07 07:00"))
    harness.consume(acts.supplement_received("2017-12-20 07:00"), acts.ask_supplement("2017-12-20 08:00"))
    harness.tick("2018-03-01 08:00")
    assert harness.types() == ["set", "paused", "pause_exceeded", "set", "paused", "pause_exceeded"]
    assert local(harness.last.paused_at) == "2017-12-20 08:00"


def test_papers_that_came_before_the_ceiling_take_it_back() -> None:
    """Recorded late: the pause had ended by then, so that it was too long was not so."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.ask_supplement("2017-11-07 07:00"))
    harness.tick("2017-12-19 07:00")
    harness.consume(acts.supplement_received("2017-12-18 16:00", recorded="2017-12-19 08:00"))
    assert harness.types() == ["set", "paused", "pause_exceeded", "retracted", "set"]
    retracted = harness.published[-2].data.model_dump()
    assert (retracted["fired"], retracted["level"], local(retracted["due_at"])) == (
        "deadline.pause_exceeded",
        None,
        "2017-11-07 07:00",
    )


def test_pause_without_a_term_has_a_ceiling_too() -> None:
    """The applicant is waited for, whatever the law promises."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00", "L.0"), acts.ask_supplement("2017-11-07 07:00"))
    assert harness.tick("2017-12-19 07:00").types() == ["none", "none", "pause_exceeded"]
