"""What intake's facts and time do to clocks: decisions on locked rows, without SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import Deadline, derive_by_catalogue
from services.sla.domain.thresholds import Threshold, passed, pending, thresholds, untrue
from services.sla.replay import CLOCK_FACTS, clock_fact
from services.sla.store import ClockRow
from services.sla.telling import digest_of, tell, tell_fired, tell_retracted
from shared.contracts.deadlines import DeadlineEvent
from shared.contracts.dossiers import (
    DossierContactCorrectedV1,
    DossierHandedOverV1,
    DossierReceivedV1,
    DossierResultArrivedV1,
    DossierReturnedV1,
    DossierStepBegunV1,
    DossierStepRecordedV1,
    DossierTakenOverV1,
)
from shared.contracts.envelope import Actor, EventData, Fact
from shared.kernel.centre import Centre, ProcedureStep
from shared.messaging.applying import Handler
from shared.postgres.facts import Cause
from shared.postgres.unit import Unit

SLA = Actor(kind="system", id="sla", role="service")

_OTHER_ACTS: tuple[type[EventData], ...] = (
    DossierTakenOverV1,
    DossierStepRecordedV1,
    DossierHandedOverV1,
    DossierResultArrivedV1,
    DossierContactCorrectedV1,
    DossierReturnedV1,
)
"""Acts that move no clock. No act precedes the one before it, so each proves that the time until it has passed."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """What clocks are decided by. `version` is the calendar's; `rules` stands for catalogue and calendar together."""

    centre: Centre
    calendar: Calendar
    version: int
    rules: str

    def handlers(self) -> Mapping[type[EventData], Handler[ClockRow]]:
        """By event type."""
        return dict.fromkeys(CLOCK_FACTS, self.on_clock_act) | dict.fromkeys(_OTHER_ACTS, self.on_other_act)

    def on_clock_act(self, fact: Fact[Any], unit: Unit[ClockRow]) -> None:
        """An act that starts, pauses, resumes, extends or ends the clock: what it comes to now is told.

        A further step leaves the due date as it is, so nothing is told; what is at risk is judged by it.
        """
        row = unit.row(fact.dossier_id)
        if isinstance(fact.data, DossierReceivedV1):
            row.procedure, row.department, row.received_at = fact.data.procedure, fact.data.department, fact.time
        elif row.procedure is None:
            return  # before the receipt there is no clock
        passed_on = isinstance(fact.data, DossierStepBegunV1)
        if passed_on:
            row.department = fact.data.department
        self.fire(row, unit, until=fact.time)
        happened = clock_fact(fact)
        assert happened is not None  # this handler stands in CLOCK_FACTS
        row.add(happened)
        row.dossier_sequence = fact.sequence
        row.generation += 1
        deadline = self.deadline(row)
        cause = unit.cause_of(fact)
        self._retract(row, unit, deadline, since=fact.time, cause=cause)
        if not passed_on:
            self._tell(row, unit, deadline, time=fact.time, cause=cause)
        self._keep(row, deadline)

    def on_other_act(self, fact: Fact[Any], unit: Unit[ClockRow]) -> None:
        """Any other act: thresholds until its time have truly passed."""
        row = unit.row(fact.dossier_id)
        if row.procedure is None:
            return
        self.fire(row, unit, until=fact.time)
        row.dossier_sequence = fact.sequence

    def fire(self, row: ClockRow, unit: Unit[ClockRow], *, until: datetime) -> int:
        """Tell the thresholds that have passed by `until` and were not told; gives their number.

        A clock of other rules is derived again first: what time brings follows from the date that now stands.
        The id of each fact follows from dossier, level, due date or pause, and generation: whoever tells it, tells the
        same one.
        """
        self.rederive(row, unit, now=unit.recorded_at)
        if row.next_at is None or row.next_at > until:
            return 0
        deadline = self.deadline(row)
        fired = list(row.fired_thresholds())
        due = passed(pending(self._thresholds(row, deadline), fired), until)
        for threshold in due:
            event = tell_fired(
                threshold,
                deadline,
                self.steps(row, deadline),
                self.calendar,
                dossier_sequence=row.dossier_sequence,
                generation=row.generation,
            )
            unit.publish(row, event, time=threshold.at, cause=_threshold_cause(row, threshold, unit.recorded_at))
            fired.append(threshold)
        row.keep_fired(fired)
        self._keep(row, deadline)
        return len(due)

    def rederive(self, row: ClockRow, unit: Unit[ClockRow], *, now: datetime) -> bool:
        """Derive an open clock, or one that waits, again by these rules; tell it where it comes to anything else."""
        ended = row.state == "ended" and row.waiting_for is None
        if row.rules is None or row.rules == self.rules or ended:
            return False
        deadline = self.deadline(row)
        differs = digest_of(self._event(row, deadline)) != row.told
        if differs:
            row.generation += 1
            cause = _cause(f"{row.key}|rules|{self.rules}|{row.generation}", str(row.key), now)
            self._tell(row, unit, deadline, time=now, cause=cause)
        self._keep(row, deadline)
        return differs

    def deadline(self, row: ClockRow) -> Deadline:
        """What the row's facts come to by these rules. The row has a clock."""
        assert row.procedure is not None
        return derive_by_catalogue(row.procedure, row.clock_facts(), self.centre, self.calendar)

    def steps(self, row: ClockRow, deadline: Deadline) -> tuple[ProcedureStep, ...]:
        """The steps of the dossier's procedure, as of its receipt. The row has a clock."""
        assert row.procedure is not None
        return self.centre.steps_of(row.procedure, self.centre.local_date(deadline.received_at))

    def _thresholds(self, row: ClockRow, deadline: Deadline) -> tuple[Threshold, ...]:
        rules = self.centre.thresholds(self.centre.local_date(deadline.received_at))
        return thresholds(deadline, rules, self.calendar, self.steps(row, deadline))

    def _retract(
        self, row: ClockRow, unit: Unit[ClockRow], deadline: Deadline, *, since: datetime, cause: Cause
    ) -> None:
        fired = row.fired_thresholds()
        if not fired:
            return
        wrong = untrue(fired, since, self._thresholds(row, deadline))
        for each in wrong:
            event = tell_retracted(each, dossier_sequence=row.dossier_sequence, generation=row.generation)
            unit.publish(row, event, time=since, cause=cause)
        if wrong:
            row.keep_fired([each for each in fired if each not in wrong])

    def _tell(self, row: ClockRow, unit: Unit[ClockRow], deadline: Deadline, *, time: datetime, cause: Cause) -> None:
        event = self._event(row, deadline)
        unit.publish(row, event, time=time, cause=cause)
        row.told = digest_of(event)

    def _event(self, row: ClockRow, deadline: Deadline) -> DeadlineEvent:
        assert row.procedure is not None
        return tell(
            deadline,
            procedure=row.procedure,
            calendar=self.calendar,
            version=self.version,
            dossier_sequence=row.dossier_sequence,
            generation=row.generation,
        )

    def _keep(self, row: ClockRow, deadline: Deadline) -> None:
        """Write down what was derived: for lists, for the ticker, and to be compared."""
        open_ones = pending(self._thresholds(row, deadline), row.fired_thresholds())
        row.state = deadline.state
        row.waiting_for = deadline.waiting_for
        row.due_at = deadline.due_at
        row.next_at = open_ones[0].at if open_ones else None
        row.rules = self.rules


def _threshold_cause(row: ClockRow, threshold: Threshold, recorded_at: datetime) -> Cause:
    name = f"{row.key}|{threshold.level}|{threshold.step}|{threshold.about.isoformat()}|{row.generation}"
    # never before what it follows from: an act may be recorded long after its instant
    known_at = max(fact.recorded_at for fact in row.clock_facts())
    return _cause(name, str(row.key), max(recorded_at, threshold.at, known_at))


def _cause(name: str, dossier_id: str, recorded_at: datetime) -> Cause:
    return Cause(id=name, actor=SLA, recorded_at=recorded_at, correlation=dossier_id, causation=name)
