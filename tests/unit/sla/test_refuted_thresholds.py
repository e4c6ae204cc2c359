"""What was told of a due date that had come, and a changed calendar then makes refuted_by_act, is taken back."""

from dataclasses import replace
from datetime import date, timedelta

from services.sla.domain.calendar import compile_calendar
from shared.contracts.deadlines import DeadlineRetractedV1
from shared.kernel.calendar_rules import CalendarException
from tests.unit.sla.builders import RULES, Acts
from tests.unit.sla.harness import TUESDAYS_OFF, ClockHarness, with_calendar


def breached(acts: Acts) -> ClockHarness:
    """Five working days from Monday 6 November 2017, late since Friday's end."""
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00")).tick("2017-11-11 08:00")
    assert harness.types() == ["set", "near", "reached", "breached"]
    return harness


def taken_back(harness: ClockHarness) -> list[str]:
    return [event.data.fired for event in harness.published if isinstance(event.data, DeadlineRetractedV1)]


def test_of_a_clock_that_was_paused_after_its_due_date() -> None:
    """The date moves to after the pause, so it is no longer late but stands with what remains."""
    acts = Acts()
    harness = breached(acts).consume(acts.ask_supplement("2017-11-13 08:00"))
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"), "2017-11-13 09:00")
    assert taken_back(harness) == ["deadline.reached", "deadline.breached"]
    assert harness.types()[-1] == "paused"


def test_of_a_clock_whose_new_date_came_before_the_pause_too() -> None:
    """It was late, by another date: what was told of the first is taken back, what is true of the second is told."""
    acts = Acts()
    harness = breached(acts).consume(acts.ask_supplement("2017-11-20 08:00"))
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"), "2017-11-20 09:00")
    harness.tick("2017-11-20 10:00")
    assert taken_back(harness).count("deadline.breached") == 1
    assert {each.anchor_at for each in harness.row.fired_thresholds() if each.level == "breached"} == {
        harness.row.due_at
    }


def test_of_a_dossier_that_is_reopened_after_the_change() -> None:
    """Late by the calendar of its settlement; by the one that it is worked on with again it never was."""
    acts = Acts()
    harness = breached(acts).consume(acts.settle("2017-11-13 08:00"))
    harness.rules = with_calendar(TUESDAYS_OFF, "9/QĐ")
    harness.consume(acts.reopen("2017-11-13 10:00"), acts.settle("2017-11-13 11:00"))
    assert taken_back(harness) == ["deadline.reached", "deadline.breached"]
    assert harness.last.outcome == "early"


def test_of_a_clock_that_waits_for_a_longer_calendar() -> None:
    """Without a due date nothing of one has come."""
    acts = Acts()
    idle = tuple(CalendarException(date(2017, 11, 7) + timedelta(days=n), "off", "decided") for n in range(400))
    calendar = compile_calendar(replace(RULES, exceptions=(*RULES.exceptions, *idle)))
    harness = breached(acts)
    harness.rederive(with_calendar(calendar, "9/QĐ"), "2017-11-11 09:00")
    assert taken_back(harness) == ["deadline.reached", "deadline.breached"]
    assert harness.types()[-1] == "waiting"
