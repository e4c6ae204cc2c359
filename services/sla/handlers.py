"""What intake's events and time do to clocks: decisions on locked rows, without SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import Deadline, derive_by_catalogue
from services.sla.domain.thresholds import (
    Threshold,
    not_at_risk,
    of_plain,
    overturned,
    passed,
    pending,
    thresholds,
    untrue,
)
from services.sla.replay import CLOCK_CHANGES, clock_change
from services.sla.store import ClockRow
from services.sla.telling import Moved, digest_of, tell, tell_fired, tell_retracted
from shared.contracts.deadlines import DeadlineEvent
from shared.contracts.dossiers import (
    DossierContactCorrectedV1,
    DossierHandedOverV1,
    DossierReceivedV1,
    DossierReopenedV1,
    DossierResultArrivedV1,
    DossierReturnedV1,
    DossierSettledV1,
    DossierStepBegunV1,
    DossierStepRecordedV1,
    DossierTakenOverV1,
)
from shared.contracts.envelope import Actor, EventData, EventEnvelope
from shared.kernel.calendar_rules import CalendarRules
from shared.kernel.centre import Centre, ProcedureStep, Thresholds
from shared.messaging.applier import Handler
from shared.postgres.outbox import Cause
from shared.postgres.unit_of_work import Unit

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
class Version:
    """A calendar's version: by which document it came, since when it counts, and what it is of the rules in force.

    Exceptions are only ever added, so its own are the first `exceptions` of them; it covers time up to `last_date`.
    """

    number: int
    decision: str
    since: datetime
    exceptions: int
    last_date: date

    def of(self, rules: CalendarRules) -> CalendarRules:
        """This version of the rules in force."""
        return replace(rules, exceptions=rules.exceptions[: self.exceptions], last_date=self.last_date)


@dataclass(slots=True)
class Clocks:
    """What clocks are decided by. `version` is the calendar's; `rules` stands for the catalogue's part.

    `history` are the calendar's versions so far, oldest first.
    """

    centre: Centre
    calendar: Calendar
    version: int
    rules: str
    history: tuple[Version, ...] = ()

    def follow(self, calendar: Calendar, version: int, history: tuple[Version, ...]) -> None:
        """Decide by a later version of the calendar from now on; an earlier one changes nothing."""
        if version > self.version:
            self.calendar, self.version, self.history = calendar, version, history

    @property
    def longest_escalation(self) -> timedelta:
        """The working time after a breach within which the last level comes, under any of the centre's thresholds."""
        hours = (hours for rules in self.centre.all_thresholds for hours in rules.escalation_working_hours)
        return timedelta(hours=max(hours, default=0))

    def handlers(self) -> Mapping[type[EventData], Handler[ClockRow]]:
        """By event type."""
        return dict.fromkeys(CLOCK_CHANGES, self.on_clock_act) | dict.fromkeys(_OTHER_ACTS, self.on_other_act)

    def on_clock_act(self, envelope: EventEnvelope[Any], unit: Unit[ClockRow]) -> None:
        """An act that starts, pauses, resumes, extends or ends the clock: what it comes to now is told.

        A further step leaves the due date as it is, so nothing is told; what is at risk is judged by it.
        """
        row = unit.row(envelope.dossier_id)
        if isinstance(envelope.data, DossierReceivedV1):
            row.procedure, row.department, row.received_at = (
                envelope.data.procedure,
                envelope.data.department,
                envelope.time,
            )
            row.code = envelope.data.code
        elif row.procedure is None:
            return  # before the receipt there is no clock
        passed_on = isinstance(envelope.data, DossierStepBegunV1)
        if passed_on:
            row.department = envelope.data.department
        elif isinstance(envelope.data, DossierReopenedV1):
            row.result_at = None  # there will be another one
        elif isinstance(envelope.data, DossierSettledV1) and envelope.data.electronic_result:
            row.result_at = envelope.time
        self.fire(row, unit, until=envelope.time)
        happened = clock_change(envelope)
        assert happened is not None  # this handler stands in CLOCK_CHANGES
        row.add(happened)
        row.dossier_sequence = envelope.sequence
        row.generation += 1
        deadline = self.deadline(row)
        cause = unit.cause_of(envelope)
        self._retract(row, unit, deadline, since=envelope.time, cause=cause)
        if not passed_on:
            self._tell(row, unit, deadline, time=envelope.time, cause=cause)
        self._keep(row, deadline)

    def on_other_act(self, envelope: EventEnvelope[Any], unit: Unit[ClockRow]) -> None:
        """Any other act: thresholds until its time have truly passed."""
        row = unit.row(envelope.dossier_id)
        if row.procedure is None:
            return
        if isinstance(envelope.data, (DossierResultArrivedV1, DossierReturnedV1)):
            row.result_at = row.result_at or envelope.time
        self.fire(row, unit, until=envelope.time)
        row.dossier_sequence = envelope.sequence

    def fire(self, row: ClockRow, unit: Unit[ClockRow], *, until: datetime) -> int:
        """Tell the thresholds that have passed by `until` and were not told; gives their number.

        A clock of other rules, or of an older calendar, is derived again first: what time brings follows from the date
        that now stands.
        The id of each event follows from dossier, level, due date or pause, and generation: whoever tells it, tells the
        same one.
        """
        self.rederive(row, unit, now=unit.recorded_at)
        if row.next_at is None or row.next_at > until:
            return 0
        steps, fired = self.steps(row), row.fired_thresholds()
        deadline, standing = self.standing(row, steps)
        open_ones = pending(standing, fired)
        due = passed(open_ones, until)
        # never before what it follows from: an act may be recorded long after its instant
        known_at = max(unit.recorded_at, row.recorded_at())
        for threshold in due:
            event = tell_fired(
                threshold,
                deadline,
                steps,
                self.calendar,
                dossier_sequence=row.dossier_sequence,
                generation=row.generation,
            )
            unit.publish(row, event, time=threshold.at, cause=_threshold_cause(row, threshold, known_at))
        row.keep_fired([*fired, *due])
        row.next_at = next((each.at for each in open_ones[len(due) :]), None)  # in the order of their instants
        return len(due)

    def standing(self, row: ClockRow, steps: Sequence[ProcedureStep]) -> tuple[Deadline | None, tuple[Threshold, ...]]:
        """The thresholds of a row that these rules derived, of which one is still to be told; and the deadline, where
        they do not follow from what the row keeps of it."""
        if row.state == "running" and row.waiting_for is None and not steps:
            assert row.due_at is not None
            assert row.next_at is not None
            return None, of_plain(row.due_at, row.next_at, self._rules(row), self.calendar)
        deadline = self.deadline(row)
        return deadline, thresholds(deadline, self._rules(row), self.calendar, steps)

    def rederive(self, row: ClockRow, unit: Unit[ClockRow], *, now: datetime) -> bool:
        """Derive an open clock, or one that waits, again by these rules; tell it where it comes to anything else.

        Where a later calendar moves the due date of a running clock, both dates and the decision are told.
        """
        ended = row.state == "ended" and row.waiting_for is None
        if row.rules is None or (row.rules, row.calendar_version) == (self.rules, self.version) or ended:
            return False
        deadline = self.deadline(row)
        moves = self._moves(row, deadline)
        event = self._event(row, deadline, row.generation + 1, moves=moves)
        said = digest_of(event)
        differs = said != row.told
        fired = row.fired_thresholds()
        wrong = overturned(fired, deadline.due_at)
        if moves:  # by the calendar that counts now, none of what was told of the date before was so
            wrong += tuple(each for each in fired if each.about == row.due_at and each not in wrong)
        elif fired and row.rules != self.rules:
            present = [each for each in fired if (each.about, each.step) == (deadline.due_at, deadline.step)]
            wrong += not_at_risk(present, self.thresholds(row, deadline), now)
        if differs or wrong:
            now = max(now, self.history[-1].since) if self.history else now
            row.generation += 1
            subject = str(row.key)
            cause = _cause(f"{subject}|rules|{self.rules}|{self.version}|{row.generation}", subject, now)
            self._take_back(row, unit, wrong, time=now, cause=cause)
            if differs:
                unit.publish(row, event, time=now, cause=cause)
                row.told = said  # what the clock has come to, however that is told
        self._keep(row, deadline)
        return differs

    def _moves(self, row: ClockRow, deadline: Deadline) -> bool:
        """Whether a later calendar makes another one of a running clock's due date."""
        runs = row.state == deadline.state == "running" and None not in (row.due_at, deadline.due_at)
        return runs and row.due_at != deadline.due_at and row.calendar_version < self.version

    def deadline(self, row: ClockRow) -> Deadline:
        """What the row's events come to by these rules. The row has a clock."""
        assert row.procedure is not None
        return derive_by_catalogue(row.procedure, row.clock_changes(), self.centre, self.calendar)

    def steps(self, row: ClockRow) -> tuple[ProcedureStep, ...]:
        """The steps of the dossier's procedure, as of its receipt. The row has a clock."""
        assert row.procedure is not None
        if row.procedure not in self.centre.steps:
            return ()
        assert row.received_at is not None
        return self.centre.steps_of(row.procedure, self.centre.local_date(row.received_at))

    def _rules(self, row: ClockRow) -> Thresholds:
        assert row.received_at is not None
        return self.centre.thresholds(self.centre.local_date(row.received_at))

    def thresholds(self, row: ClockRow, deadline: Deadline) -> tuple[Threshold, ...]:
        """Every threshold of the deadline that the row's events come to."""
        return thresholds(deadline, self._rules(row), self.calendar, self.steps(row))

    def _retract(
        self, row: ClockRow, unit: Unit[ClockRow], deadline: Deadline, *, since: datetime, cause: Cause
    ) -> None:
        fired = row.fired_thresholds()
        if not fired:
            return
        wrong = untrue(fired, since, self.thresholds(row, deadline))
        wrong += tuple(each for each in overturned(fired, deadline.due_at) if each not in wrong)
        self._take_back(row, unit, wrong, time=since, cause=cause)

    def _take_back(
        self, row: ClockRow, unit: Unit[ClockRow], wrong: Sequence[Threshold], *, time: datetime, cause: Cause
    ) -> None:
        for each in wrong:
            event = tell_retracted(each, dossier_sequence=row.dossier_sequence, generation=row.generation)
            unit.publish(row, event, time=time, cause=cause)
        if wrong:
            row.keep_fired([each for each in row.fired_thresholds() if each not in wrong])

    def _tell(self, row: ClockRow, unit: Unit[ClockRow], deadline: Deadline, *, time: datetime, cause: Cause) -> None:
        event = self._event(row, deadline, row.generation)
        unit.publish(row, event, time=time, cause=cause)
        row.told = digest_of(event)

    def _event(self, row: ClockRow, deadline: Deadline, generation: int, *, moves: bool = False) -> DeadlineEvent:
        assert row.procedure is not None
        return tell(
            deadline,
            procedure=row.procedure,
            calendar=self.calendar,
            version=self.version,
            dossier_sequence=row.dossier_sequence,
            generation=generation,
            moved=Moved(row.due_at, self._decisions_after(row.calendar_version)) if moves and row.due_at else None,
        )

    def _decisions_after(self, version: int) -> str:
        return "; ".join(each.decision for each in self.history if each.number > version)

    def _keep(self, row: ClockRow, deadline: Deadline) -> None:
        """Write down what was derived: for lists, for the ticker, and to be compared."""
        open_ones = pending(self.thresholds(row, deadline), row.fired_thresholds())
        row.state = deadline.state
        row.waiting_for = deadline.waiting_for
        row.due_at = deadline.due_at
        row.next_at = open_ones[0].at if open_ones else None
        row.rules, row.calendar_version = self.rules, self.version


def _threshold_cause(row: ClockRow, threshold: Threshold, known_at: datetime) -> Cause:
    subject = str(row.key)
    name = f"{subject}|{threshold.level}|{threshold.step}|{threshold.about.isoformat()}|{row.generation}"
    return _cause(name, subject, max(known_at, threshold.at))


def _cause(name: str, dossier_id: str, recorded_at: datetime) -> Cause:
    return Cause(id=name, actor=SLA, recorded_at=recorded_at, correlation=dossier_id, causation=name)
