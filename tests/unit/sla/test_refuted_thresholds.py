"""Retraction of thresholds of a due date that a changed calendar moves."""

from dataclasses import replace
from datetime import date, timedelta

from services.sla.domain.calendar import compile_calendar
from shared.contracts.deadlines import DeadlineRetractedV1
from shared.kernel.calendar_rules import CalendarException
from tests.support.dossier_events import DossierEvents
from tests.unit.sla.builders import RULES, dossier_events
from tests.unit.sla.harness import TUESDAYS_OFF, ClockHarness, with_calendar


def breached(dossier: DossierEvents) -> ClockHarness:
    """A clock of five working days from Monday 6 November 2017, breached at the end of Friday."""
    harness = ClockHarness().consume(dossier.at("2017-11-06 07:00").received()).tick("2017-11-11 08:00")
    assert harness.types() == ["set", "near", "reached", "breached"]
    return harness


def retracted(harness: ClockHarness) -> list[str]:
    """The event types of the retracted thresholds."""
    return [event.data.fired for event in harness.published if isinstance(event.data, DeadlineRetractedV1)]


def test_paused_clock_retracts_thresholds_when_its_due_date_moves_after_the_pause() -> None:
    """The clock is then not late: it is paused with time left."""
    dossier = dossier_events()
    harness = breached(dossier).consume(dossier.at("2017-11-13 08:00").supplement_required())
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"), "2017-11-13 09:00")
    assert retracted(harness) == ["deadline.reached", "deadline.breached"]
    assert harness.types()[-1] == "paused"


def test_late_clock_fires_thresholds_of_the_moved_due_date() -> None:
    """The clock is late by another due date: thresholds of the first are retracted, those of the second fire."""
    dossier = dossier_events()
    harness = breached(dossier).consume(dossier.at("2017-11-20 08:00").supplement_required())
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"), "2017-11-20 09:00")
    harness.tick("2017-11-20 10:00")
    assert retracted(harness).count("deadline.breached") == 1
    assert {each.anchor_at for each in harness.row.fired_thresholds() if each.level == "breached"} == {
        harness.row.due_at
    }


def test_reopened_clock_retracts_thresholds_that_the_changed_calendar_refutes() -> None:
    """Late by the calendar of its settlement, the dossier is not late by the calendar of its reopening."""
    dossier = dossier_events()
    harness = breached(dossier).consume(dossier.at("2017-11-13 08:00").settled())
    harness.rules = with_calendar(TUESDAYS_OFF, "9/QĐ")
    harness.consume(dossier.at("2017-11-13 10:00").reopened(), dossier.at("2017-11-13 11:00").settled())
    assert retracted(harness) == ["deadline.reached", "deadline.breached"]
    assert harness.last.outcome == "early"


def test_waiting_clock_retracts_thresholds_of_its_previous_due_date() -> None:
    """Without a due date, no threshold of a due date has passed."""
    dossier = dossier_events()
    idle = tuple(CalendarException(date(2017, 11, 7) + timedelta(days=n), "off", "decided") for n in range(400))
    calendar = compile_calendar(replace(RULES, exceptions=(*RULES.exceptions, *idle)))
    harness = breached(dossier)
    harness.rederive(with_calendar(calendar, "9/QĐ"), "2017-11-11 09:00")
    assert retracted(harness) == ["deadline.reached", "deadline.breached"]
    assert harness.types()[-1] == "waiting"
