"""`motcua verify` on thresholds: published once, not too early, stored in the row, and none missing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from motcua.verification.deadlines import ClockRow, Rules, thresholds_of
from motcua.verification.thresholds import outside_working_time, published_thresholds
from services.sla.domain.thresholds import Threshold
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.calendar_rules import CalendarException
from tests.support.dossier_events import DossierEvents
from tests.unit.sla.builders import CENTRE, at, dossier_events, with_exceptions
from tests.unit.sla.harness import RULES_IN_FORCE, ClockHarness

_LOCAL = "%Y-%m-%d %H:%M"
SOON, NIGHT, LATE = at("2017-11-06 12:00"), at("2017-11-15 20:00"), at("2017-12-01 12:00")
RULES = Rules(RULES_IN_FORCE.centre, RULES_IN_FORCE.calendar, RULES_IN_FORCE.digest, RULES_IN_FORCE.calendar_version)


def found(
    acts: DossierEvents,
    harness: ClockHarness,
    *,
    until: datetime = SOON,
    events: Sequence[AnyEnvelope] | None = None,
    **row: Any,
) -> list[str]:
    """The sentences about the clock's thresholds, where sla has published everything before `until`."""
    stored = ClockRow(
        harness.row.state,
        harness.row.due_at,
        harness.row.waiting_for,
        harness.row.rules_digest,
        harness.row.calendar_version,
        harness.row.fired_thresholds(),
        harness.row.next_threshold_at,
    )
    events = harness.published if events is None else events
    return [each.sentence for each in thresholds_of("key", acts.events, replace(stored, **row), events, RULES, until)]


def breached() -> tuple[DossierEvents, ClockHarness]:
    """A breached clock of five days: near, reached and breached are published, the escalation is next."""
    acts = dossier_events()
    harness = ClockHarness().consume(acts.at("2017-11-06 07:00").received()).tick("2017-11-13 00:00")
    assert harness.types() == ["set", "near", "reached", "breached"]
    return acts, harness


def test_thresholds_published_on_time_are_correct() -> None:
    """There is no finding at any time, nor after the clock has ended."""
    acts, harness = breached()
    assert found(acts, harness) == []
    harness.tick("2017-12-01 00:00")
    assert harness.types()[-1] == "escalated"
    assert found(acts, harness, until=LATE) == []
    harness.consume(acts.at("2017-12-01 08:00").settled())
    assert found(acts, harness, until=LATE) == []


def test_missing_threshold_is_found() -> None:
    """A threshold reached long ago but not published is found, unless a record of the dossier is quarantined."""
    acts, harness = breached()
    (text,) = found(acts, harness, until=LATE)
    assert text.startswith("escalated (1) of 2017-11-10")
    assert text.endswith("but not published.")
    assert found(acts, harness, until=LATE, quarantined=True) == []


def test_wrong_next_threshold_in_the_row_is_found() -> None:
    """With no or a wrong next instant in its row, sla would never publish a threshold, or publish it late."""
    acts, harness = breached()
    (text,) = found(acts, harness, next_at=None)
    assert "has no instant as next threshold, but the rules give 2017-11-1" in text
    (text,) = found(acts, harness, next_at=LATE)
    assert "as next threshold" in text
    assert "sla's row has 2017-12-01" in text


def test_row_that_differs_from_published_thresholds_is_found() -> None:
    """With such a row, sla would publish a threshold again, or never."""
    acts, harness = breached()
    fired = harness.row.fired_thresholds()
    assert found(acts, harness, fired=fired[:-1]) == [
        "breached of 2017-11-10T10:00:00+00:00 was published, but is missing from sla's row."
    ]
    texts = found(acts, harness, events=[event for event in harness.published if not event.type.endswith("reached")])
    assert "reached of 2017-11-10T10:00:00+00:00 is in sla's row, but was not published." in texts
    (text,) = found(acts, harness, fired=[*fired[:-1], fired[-1]._replace(at=LATE)])
    assert "at 2017-12-01" in text


def test_threshold_published_twice_or_too_early_is_found() -> None:
    """A threshold is published once per due date, and not before its instant."""
    acts, harness = breached()
    assert "sla published breached of 2017-11-10T10:00:00+00:00 twice." in found(
        acts, harness, events=[*harness.published, harness.published[-1]]
    )
    early = harness.published[-1].model_copy(update={"recordedtime": at("2017-11-10 17:00")})
    assert any("too early" in text for text in found(acts, harness, events=[*harness.published[:-1], early]))


def test_threshold_on_a_wrong_day_is_found() -> None:
    """Row and event have the same instant, but the rules give another one."""
    acts, harness = breached()
    moved = at("2017-11-12 00:00")
    data = harness.published[-1].data.model_copy(update={"threshold_at": moved})
    events = [*harness.published[:-1], harness.published[-1].model_copy(update={"data": data})]
    *before, last = harness.row.fired_thresholds()
    fired: list[Threshold] = [*before, last._replace(at=moved)]
    (text,) = found(acts, harness, events=events, fired=fired)
    assert text.startswith("sla published breached of 2017-11-10")
    assert "the rules give 2017-11-10T17:00" in text


def test_near_outside_working_time_is_found() -> None:
    """Resumed on Wednesday at 20:00 with 8 h left, a clock is near on Thursday at 07:00, and not at 20:00."""
    acts = dossier_events()
    harness = ClockHarness().consume(
        acts.at("2017-11-06 07:00").received(),
        acts.at("2017-11-10 08:00").supplement_required(),
        acts.at("2017-11-15 20:00").supplement_received(),
    )
    harness.tick("2017-11-16 07:00")
    assert (harness.types()[-1], found(acts, harness)) == ("near", [])
    data = harness.published[-1].data.model_copy(update={"threshold_at": NIGHT})
    events = [*harness.published[:-1], harness.published[-1].model_copy(update={"data": data})]
    *before, last = harness.row.fired_thresholds()
    fired = [*before, last._replace(at=NIGHT)]
    expected = "sla published near of 2017-11-16T09:00:00+00:00 outside working time, for 2017-11-15T13:00:00+00:00."
    assert found(acts, harness, events=events, fired=fired) == [expected]
    assert found(acts, harness, events=events, fired=fired, rules="former") == []


def test_warning_in_working_time_of_an_earlier_calendar_version_is_correct() -> None:
    """An escalation was published on Monday 13; that the day was off was decided later."""
    _, harness = breached()
    harness.tick("2017-11-13 17:00")
    assert harness.types()[-1] == "escalated"
    off = with_exceptions(CalendarException(date(2017, 11, 13), "off", "decided"))
    published = published_thresholds(harness.published)
    assert outside_working_time(published, [off, RULES.calendar]) == []
    assert outside_working_time(published, [off]) == [
        "sla published escalated (1) of 2017-11-10T10:00:00+00:00 outside working time, for 2017-11-13T10:00:00+00:00."
    ]


def test_retraction_after_a_late_record_is_correct() -> None:
    """A pause that is recorded late retracts a threshold; a second retraction is found."""
    acts = dossier_events()
    harness = ClockHarness().consume(acts.at("2017-11-06 07:00").received()).tick("2017-11-10 07:00")
    harness.consume(acts.at("2017-11-08 08:00", recorded="2017-11-10 08:00").supplement_required())
    assert harness.types() == ["set", "near", "retracted", "paused"]
    assert found(acts, harness) == []
    texts = found(acts, harness, events=[*harness.published, harness.published[2]])
    assert any("retracted near" in text and "was not published" in text for text in texts)


@given(course=st.lists(st.tuples(st.integers(1, 400), st.booleans()), min_size=1, max_size=8))
@settings(deadline=None)
def test_course_allowed_by_the_rules_has_no_findings(course: list[tuple[int, bool]]) -> None:
    """Ticks at any time, with pauses and resumes between them, give no finding."""
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
