"""A later version of the calendar meets clocks that run, stand, or have ended: decided on rows in memory."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Literal

import pytest

from services.sla.domain.calendar import compile_calendar
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term
from tests.unit.sla.builders import RULES, VIETNAM, Acts, local, with_exceptions
from tests.unit.sla.harness import RULES_IN_FORCE, TUESDAYS_OFF, ClockHarness, centre, with_calendar


def told(harness: ClockHarness) -> Mapping[str, Any]:
    said: Mapping[str, Any] = harness.last.model_dump()
    return said


def test_a_moved_date_is_told_with_both_dates_and_the_decision() -> None:
    """Once; and what has been told is what the clock has come to, so that the same calendar tells nothing again."""
    harness = ClockHarness().consume(Acts().receive("2017-11-06 07:00"))
    later = with_calendar(TUESDAYS_OFF, "9/QĐ")
    assert (harness.rederive(later), harness.rederive(later)) == (True, False)
    assert harness.types() == ["set", "moved"]
    said = told(harness)
    assert (local(said["previous_due_at"]), local(said["due_at"])) == ("2017-11-10 17:00", "2017-11-13 17:00")
    assert (said["decided_by"], said["calendar_version"], said["generation"]) == ("9/QĐ", 4, 2)
    assert (harness.row.calendar_version, harness.row.due_at) == (4, said["due_at"])


def test_a_clock_that_missed_a_version_names_both_decisions() -> None:
    """Two approvals before the sweep came: one move, by both."""
    harness = ClockHarness().consume(Acts().receive("2017-11-06 07:00"))
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ", "10/QĐ"))
    assert (harness.types(), told(harness)["decided_by"]) == (["set", "moved"], "9/QĐ; 10/QĐ")


def test_a_later_version_that_brings_the_date_back_is_told_again() -> None:
    """Each way with an event of its own; a clock that an act told meanwhile goes on from there."""
    harness = ClockHarness().consume(Acts().receive("2017-11-06 07:00"))
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"))
    harness.rederive(with_calendar(VIETNAM, "9/QĐ", "10/QĐ"))
    assert harness.types() == ["set", "moved", "moved"]
    assert (local(told(harness)["previous_due_at"]), told(harness)["decided_by"]) == ("2017-11-13 17:00", "10/QĐ")
    assert len({event.id for event in harness.published}) == 3


def test_an_unmoved_clock_only_notes_the_version() -> None:
    """Nobody hears of it, and it is not derived again."""
    harness = ClockHarness().consume(Acts().receive("2017-11-06 07:00"))
    assert not harness.rederive(with_calendar(VIETNAM, "9/QĐ"))
    assert (harness.types(), harness.row.calendar_version) == (["set"], 4)


def test_rules_of_the_catalogue_move_without_a_decision() -> None:
    """A changed term is no changed calendar: it is told as it always was."""
    harness = ClockHarness().consume(Acts().receive("2017-11-06 07:00"))
    assert harness.rederive(replace(RULES_IN_FORCE, centre=centre(L_5=Term(1, "working_day")), digest="two"))
    assert harness.types() == ["set", "set"]


def test_a_standing_clock_tells_what_it_has_left() -> None:
    """A paused clock has no due date that could move; what remains of it is told again where it differs, once."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.ask_supplement("2017-11-07 07:00"))
    other = with_calendar(compile_calendar(replace(RULES, windows=RULES.windows[:1])), "9/QĐ")
    assert told(harness)["remaining_working_seconds"] == 32 * 3600
    assert (harness.rederive(other), harness.rederive(other)) == (True, False)
    assert (harness.types(), told(harness)["remaining_working_seconds"], told(harness)["generation"]) == (
        ["set", "paused", "paused"],
        18 * 3600,
        3,
    )


@pytest.mark.parametrize(
    ("status", "says"),
    [("projected", (True, ())), ("unconfirmed", (False, (date(2017, 11, 11),)))],
)
def test_a_date_that_became_uncertain_is_told_although_it_stays(
    status: Literal["projected", "unconfirmed"], says: tuple[bool, tuple[date, ...]]
) -> None:
    """An exception that moves nothing yet makes the promise provisional, or one that may move: that is told, too."""
    harness = ClockHarness(replace(RULES_IN_FORCE, centre=centre(L_6=Term(6, "working_day"))))
    harness.consume(Acts().receive("2017-11-06 07:00", "L.6"))
    saturday = CalendarException(on=date(2017, 11, 11), kind="off", status=status)
    before = harness.row.due_at
    assert harness.rederive(with_calendar(with_exceptions(saturday), "9/QĐ", rules=harness.rules))
    assert (harness.last.provisional, harness.last.crosses_unconfirmed) == says
    assert (harness.last.TYPE, harness.last.due_at) == ("deadline.set", before)


def test_whoever_touches_a_clock_first_moves_it() -> None:
    """An act that comes before the sweep does not swallow the move: it is told before the act's thresholds."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"))
    harness.rules = with_calendar(TUESDAYS_OFF, "9/QĐ")
    harness.consume(acts.record_step("2017-11-10 08:00"))
    assert (harness.types(), local(told(harness)["due_at"])) == (["set", "moved"], "2017-11-13 17:00")


def test_what_was_told_of_a_date_that_never_was_is_taken_back() -> None:
    """By the calendar that counts now it was not so: it comes true again at the new date, and only then."""
    harness = ClockHarness().consume(Acts().receive("2017-11-06 07:00"))
    harness.tick("2017-11-11 08:00")
    assert harness.types() == ["set", "near", "reached", "breached"]
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"), "2017-11-11 09:00")
    assert harness.types()[4:] == ["retracted", "retracted", "retracted", "moved"]
    assert not harness.row.fired
    assert local(harness.row.next_threshold_at) == "2017-11-13 07:00"  # eight working hours before that day closes
    harness.tick("2017-11-14 08:00")
    assert harness.types()[8:] == ["near", "reached", "breached"]


def test_an_ended_clock_keeps_the_judgement_of_the_calendar_of_its_time() -> None:
    """A later calendar judges no settlement anew, whatever touches the dossier afterwards."""
    acts = Acts()
    harness = ClockHarness().consume(acts.receive("2017-11-06 07:00"), acts.settle("2017-11-09 08:00"))
    harness.rules = with_calendar(TUESDAYS_OFF, "9/QĐ")
    harness.consume(acts.record_step("2017-11-10 08:00"))
    assert (harness.types(), harness.row.calendar_version) == (["set", "ended"], RULES_IN_FORCE.calendar_version)


def test_an_earlier_version_changes_nothing() -> None:
    """A replica that reads the version late never goes back to an older one."""
    rules = with_calendar(TUESDAYS_OFF, "9/QĐ")
    rules.use_calendar(VIETNAM, RULES_IN_FORCE.calendar_version, ())
    assert (rules.calendar, rules.calendar_version) == (TUESDAYS_OFF, 4)


def test_a_move_is_told_at_the_instant_of_its_decision_at_the_earliest() -> None:
    """Where a set centre records what follows from acts at its first instant, a move still follows its decision."""
    harness = ClockHarness().consume(Acts().receive("2017-11-06 07:00"))
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"), "2017-04-28 00:00")
    assert local(harness.published[-1].time) == "2017-11-06 11:00"
