"""What `motcua verify` says of thresholds: told once, not before their time, remembered by the row, none forgotten."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from motcua.verification.deadlines import KeptClock, Rules, thresholds_of
from services.sla.domain.thresholds import Threshold
from shared.contracts.envelope import AnyEnvelope
from tests.support.dossier_events import DossierEvents
from tests.unit.sla.builders import CENTRE, at, dossier_events
from tests.unit.sla.harness import RULES_IN_FORCE, ClockHarness

_LOCAL = "%Y-%m-%d %H:%M"
SOON, LATE = at("2017-11-06 12:00"), at("2017-12-01 12:00")
RULES = Rules(RULES_IN_FORCE.centre, RULES_IN_FORCE.calendar, RULES_IN_FORCE.digest, RULES_IN_FORCE.calendar_version)


def found(
    acts: DossierEvents,
    harness: ClockHarness,
    *,
    until: datetime = SOON,
    told: Sequence[AnyEnvelope] | None = None,
    **row: Any,
) -> list[str]:
    """The sentences about the harness's clock where sla was at work at `until`."""
    kept = KeptClock(
        harness.row.state,
        harness.row.due_at,
        harness.row.waiting_for,
        harness.row.rules_digest,
        harness.row.calendar_version,
        harness.row.fired_thresholds(),
        harness.row.next_threshold_at,
    )
    events = harness.published if told is None else told
    return [each.sentence for each in thresholds_of("key", acts.events, replace(kept, **row), events, RULES, until)]


def breached() -> tuple[DossierEvents, ClockHarness]:
    """A clock of five days that ran out: near, reached and breached were told, the escalation comes."""
    acts = dossier_events()
    harness = ClockHarness().consume(acts.at("2017-11-06 07:00").received()).tick("2017-11-13 00:00")
    assert harness.types() == ["set", "near", "reached", "breached"]
    return acts, harness


def test_what_was_told_in_its_time_is_right() -> None:
    """With more of them told, and once the clock has ended."""
    acts, harness = breached()
    assert found(acts, harness) == []
    harness.tick("2017-12-01 00:00")
    assert harness.types()[-1] == "escalated"
    assert found(acts, harness, until=LATE) == []
    harness.consume(acts.at("2017-12-01 08:00").settled())
    assert found(acts, harness, until=LATE) == []


def test_a_threshold_that_should_have_been_told_is_found() -> None:
    """Its row waits for it, and sla was at work long after it came; a quarantined record may be why, and is told
    elsewhere."""
    acts, harness = breached()
    (text,) = found(acts, harness, until=LATE)
    assert text.startswith("escalated (1) of 2017-11-10")
    assert text.endswith("and was not told")
    assert found(acts, harness, until=LATE, held=True) == []


def test_a_threshold_that_nobody_waits_for_is_found() -> None:
    """The row that lost its next instant would never tell it, and one with another instant tells it then."""
    acts, harness = breached()
    (text,) = found(acts, harness, next_at=None)
    assert "tells the next threshold at no time, the rules give 2017-11-1" in text
    (text,) = found(acts, harness, next_at=LATE)
    assert "tells the next threshold at 2017-12-01" in text


def test_a_row_that_forgot_or_invents_what_was_told_is_found() -> None:
    """It would be told again, or never."""
    acts, harness = breached()
    fired = harness.row.fired_thresholds()
    assert found(acts, harness, fired=fired[:-1]) == [
        "breached of 2017-11-10T10:00:00+00:00 was told and sla's row does not know it"
    ]
    texts = found(acts, harness, told=[event for event in harness.published if not event.type.endswith("reached")])
    assert "sla's row says that reached of 2017-11-10T10:00:00+00:00 was told, no event does" in texts
    (text,) = found(acts, harness, fired=[*fired[:-1], fired[-1]._replace(at=LATE)])
    assert "came at 2017-12-01" in text


def test_a_threshold_told_twice_or_too_early_is_found() -> None:
    """Each once per due date, never before its instant; a retraction of what did not stand."""
    acts, harness = breached()
    assert "sla told breached of 2017-11-10T10:00:00+00:00 twice" in found(
        acts, harness, told=[*harness.published, harness.published[-1]]
    )
    early = harness.published[-1].model_copy(update={"recordedtime": at("2017-11-10 17:00")})
    assert any("before it had come" in text for text in found(acts, harness, told=[*harness.published[:-1], early]))


def test_a_date_that_is_told_as_breached_on_another_day_is_found() -> None:
    """Row and event agree with each other, and not with the rules."""
    acts, harness = breached()
    moved = at("2017-11-12 00:00")
    data = harness.published[-1].data.model_copy(update={"threshold_at": moved})
    told = [*harness.published[:-1], harness.published[-1].model_copy(update={"data": data})]
    fired: list[Threshold] = [
        *harness.row.fired_thresholds()[:-1],
        harness.row.fired_thresholds()[-1]._replace(at=moved),
    ]
    (text,) = found(acts, harness, told=told, fired=fired)
    assert text.startswith("sla told breached of 2017-11-10")
    assert "the rules give 2017-11-10T17:00" in text


def test_an_act_recorded_late_takes_back_what_was_told_and_nothing_is_wrong() -> None:
    """A threshold that was not so, since the dossier had been paused before it."""
    acts = dossier_events()
    harness = ClockHarness().consume(acts.at("2017-11-06 07:00").received()).tick("2017-11-10 07:00")
    harness.consume(acts.at("2017-11-08 08:00", recorded="2017-11-10 08:00").supplement_required())
    assert harness.types() == ["set", "near", "retracted", "paused"]
    assert found(acts, harness) == []
    again = [*harness.published, harness.published[2]]
    assert any("took back near" in text and "did not stand" in text for text in found(acts, harness, told=again))


@given(course=st.lists(st.tuples(st.integers(1, 400), st.booleans()), min_size=1, max_size=8))
@settings(deadline=None)
def test_no_course_that_the_rules_allow_is_wrong(course: list[tuple[int, bool]]) -> None:
    """Ticks at any time, pauses and resumes between them."""
    acts, now, paused = dossier_events(), datetime(2017, 11, 6, 8, tzinfo=CENTRE.zone), False
    harness = ClockHarness().consume(acts.at(f"{now:{_LOCAL}}").received())
    for hours, turns in course:
        now = min(now + timedelta(hours=hours), datetime(2018, 1, 20, tzinfo=CENTRE.zone))
        when = f"{now:{_LOCAL}}"
        harness.tick(when)
        assert found(acts, harness, until=now) == []
        if turns:
            harness.consume(acts.at(when).supplement_received() if paused else acts.at(when).supplement_required())
            paused = not paused
            assert found(acts, harness, until=now) == []
