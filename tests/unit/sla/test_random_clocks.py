"""Whatever happens to a clock, in acts dated back, pauses, extensions, steps, reopenings and changed calendars, what is
told of its due dates stays true."""

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
    DeadlinePauseExceededV1,
    DeadlineRetractedV1,
    ThresholdEvent,
)
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.calendar_rules import CalendarException, CalendarRules, Kind
from shared.kernel.centre import ProcedureStep, Term
from tests.unit.sla.builders import RULES, ZONE, Acts, at
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
    """One dossier's life by lot. `wall` is when things are recorded, `at` when the last act happened."""

    def __init__(self, lot: Random) -> None:
        self.lot = lot
        self.acts = Acts()
        self.harness = ClockHarness(_rules_in_force(lot))
        self.calendar: CalendarRules = _RULES
        self.at = self.wall = at("2017-11-06 00:00") + timedelta(minutes=lot.randint(0, 7 * 1440))
        self.step = 1
        self.raised = self.plain = 0
        self.harness.consume(self.acts.receive(_local(self.at), "L.9"))
        self.ways: dict[str, tuple[Callable[[str], AnyEnvelope | None], ...]] = {
            "running": (self._pause, self._extend, self._pass_on, self._settle, self._note),
            "paused": (self._resume, self._note),
            "settled": (self._reopen, self._note),
        }
        self.state = "running"

    def lived(self) -> ClockHarness:
        for _ in range(self.lot.randint(1, 14)):
            later = timedelta(minutes=self.lot.choice((0, 5, 60, 600, 1440, 3000, 8000)))
            self.wall = max(self.wall, self.at) + later
            if self.lot.random() < 0.4:
                self.harness.tick(_local(self.wall))
                self._compare_thresholds()
            if self.lot.random() < 0.25:
                self._change_calendar()
            happened = max(self.at, self.wall - timedelta(minutes=self.lot.choice((0, 0, 0, 30, 600, 1000))))
            event = self.lot.choice(self.ways[self.state])(_local(happened))
            if event is not None:
                self.at = happened
                self.harness.consume(event.model_copy(update={"recordedtime": self.wall}))
        end = _local(max(self.wall, self.at))
        self.harness.rederive(self.harness.rules, end)
        return self.harness.tick(end)

    def _compare_thresholds(self) -> None:
        """What is still to be told follows from the row alone, where it does, as it follows from all its events."""
        row, clocks = self.harness.row, self.harness.clocks
        if row.next_threshold_at is not None:
            fired = row.fired_thresholds()
            steps = clocks.steps(row)
            deadline, found = clocks.current_thresholds(row, steps)
            assert pending(found, fired) == pending(clocks.thresholds(row, clocks.deadline(row), steps), fired)
            self.plain += deadline is None

    def _change_calendar(self) -> None:
        day, kind = date(2017, 11, 6) + timedelta(days=self.lot.randint(0, 40)), self.lot.choice(_KINDS)
        windows = self.calendar.windows if kind == "working" else ()
        added = CalendarException(day, kind, "decided", windows, "by lot", "9/QĐ", self.wall)
        self.calendar = replace(self.calendar, exceptions=(*self.calendar.exceptions, added))
        rules = self.harness.rules
        version = CalendarVersion(
            rules.calendar_version + 1, "9/QĐ", self.wall, len(self.calendar.exceptions), self.calendar.last_date
        )
        changed = replace(
            rules,
            calendar=compile_calendar(self.calendar),
            calendar_version=version.number,
            history=(*rules.history, version),
        )
        if self.lot.random() < 0.7:
            self._rederive(rules, changed)
        self.harness.rules = changed

    def _rederive(self, rules: DerivationRules, changed: DerivationRules) -> None:
        """By the changed calendar; a clock that the sweep would raise comes to the same, its version aside."""
        row, told = self.harness.row, len(self.harness.published)
        before, raised = deepcopy(row), False
        concerned = unaffected_clocks(rules.calendar.rules, changed.calendar, changed.longest_escalation)
        if concerned is not None and row.received_at is not None and row.calendar_version == rules.calendar_version:
            extended = any(event.kind == "extended" for event in row.clock_changes())
            due_at = row.due_at if row.state == "running" and row.waiting_for is None and not extended else None
            early = due_at is not None and concerned.due_before is not None and due_at < concerned.due_before
            raised = early or row.received_at >= concerned.received_from
        self.harness.rederive(changed, _local(self.wall))
        if raised and before.state != "ended":
            self.raised += 1
            assert replace(row, calendar_version=before.calendar_version) == before
            assert len(self.harness.published) == told

    def _pause(self, when: str) -> AnyEnvelope:
        self.state = "paused"
        return self.acts.ask_supplement(when)

    def _resume(self, when: str) -> AnyEnvelope:
        self.state = "running"
        return self.acts.supplement_received(when)

    def _extend(self, when: str) -> AnyEnvelope | None:
        due_at = self.harness.row.due_at  # as intake judges it
        if due_at is None or at(when) >= due_at:
            return None
        return self.acts.extend(when, self.lot.randint(1, 3))

    def _pass_on(self, when: str) -> AnyEnvelope:
        self.step += 1
        return self.acts.begin_step(when, self.step)

    def _settle(self, when: str) -> AnyEnvelope:
        self.state = "settled"
        return self.acts.settle(when)

    def _reopen(self, when: str) -> AnyEnvelope:
        self.state = "running"
        return self.acts.reopen(when)

    def _note(self, when: str) -> AnyEnvelope:
        return self.acts.record_step(when)


def _rules_in_force(lot: Random) -> DerivationRules:
    in_steps = tuple(
        ProcedureStep(
            valid_from=_SPAN[0],
            decision="07/QĐ",
            procedure="L.9",
            number=number,
            department=department,
            term=Term(lot.choice((4, 8, 16)), "working_hour"),
        )
        for number, department in enumerate(("STP", "STC", "CA"), start=1)
    )
    found = replace(centre(L_9=lot.choice(_TERMS)), steps={"L.9": in_steps if lot.random() < 0.6 else ()})
    first = CalendarVersion(1, "03/QĐ", at("2017-01-01 00:00"), len(_RULES.exceptions), _RULES.last_date)
    return DerivationRules(found, _COMPILED, 1, "one", (first,))


def _local(instant: datetime) -> str:
    return instant.astimezone(ZONE).replace(tzinfo=None).isoformat(sep=" ")


def _standing(harness: ClockHarness) -> set[tuple[str, int, datetime]]:
    """What was told and not taken back; each is told before it is taken back, and not twice in between."""
    standing: set[tuple[str, int, datetime]] = set()
    for event in harness.published:
        match event.data:
            case DeadlineRetractedV1() as back:
                standing.remove((back.fired, back.level or 0, back.due_at))
            case DeadlinePauseExceededV1() as told:
                assert (told.TYPE, 0, told.paused_at) not in standing
                standing.add((told.TYPE, 0, told.paused_at))
            case ThresholdEvent() as told:
                step = told.level if isinstance(told, DeadlineEscalatedV1) else 0
                step = told.step if isinstance(told, DeadlineAtRiskV1) else step
                assert (told.TYPE, step, told.due_at) not in standing
                standing.add((told.TYPE, step, told.due_at))
    return standing


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1_000_000))
def test_what_is_told_of_a_clock_stays_true(seed: int) -> None:
    """Thresholds alternate told and taken back; no event has another's id; breached are exactly the late."""
    harness = _Life(Random(seed)).lived()
    breached = {due_at for what, _, due_at in _standing(harness) if what == "deadline.breached"}
    deadline = harness.clocks.deadline(harness.row)
    assert len({event.id for event in harness.published}) == len(harness.published)
    if harness.row.calendar_version != harness.rules.calendar_version:
        return  # settled by the calendar of its time, which this derivation does not go by
    assert breached <= {deadline.due_at}
    if deadline.ended == "settled" and deadline.due_at is not None:
        assert (deadline.outcome == "late") == (deadline.due_at in breached)


def test_clocks_that_a_change_cannot_concern_come_to_the_same() -> None:
    """In as many lives as make the assertion in `_rederive` count, and that in `_compare_thresholds`."""
    lives = [_Life(Random(seed)) for seed in range(200)]
    for life in lives:
        life.lived()
    assert sum(life.raised for life in lives) > 50
    assert sum(life.plain for life in lives) > 50
