"""A later calendar version, applied to running, paused and ended clocks in memory."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Literal

import pytest

from services.sla.domain.calendar import compile_calendar
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term
from tests.unit.sla.builders import RULES, VIETNAM, dossier_events, local, with_exceptions
from tests.unit.sla.harness import RULES_IN_FORCE, TUESDAYS_OFF, ClockHarness, centre, with_calendar


def content(harness: ClockHarness) -> Mapping[str, Any]:
    """The last event as a mapping."""
    said: Mapping[str, Any] = harness.last.model_dump()
    return said


def test_moved_due_date_is_published_with_both_dates_and_the_decision() -> None:
    """It is published once; deriving by the same calendar again publishes nothing."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    later = with_calendar(TUESDAYS_OFF, "9/QĐ")
    assert (harness.rederive(later), harness.rederive(later)) == (True, False)
    assert harness.types() == ["set", "moved"]
    said = content(harness)
    assert (local(said["previous_due_at"]), local(said["due_at"])) == ("2017-11-10 17:00", "2017-11-13 17:00")
    assert (said["decided_by"], said["calendar_version"], said["generation"]) == ("9/QĐ", 4, 2)
    assert (harness.row.calendar_version, harness.row.due_at) == (4, said["due_at"])


def test_clock_that_skipped_a_version_names_both_decisions() -> None:
    """Two approvals before the sweep give one move with both decisions."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ", "10/QĐ"))
    assert (harness.types(), content(harness)["decided_by"]) == (["set", "moved"], "9/QĐ; 10/QĐ")


def test_due_date_moved_back_is_published_again() -> None:
    """Each move is an event of its own."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"))
    harness.rederive(with_calendar(VIETNAM, "9/QĐ", "10/QĐ"))
    assert harness.types() == ["set", "moved", "moved"]
    assert (local(content(harness)["previous_due_at"]), content(harness)["decided_by"]) == ("2017-11-13 17:00", "10/QĐ")
    assert len({event.id for event in harness.published}) == 3


def test_unmoved_clock_stores_the_version_and_publishes_nothing() -> None:
    """It is then not derived again."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    assert not harness.rederive(with_calendar(VIETNAM, "9/QĐ"))
    assert (harness.types(), harness.row.calendar_version) == (["set"], 4)


def test_changed_term_is_published_as_set() -> None:
    """A changed term is not a changed calendar, so the event has no decision."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    assert harness.rederive(replace(RULES_IN_FORCE, centre=centre(L_5=Term(1, "working_day")), digest="two"))
    assert harness.types() == ["set", "set"]


def test_paused_clock_publishes_its_remaining_time() -> None:
    """A paused clock has no due date to move; a different remaining time is published once."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-07 07:00").supplement_required()
    )
    other = with_calendar(compile_calendar(replace(RULES, windows=RULES.windows[:1])), "9/QĐ")
    assert content(harness)["remaining_working_seconds"] == 32 * 3600
    assert (harness.rederive(other), harness.rederive(other)) == (True, False)
    assert (harness.types(), content(harness)["remaining_working_seconds"], content(harness)["generation"]) == (
        ["set", "paused", "paused"],
        18 * 3600,
        3,
    )


@pytest.mark.parametrize(
    ("status", "says"),
    [("projected", (True, ())), ("unconfirmed", (False, (date(2017, 11, 11),)))],
)
def test_due_date_that_becomes_uncertain_is_published(
    status: Literal["projected", "unconfirmed"], says: tuple[bool, tuple[date, ...]]
) -> None:
    """An exception that makes the due date provisional, or may move it, is published even if the date is the same."""
    harness = ClockHarness(replace(RULES_IN_FORCE, centre=centre(L_6=Term(6, "working_day"))))
    harness.consume(dossier_events().at("2017-11-06 07:00").received("L.6"))
    saturday = CalendarException(on=date(2017, 11, 11), kind="off", status=status)
    before = harness.row.due_at
    assert harness.rederive(with_calendar(with_exceptions(saturday), "9/QĐ", rules=harness.rules))
    assert (harness.last.provisional, harness.last.crosses_unconfirmed) == says
    assert (harness.last.TYPE, harness.last.due_at) == ("deadline.set", before)


def test_act_before_the_sweep_publishes_the_move() -> None:
    """The move is published before the thresholds that the act proves."""
    dossier = dossier_events()
    harness = ClockHarness().consume(dossier.at("2017-11-06 07:00").received())
    harness.rules = with_calendar(TUESDAYS_OFF, "9/QĐ")
    harness.consume(dossier.at("2017-11-10 08:00").step_recorded())
    assert (harness.types(), local(content(harness)["due_at"])) == (["set", "moved"], "2017-11-13 17:00")


def test_thresholds_of_the_previous_due_date_are_retracted() -> None:
    """By the calendar in force they had not passed; they fire again at the moved due date."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    harness.tick("2017-11-11 08:00")
    assert harness.types() == ["set", "near", "reached", "breached"]
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"), "2017-11-11 09:00")
    assert harness.types()[4:] == ["retracted", "retracted", "retracted", "moved"]
    assert not harness.row.fired
    assert local(harness.row.next_threshold_at) == "2017-11-13 07:00"  # eight working hours before that day closes
    harness.tick("2017-11-14 08:00")
    assert harness.types()[8:] == ["near", "reached", "breached"]


def test_ended_clock_keeps_the_outcome_of_its_calendar() -> None:
    """A later calendar does not change the outcome, whatever happens to the dossier afterwards."""
    dossier = dossier_events()
    harness = ClockHarness().consume(
        dossier.at("2017-11-06 07:00").received(), dossier.at("2017-11-09 08:00").settled()
    )
    harness.rules = with_calendar(TUESDAYS_OFF, "9/QĐ")
    harness.consume(dossier.at("2017-11-10 08:00").step_recorded())
    assert (harness.types(), harness.row.calendar_version) == (["set", "ended"], RULES_IN_FORCE.calendar_version)


def test_earlier_calendar_version_is_ignored() -> None:
    """A replica that reads a version late never returns to an older one."""
    rules = with_calendar(TUESDAYS_OFF, "9/QĐ")
    rules.use_calendar(VIETNAM, RULES_IN_FORCE.calendar_version, ())
    assert (rules.calendar, rules.calendar_version) == (TUESDAYS_OFF, 4)


def test_move_is_published_at_its_decision_at_the_earliest() -> None:
    """With a simulated clock, events are recorded from its first instant on; a move still follows its decision."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"), "2017-04-28 00:00")
    assert local(harness.published[-1].time) == "2017-11-06 11:00"
