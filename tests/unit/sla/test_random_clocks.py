"""Seeded random lives of clocks: with any acts and changed calendars, published thresholds stay true."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.sla.domain.calendar import compile_calendar
from services.sla.domain.calendar_changes import unaffected_clocks
from services.sla.domain.rules import CalendarVersion, DerivationRules
from services.sla.domain.thresholds import pending
from shared.contracts.deadlines import (
    DeadlineAtRiskV1,
    DeadlineEscalatedV1,
    DeadlineNearV1,
    DeadlinePauseExceededV1,
    DeadlineRetractedV1,
    ThresholdEvent,
)
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.calendar_rules import CalendarException, CalendarRules, Kind
from shared.kernel.centre import ProcedureStep, Term
from tests.unit.sla.builders import RULES, ZONE, at, dossier_events
from tests.unit.sla.harness import ClockHarness, centre

_SPAN = (date(2017, 1, 1), date(2018, 12, 31))
_RULES = replace(
    RULES,
    first_date=_SPAN[0],
    last_date=_SPAN[1],
    exceptions=tuple(each for each in RULES.exceptions if _SPAN[0] <= each.on <= _SPAN[1]),
)
_COMPILED = compile_calendar(_RULES)
_TERMS = (
    Term(5, "working_day"),
    Term(2, "working_day"),
    Term(12, "working_hour"),
    Term(7, "calendar_day"),
    Term(0, "same_day"),
    Term(3, "working_day", "by_days"),
    None,
)
_KINDS: tuple[Kind, ...] = ("off", "half_day", "working")


class _Life:
    """One dossier's random life. `wall` is the time of recording, `at` the instant of the last act."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.dossier = dossier_events()
        self.harness = ClockHarness(_rules_in_force(random))
        self.calendar: CalendarRules = _RULES
        self.compiled = [_COMPILED]
        self.at = self.wall = at("2017-11-06 00:00") + timedelta(minutes=random.randint(0, 7 * 1440))
        self.step = 1
        self.unaffected = self.without_deadline = 0
        self.harness.consume(self.dossier.at(_local(self.at)).received("L.9"))
        self.acts_by_state: dict[str, tuple[Callable[[str], AnyEnvelope | None], ...]] = {
            "running": (self._pause, self._extend, self._pass_on, self._settle, self._note),
            "paused": (self._resume, self._note),
            "settled": (self._reopen, self._note),
        }
        self.state = "running"

    def run(self) -> ClockHarness:
        """Play the whole life and return the harness."""
        for _ in range(self.random.randint(1, 14)):
            later = timedelta(minutes=self.random.choice((0, 5, 60, 600, 1440, 3000, 8000)))
            self.wall = max(self.wall, self.at) + later
            if self.random.random() < 0.4:
                self.harness.tick(_local(self.wall))
                self._compare_thresholds()
            if self.random.random() < 0.25:
                self._change_calendar()
            happened = max(self.at, self.wall - timedelta(minutes=self.random.choice((0, 0, 0, 30, 600, 1000))))
            event = self.random.choice(self.acts_by_state[self.state])(_local(happened))
            if event is not None:
                self.at = happened
                self.harness.consume(event.model_copy(update={"recordedtime": self.wall}))
        end = _local(max(self.wall, self.at))
        self.harness.rederive(self.harness.rules, end)
        return self.harness.tick(end)

    def _compare_thresholds(self) -> None:
        """Compare the thresholds derived from the row alone with those derived from all its changes."""
        row, clocks = self.harness.row, self.harness.clocks
        if row.next_threshold_at is not None:
            fired = row.fired_thresholds()
            steps = clocks.steps(row)
            deadline, found = clocks.current_thresholds(row, steps)
            assert pending(found, fired) == pending(clocks.thresholds(row, clocks.deadline(row), steps), fired)
            self.without_deadline += deadline is None

    def _change_calendar(self) -> None:
        day, kind = date(2017, 11, 6) + timedelta(days=self.random.randint(0, 40)), self.random.choice(_KINDS)
        windows = self.calendar.windows if kind == "working" else ()
        added = CalendarException(day, kind, "decided", windows, "by random", "9/QĐ", self.wall)
        self.calendar = replace(self.calendar, exceptions=(*self.calendar.exceptions, added))
        rules = self.harness.rules
        version = CalendarVersion(
            rules.calendar_version + 1, "9/QĐ", self.wall, len(self.calendar.exceptions), self.calendar.last_date
        )
        self.compiled.append(compile_calendar(self.calendar))
        changed = replace(
            rules,
            calendar=self.compiled[-1],
            calendar_version=version.number,
            history=(*rules.history, version),
        )
        if self.random.random() < 0.7:
            self._rederive(rules, changed)
        self.harness.rules = changed

    def _rederive(self, rules: DerivationRules, changed: DerivationRules) -> None:
        """Derive by the changed calendar; a clock that the sweep would skip must give the same row and no event."""
        row, published = self.harness.row, len(self.harness.published)
        before, unaffected = deepcopy(row), False
        candidates = unaffected_clocks(rules.calendar.rules, changed.calendar, changed.longest_escalation)
        if candidates is not None and row.received_at is not None and row.calendar_version == rules.calendar_version:
            extended = any(event.kind == "extended" for event in row.clock_changes())
            due_at = row.due_at if row.state == "running" and row.waiting_for is None and not extended else None
            early = due_at is not None and candidates.due_before is not None and due_at < candidates.due_before
            unaffected = early or row.received_at >= candidates.received_from
        self.harness.rederive(changed, _local(self.wall))
        if unaffected and before.state != "ended":
            self.unaffected += 1
            assert replace(row, calendar_version=before.calendar_version) == before
            assert len(self.harness.published) == published

    def _pause(self, when: str) -> AnyEnvelope:
        self.state = "paused"
        return self.dossier.at(when).supplement_required()

    def _resume(self, when: str) -> AnyEnvelope:
        self.state = "running"
        return self.dossier.at(when).supplement_received()

    def _extend(self, when: str) -> AnyEnvelope | None:
        due_at = self.harness.row.due_at  # as intake checks it
        if due_at is None or at(when) >= due_at:
            return None
        return self.dossier.at(when).extended(self.random.randint(1, 3))

    def _pass_on(self, when: str) -> AnyEnvelope:
        self.step += 1
        return self.dossier.at(when).step_begun(self.step)

    def _settle(self, when: str) -> AnyEnvelope:
        self.state = "settled"
        return self.dossier.at(when).settled()

    def _reopen(self, when: str) -> AnyEnvelope:
        self.state = "running"
        return self.dossier.at(when).reopened()

    def _note(self, when: str) -> AnyEnvelope:
        return self.dossier.at(when).step_recorded()


def _rules_in_force(random: Random) -> DerivationRules:
    in_steps = tuple(
        ProcedureStep(
            valid_from=_SPAN[0],
            decision="07/QĐ",
            procedure="L.9",
            number=number,
            department=department,
            term=Term(random.choice((4, 8, 16)), "working_hour"),
        )
        for number, department in enumerate(("STP", "STC", "CA"), start=1)
    )
    found = replace(centre(L_9=random.choice(_TERMS)), steps={"L.9": in_steps if random.random() < 0.6 else ()})
    first = CalendarVersion(1, "03/QĐ", at("2017-01-01 00:00"), len(_RULES.exceptions), _RULES.last_date)
    return DerivationRules(found, _COMPILED, 1, "one", (first,))


def _local(instant: datetime) -> str:
    return instant.astimezone(ZONE).replace(tzinfo=None).isoformat(sep=" ")


def _unretracted(harness: ClockHarness) -> set[tuple[str, int, datetime]]:
    """The thresholds published and not retracted; none is published twice without a retraction in between."""
    unretracted: set[tuple[str, int, datetime]] = set()
    for envelope in harness.published:
        match envelope.data:
            case DeadlineRetractedV1() as back:
                unretracted.remove((back.fired, back.level or 0, back.due_at))
            case DeadlinePauseExceededV1() as event:
                assert (event.TYPE, 0, event.paused_at) not in unretracted
                unretracted.add((event.TYPE, 0, event.paused_at))
            case ThresholdEvent() as event:
                step = event.level if isinstance(event, DeadlineEscalatedV1) else 0
                step = event.step if isinstance(event, DeadlineAtRiskV1) else step
                assert (event.TYPE, step, event.due_at) not in unretracted
                unretracted.add((event.TYPE, step, event.due_at))
    return unretracted


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1_000_000))
def test_published_thresholds_stay_true(seed: int) -> None:
    """Each threshold is published and retracted in turn, event ids are unique, and breached are exactly the late."""
    harness = _Life(Random(seed)).run()
    breached = {due_at for what, _, due_at in _unretracted(harness) if what == "deadline.breached"}
    deadline = harness.clocks.deadline(harness.row)
    assert len({event.id for event in harness.published}) == len(harness.published)
    if harness.row.calendar_version != harness.rules.calendar_version:
        return  # settled by the calendar of its time, which this derivation does not use
    assert breached <= {deadline.due_at}
    if deadline.ended == "settled" and deadline.due_at is not None:
        assert (deadline.outcome == "late") == (deadline.due_at in breached)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1_000_000))
def test_warnings_are_published_in_working_time(seed: int) -> None:
    """Each near and escalation is in working time, or at a closing time, by a calendar that was in force."""
    life = _Life(Random(seed))
    for envelope in life.run().published:
        if isinstance(envelope.data, DeadlineNearV1 | DeadlineEscalatedV1):
            assert any(each.worktime.is_working_time(envelope.data.threshold_at) for each in life.compiled)


def test_unaffected_clocks_are_derived_alike() -> None:
    """Enough lives reach the assertions in `_rederive` and in `_compare_thresholds`."""
    lives = [_Life(Random(seed)) for seed in range(200)]
    for life in lives:
        life.run()
    assert sum(life.unaffected for life in lives) > 50
    assert sum(life.without_deadline for life in lives) > 50
