"""What `motcua verify` says of clocks, above all of those that were derived by other rules than today's."""

from dataclasses import replace
from datetime import date
from typing import Any

from motcua.verification.deadlines import ClockRow, Rules, findings_of, moves_of
from services.sla.handlers import Clocks
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.calendar_rules import CalendarException
from shared.kernel.centre import Term
from tests.unit.sla.desk import CLOCKS, TUESDAYS_OFF, Desk, by, centre
from tests.unit.sla.given import Acts, at, with_exceptions

NEW = replace(CLOCKS, centre=centre(L_5=Term(1, "working_day")), rules="two")


MONDAY_OFF = with_exceptions(CalendarException(date(2017, 11, 6), "off", "decided"))


def found(events: list[AnyEnvelope], clocks: Clocks = NEW, *, told: Any = None, **row: Any) -> list[str]:
    """The sentences about a clock derived by the rules "one", where today's are those of `clocks`."""
    desk = Desk().hear(*events)
    row_of = desk.row
    kept = ClockRow(row_of.state, row_of.due_at, row_of.waiting_for, row_of.rules, row_of.calendar_version)
    rules = Rules(clocks.centre, clocks.calendar, clocks.rules, clocks.version, {CLOCKS.version: CLOCKS.calendar})
    return [each.sentence for each in findings_of("key", events, replace(kept, **row), told or desk.last, rules)]


def settled() -> list[AnyEnvelope]:
    acts = Acts()
    return [acts.receive("2017-11-06 07:00"), acts.settle("2017-11-09 08:00")]


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
    late = Desk().hear(*settled()).last.model_copy(update={"outcome": "late"})
    assert found(settled(), CLOCKS) == []
    assert found(settled(), CLOCKS, told=late) == [
        "sla told deadline.ended due 2017-11-10T10:00:00+00:00 with outcome late, the rules give early"
    ]


def test_an_open_clock_of_older_rules_is_found() -> None:
    """Open clocks are derived again when the rules change; one that was not promises a date that nobody keeps."""
    assert found([Acts().receive("2017-11-06 07:00")])


def test_an_ended_clock_that_waits_for_its_procedure_is_found_once_that_is_known() -> None:
    """Its settlement is judged later than it was told: by the rules of the day on which they are entered."""
    acts = Acts()
    events = [acts.receive("2017-11-06 07:00", "L.8"), acts.settle("2017-11-20 07:00")]
    assert found(events, replace(CLOCKS, rules="two")) == []
    assert found(events, replace(CLOCKS, centre=centre(L_8=Term(5, "working_day")), rules="two"))


def test_an_ended_clock_keeps_the_judgement_of_the_calendar_of_its_time() -> None:
    """A version of the calendar that came later judges it no more than a later term."""
    assert found(settled(), replace(CLOCKS, calendar=MONDAY_OFF, version=4)) == []
    late = Desk().hear(*settled()).last.model_copy(update={"outcome": "late"})
    (text,) = found(settled(), replace(CLOCKS, calendar=MONDAY_OFF, version=4), told=late)
    assert "outcome late, the rules give early" in text


def test_a_moved_due_date_is_the_one_that_stands() -> None:
    """What was told last may be a move: its date is held against the rules like any other."""
    events = [Acts().receive("2017-11-06 07:00")]
    desk, clocks = Desk().hear(*events), by(TUESDAYS_OFF, "9/QĐ")
    desk.rederive(clocks)
    row: dict[str, Any] = {"due_at": desk.row.due_at, "calendar_version": 4}
    assert found(events, clocks, told=desk.last, **row) == []
    wrong = desk.last.model_copy(update={"due_at": at("2017-11-20 17:00")})
    (text,) = found(events, clocks, told=wrong, **row)
    assert "deadline.set due 2017-11-20" in text


def test_a_move_from_a_date_that_nobody_promised_is_found() -> None:
    """Both dates are kept, so the one before must be the one that was told."""
    desk = Desk().hear(Acts().receive("2017-11-06 07:00"))
    desk.rederive(by(TUESDAYS_OFF, "9/QĐ"))
    course: list[Any] = [event.data for event in desk.told]
    assert moves_of("key", course) == []
    (finding,) = moves_of("key", [course[0], course[1].model_copy(update={"previous_due_at": at("2017-11-09 17:00")})])
    assert "a move from 2017-11-09" in finding.sentence
