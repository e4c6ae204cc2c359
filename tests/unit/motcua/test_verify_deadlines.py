"""What `motcua verify` says of clocks, above all of those that were derived by other rules than today's."""

from dataclasses import replace
from datetime import date
from typing import Any

from motcua.verification.deadlines import KeptClock, Rules, findings_of, moves_of
from services.sla.domain.rules import DerivationRules
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term
from tests.unit.sla.builders import at, dossier_events, with_exceptions
from tests.unit.sla.harness import RULES_IN_FORCE, TUESDAYS_OFF, ClockHarness, centre, with_calendar

NEW = replace(RULES_IN_FORCE, centre=centre(L_5=Term(1, "working_day")), digest="two")


MONDAY_OFF = with_exceptions(CalendarException(date(2017, 11, 6), "off", "decided"))


def found(events: list[AnyEnvelope], present: DerivationRules = NEW, *, told: Any = None, **row: Any) -> list[str]:
    """The sentences about a clock derived by the rules "one", where today's are those of `present`."""
    harness = ClockHarness().consume(*events)
    row_of = harness.row
    kept = KeptClock(row_of.state, row_of.due_at, row_of.waiting_for, row_of.rules_digest, row_of.calendar_version)
    rules = Rules(
        present.centre,
        present.calendar,
        present.digest,
        present.calendar_version,
        {RULES_IN_FORCE.calendar_version: RULES_IN_FORCE.calendar},
    )
    return [each.sentence for each in findings_of("key", events, replace(kept, **row), told or harness.last, rules)]


def settled() -> list[AnyEnvelope]:
    acts = dossier_events()
    return [acts.at("2017-11-06 07:00").received(), acts.at("2017-11-09 08:00").settled()]


def test_an_ended_clock_keeps_the_judgement_of_the_rules_of_its_time() -> None:
    """A later term or calendar judges no settlement anew, so nothing is wrong with what was told then."""
    assert found(settled()) == []


def test_an_ended_clock_of_older_rules_must_agree_with_what_was_told() -> None:
    """Its rules are not at hand, its event is: a due date changed in the row alone is found."""
    (text,) = found(settled(), due_at=at("2017-11-20 17:00"))
    assert "due 2017-11-20" in text
    assert "deadline.ended due 2017-11-10" in text


def test_an_ended_clock_of_todays_rules_is_derived_anew() -> None:
    """The judgement itself is held against the rules."""
    late = ClockHarness().consume(*settled()).last.model_copy(update={"outcome": "late"})
    assert found(settled(), RULES_IN_FORCE) == []
    assert found(settled(), RULES_IN_FORCE, told=late) == [
        "sla told deadline.ended due 2017-11-10T10:00:00+00:00 with outcome late, the rules give early"
    ]


def test_an_open_clock_of_older_rules_is_found() -> None:
    """Open clocks are derived again when the rules change; one that was not promises a date that nobody keeps."""
    assert found([dossier_events().at("2017-11-06 07:00").received()])


def test_an_ended_clock_that_waits_for_its_procedure_is_found_once_that_is_known() -> None:
    """Its settlement is judged later than it was told: by the rules of the day on which they are entered."""
    acts = dossier_events()
    events = [acts.at("2017-11-06 07:00").received("L.8"), acts.at("2017-11-20 07:00").settled()]
    assert found(events, replace(RULES_IN_FORCE, digest="two")) == []
    assert found(events, replace(RULES_IN_FORCE, centre=centre(L_8=Term(5, "working_day")), digest="two"))


def test_an_ended_clock_keeps_the_judgement_of_the_calendar_of_its_time() -> None:
    """A version of the calendar that came later judges it no more than a later term."""
    assert found(settled(), replace(RULES_IN_FORCE, calendar=MONDAY_OFF, calendar_version=4)) == []
    late = ClockHarness().consume(*settled()).last.model_copy(update={"outcome": "late"})
    (text,) = found(settled(), replace(RULES_IN_FORCE, calendar=MONDAY_OFF, calendar_version=4), told=late)
    assert "outcome late, the rules give early" in text


def test_a_moved_due_date_is_the_one_that_stands() -> None:
    """What was told last may be a move: its date is held against the rules like any other."""
    events = [dossier_events().at("2017-11-06 07:00").received()]
    harness, rules = ClockHarness().consume(*events), with_calendar(TUESDAYS_OFF, "9/QĐ")
    harness.rederive(rules)
    row: dict[str, Any] = {"due_at": harness.row.due_at, "calendar_version": 4}
    assert found(events, rules, told=harness.last, **row) == []
    wrong = harness.last.model_copy(update={"due_at": at("2017-11-20 17:00")})
    (text,) = found(events, rules, told=wrong, **row)
    assert "deadline.set due 2017-11-20" in text


def test_a_move_from_a_date_that_nobody_promised_is_found() -> None:
    """Both dates are kept, so the one before must be the one that was told."""
    harness = ClockHarness().consume(dossier_events().at("2017-11-06 07:00").received())
    harness.rederive(with_calendar(TUESDAYS_OFF, "9/QĐ"))
    course: list[Any] = [event.data for event in harness.published]
    assert moves_of("key", course) == []
    (finding,) = moves_of("key", [course[0], course[1].model_copy(update={"previous_due_at": at("2017-11-09 17:00")})])
    assert "a move from 2017-11-09" in finding.sentence
