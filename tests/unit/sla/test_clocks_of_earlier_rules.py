"""Open clocks of an earlier release, whose rules gave other due dates or thresholds, are derived again at the start."""

from dataclasses import replace

import pytest

from services.sla.domain import rules
from services.sla.domain.rules import DerivationRules, catalogue_digest
from services.sla.domain.thresholds import Threshold
from shared.contracts.deadlines import DeadlineRetractedV1
from shared.kernel.centre import Term
from tests.unit.sla.builders import at, dossier_events, local
from tests.unit.sla.harness import RULES_IN_FORCE, ClockHarness, centre

CENTRE = centre(L_2=Term(2, "working_day"), L_9=Term(5, "calendar_day"))
EARLIER, PRESENT = (replace(RULES_IN_FORCE, centre=CENTRE, digest=name) for name in ("earlier", "present"))


def test_digest_depends_on_the_version_of_the_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same catalogue has another digest if the code derives deadlines by other rules."""
    present = catalogue_digest(CENTRE)
    assert catalogue_digest(CENTRE) == present
    monkeypatch.setattr(rules, "DERIVATION_VERSION", rules.DERIVATION_VERSION + 1)
    assert catalogue_digest(CENTRE) != present


def resumed_at_night() -> ClockHarness:
    """A clock of two days that was resumed on Wednesday 8 at 20:00 with 1 h left: near then, by the earlier rule."""
    acts = dossier_events()
    harness = ClockHarness(EARLIER).consume(
        acts.at("2017-11-06 07:00").received("L.2"),
        acts.at("2017-11-07 16:00").supplement_required(),
        acts.at("2017-11-08 20:00").supplement_received(),
    )
    harness.row.next_threshold_at = at("2017-11-08 20:00")
    return harness


def derived_again(harness: ClockHarness, rules: DerivationRules, when: str) -> list[str]:
    """The types of the events that deriving the clock again publishes."""
    published = len(harness.types())
    harness.rederive(rules, when)
    return harness.types()[published:]


def test_near_that_waits_at_night_is_moved() -> None:
    """Its instant in the row is replaced before the ticker publishes it."""
    harness = resumed_at_night()
    assert derived_again(harness, PRESENT, "2017-11-08 19:00") == []
    assert local(harness.row.next_threshold_at) == "2017-11-09 07:00"
    harness = resumed_at_night()
    harness.rules = PRESENT
    published = len(harness.types())
    assert harness.tick("2017-11-08 23:00").types()[published:] == []
    assert harness.tick("2017-11-09 07:00").types()[published:] == ["near"]


def test_near_published_at_night_is_neither_retracted_nor_repeated() -> None:
    """It stays published, and is not published for the same due date at the next window."""
    harness = resumed_at_night()
    fired = harness.row.fired_thresholds()
    due_at = harness.row.due_at
    assert due_at is not None
    harness.row.set_fired([*fired, Threshold("near", due_at, at("2017-11-08 20:00"))])
    assert derived_again(harness, PRESENT, "2017-11-08 22:00") == []
    published = len(harness.types())
    assert harness.tick("2017-11-09 09:00").types()[published:] == ["reached"]


def test_clock_that_was_resumed_overdue_gets_its_due_date_and_retracts_the_breach() -> None:
    """By the earlier rule it was due on Monday 13, and breached at the resumption; by the present one, on Wednesday."""
    acts = dossier_events()
    harness = ClockHarness(EARLIER).consume(
        acts.at("2017-11-06 07:00").received("L.9"),
        acts.at("2017-11-12 10:00").supplement_required(),
        acts.at("2017-11-14 10:00").supplement_received(),
    )
    former = at("2017-11-13 17:00")
    harness.row.due_at, harness.row.published_digest = former, "earlier"
    harness.row.set_fired([Threshold("reached", former, former), Threshold("breached", former, at("2017-11-14 00:00"))])
    assert derived_again(harness, PRESENT, "2017-11-14 12:00") == ["retracted", "retracted", "set"]
    retracted = [each.data.fired for each in harness.published if isinstance(each.data, DeadlineRetractedV1)]
    assert (retracted, local(harness.last.due_at)) == (["deadline.reached", "deadline.breached"], "2017-11-15 17:00")
    published = len(harness.types())
    assert harness.tick("2017-11-16 00:00").types()[published:] == ["near", "reached", "breached"]
