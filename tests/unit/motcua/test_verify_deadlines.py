"""What `motcua verify` says of clocks, above all of those that were derived by other rules than today's."""

from dataclasses import replace
from typing import Any

from motcua.verify.deadlines import KeptClock, Rules, findings_of
from services.sla.handlers import Clocks
from shared.contracts.envelope import AnyFact
from shared.kernel.centre import Term
from tests.unit.sla.desk import CLOCKS, Desk, centre
from tests.unit.sla.given import Acts, at

NEW = replace(CLOCKS, centre=centre(L_5=Term(1, "working_day")), rules="two")


def found(facts: list[AnyFact], clocks: Clocks = NEW, *, told: Any = None, **row: Any) -> list[str]:
    """The sentences about a clock derived by the rules "one", where today's are those of `clocks`."""
    desk = Desk().hear(*facts)
    kept = KeptClock(desk.row.state, desk.row.due_at, desk.row.waiting_for, desk.row.rules)
    rules = Rules(clocks.centre, clocks.calendar, clocks.rules)
    return [each.sentence for each in findings_of("key", facts, replace(kept, **row), told or desk.last, rules)]


def settled() -> list[AnyFact]:
    acts = Acts()
    return [acts.receive("2017-11-06 07:00"), acts.settle("2017-11-09 08:00")]


def test_an_ended_clock_keeps_the_judgement_of_the_rules_of_its_time() -> None:
    """A later term or calendar judges no settlement anew, so nothing is wrong with what was told then."""
    assert found(settled()) == []


def test_an_ended_clock_of_older_rules_must_agree_with_what_was_told() -> None:
    """Its rules are not at hand, its fact is: a due date changed in the row alone is found."""
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
    facts = [acts.receive("2017-11-06 07:00", "L.8"), acts.settle("2017-11-20 07:00")]
    assert found(facts, replace(CLOCKS, rules="two")) == []
    assert found(facts, replace(CLOCKS, centre=centre(L_8=Term(5, "working_day")), rules="two"))
