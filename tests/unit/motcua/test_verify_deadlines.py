"""`motcua verify` on clocks, also those derived by former rules."""

from dataclasses import replace
from datetime import date
from typing import Any

from motcua.verification.deadlines import ClockRow, Rules, findings_of, moves_of
from services.sla.domain.rules import DerivationRules
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term
from tests.unit.sla.builders import at, dossier_events, with_exceptions
from tests.unit.sla.harness import RULES_IN_FORCE, TUESDAYS_OFF, ClockHarness, centre, with_calendar

NEW = replace(RULES_IN_FORCE, centre=centre(L_5=Term(1, "working_day")), digest="two")


MONDAY_OFF = with_exceptions(CalendarException(date(2017, 11, 6), "off", "decided"))


def found(events: list[AnyEnvelope], clocks: DerivationRules = NEW, *, last: Any = None, **row: Any) -> list[str]:
    """The sentences about a clock derived by the rules "one"; the current rules are those of `clocks`."""
    harness = ClockHarness().consume(*events)
    row_of = harness.row
    stored = ClockRow(row_of.state, row_of.due_at, row_of.waiting_for, row_of.rules_digest, row_of.calendar_version)
    rules = Rules(
        clocks.centre,
        clocks.calendar,
        clocks.digest,
        clocks.calendar_version,
        {RULES_IN_FORCE.calendar_version: RULES_IN_FORCE.calendar},
    )
    return [each.sentence for each in findings_of("key", events, replace(stored, **row), last or harness.last, rules)]


def settled() -> list[AnyEnvelope]:
    acts = dossier_events()
    return [acts.at("2017-11-06 07:00").received(), acts.at("2017-11-09 08:00").settled()]


def test_ended_clock_keeps_the_outcome_of_its_rules() -> None:
    """A later term or calendar does not change the outcome of an ended clock, so there is no finding."""
    assert found(settled()) == []


def test_ended_clock_of_former_rules_differs_from_its_event() -> None:
    """Former rules are not available, but the event is: a due date changed only in the row is found."""
    (text,) = found(settled(), due_at=at("2017-11-20 17:00"))
    assert "due 2017-11-20" in text
    assert "deadline.ended due 2017-11-10" in text


def test_ended_clock_of_current_rules_is_derived_again() -> None:
    """The published outcome is compared with the rules."""
    late = ClockHarness().consume(*settled()).last.model_copy(update={"outcome": "late"})
    assert found(settled(), RULES_IN_FORCE) == []
    assert found(settled(), RULES_IN_FORCE, last=late) == [
        "sla published deadline.ended due 2017-11-10T10:00:00+00:00 with outcome late, but the rules give early."
    ]


def test_open_clock_of_former_rules_is_found() -> None:
    """Open clocks are derived again when the rules change; one that was not is found."""
    assert found([dossier_events().at("2017-11-06 07:00").received()])


def test_ended_clock_without_known_procedure_is_found_when_it_is_known() -> None:
    """The outcome follows from the terms of the settlement's day, once they are entered."""
    acts = dossier_events()
    events = [acts.at("2017-11-06 07:00").received("L.8"), acts.at("2017-11-20 07:00").settled()]
    assert found(events, replace(RULES_IN_FORCE, digest="two")) == []
    assert found(events, replace(RULES_IN_FORCE, centre=centre(L_8=Term(5, "working_day")), digest="two"))


def test_ended_clock_keeps_the_outcome_of_its_calendar() -> None:
    """A later version of the calendar does not change the outcome of an ended clock."""
    assert found(settled(), replace(RULES_IN_FORCE, calendar=MONDAY_OFF, calendar_version=4)) == []
    late = ClockHarness().consume(*settled()).last.model_copy(update={"outcome": "late"})
    (text,) = found(settled(), replace(RULES_IN_FORCE, calendar=MONDAY_OFF, calendar_version=4), last=late)
    assert "outcome late, but the rules give early" in text


def test_moved_due_date_is_compared_with_the_rules() -> None:
    """The last event may be a move; its due date is compared with the rules like any other."""
    events = [dossier_events().at("2017-11-06 07:00").received()]
    harness, clocks = ClockHarness().consume(*events), with_calendar(TUESDAYS_OFF, "9/QĐ")
    harness.rederive(clocks)
    row: dict[str, Any] = {"due_at": harness.row.due_at, "calendar_version": 4}
    assert found(events, clocks, last=harness.last, **row) == []
    wrong = harness.last.model_copy(update={"due_at": at("2017-11-20 17:00")})
    (text,) = found(events, clocks, last=wrong, **row)
    assert "deadline.set due 2017-11-20" in text


def test_move_from_an_unpublished_date_is_found() -> None:
    """The previous due date of a move must be the one that was published before."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"))
    course: list[Any] = [event.data for event in harness.published]
    assert moves_of("key", course) == []
    (finding,) = moves_of("key", [course[0], course[1].model_copy(update={"previous_due_at": at("2017-11-09 17:00")})])
    assert "a move from 2017-11-09" in finding.sentence
