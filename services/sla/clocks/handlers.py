"""Effects of intake's events and of time on clocks: decisions on locked rows, without SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.sla.clocks.events import (
    DueDateMove,
    content_digest,
    deadline_event,
    retracted_event,
    threshold_event,
)
from services.sla.clocks.store import ClockRow
from services.sla.domain.clock import Deadline
from services.sla.domain.rules import DerivationRules
from services.sla.domain.thresholds import (
    Threshold,
    passed,
    pending,
    refuted_by_act,
    refuted_by_due_date,
    refuted_by_steps,
    thresholds,
    thresholds_without_steps,
)
from services.sla.rebuild import CLOCK_CHANGES, clock_change
from shared.contracts.deadlines import DeadlineEvent
from shared.contracts.dossiers import (
    DossierContactCorrectedV1,
    DossierHandedOverV1,
    DossierReceivedElsewhereV1,
    DossierReceivedV1,
    DossierRefusedV1,
    DossierReopenedV1,
    DossierResultArrivedV1,
    DossierReturnedV1,
    DossierSettledV1,
    DossierStepBegunV1,
    DossierStepRecordedV1,
    DossierSubmittedV1,
    DossierTakenOverV1,
)
from shared.contracts.envelope import Actor, EventData, EventEnvelope
from shared.kernel.centre import ProcedureStep
from shared.kernel.errors import DossierNotFoundError
from shared.messaging.applier import Handler
from shared.postgres.outbox import Cause
from shared.postgres.unit_of_work import Unit
from shared.service.scope import Scope

IGNORED: frozenset[type[EventData]] = frozenset({DossierSubmittedV1, DossierRefusedV1, DossierReceivedElsewhereV1})
"""The event types of intake without a handler: they do not change a clock, and trigger none of its thresholds."""

SLA = Actor(kind="system", id="sla", role="service")


class ClockHandlers:
    """Handlers of intake's events for clocks, and the derivation of clocks by the rules in force.

    The methods change locked rows and add events to a unit of work, which the caller's transaction stores. An act never
    happens before the dossier's previous act. So each act, whether it changes the clock or not, proves that thresholds
    up to its instant have passed, and they are published first.
    """

    def __init__(self, rules: DerivationRules) -> None:
        self.rules = rules

    def by_event_type(self) -> Mapping[type[EventData], Handler[ClockRow]]:
        """Return the handler of each event type of intake, except those in IGNORED."""
        return {
            **dict.fromkeys(CLOCK_CHANGES, self.on_clock_change),
            DossierReceivedV1: self.on_received,
            DossierStepBegunV1: self.on_step_begun,
            DossierReopenedV1: self.on_reopened,
            DossierSettledV1: self.on_settled,
            DossierResultArrivedV1: self.on_result_available,
            DossierReturnedV1: self.on_result_available,
            DossierTakenOverV1: self.on_other_act,
            DossierStepRecordedV1: self.on_other_act,
            DossierHandedOverV1: self.on_other_act,
            DossierContactCorrectedV1: self.on_other_act,
        }

    def on_received(self, envelope: EventEnvelope[DossierReceivedV1], unit: Unit[ClockRow]) -> None:
        """Start the dossier's clock and publish its deadline."""
        row, data = unit.row(envelope.dossier_id), envelope.data
        row.receive(procedure=data.procedure, department=data.department, code=data.code, at=envelope.time)
        self._change(row, envelope, unit)

    def on_step_begun(self, envelope: EventEnvelope[DossierStepBegunV1], unit: Unit[ClockRow]) -> None:
        """Store the department and the step that begins. The due date does not change, so no deadline is published.

        Thresholds that passed before are published. Ignored before the receipt.
        """
        row = unit.row(envelope.dossier_id)
        if row.procedure is not None:
            row.department = envelope.data.department
            self._change(row, envelope, unit, publish=False)

    def on_reopened(self, envelope: EventEnvelope[DossierReopenedV1], unit: Unit[ClockRow]) -> None:
        """Resume the clock of a settled dossier, clear when its result was available, and publish its deadline."""
        row = unit.row(envelope.dossier_id)
        if row.procedure is not None:
            row.result_at = None
            self._change(row, envelope, unit)

    def on_settled(self, envelope: EventEnvelope[DossierSettledV1], unit: Unit[ClockRow]) -> None:
        """End the dossier's clock and publish its end. An electronic result is stored as available from then on."""
        row = unit.row(envelope.dossier_id)
        if row.procedure is not None:
            if envelope.data.electronic_result:
                row.result_at = envelope.time
            self._change(row, envelope, unit)

    def on_clock_change(self, envelope: EventEnvelope[Any], unit: Unit[ClockRow]) -> None:
        """Apply a pause, resumption, extension, withdrawal or stop and publish the deadline.

        Ignored before the receipt.
        """
        row = unit.row(envelope.dossier_id)
        if row.procedure is not None:
            self._change(row, envelope, unit)

    def on_result_available(self, envelope: EventEnvelope[Any], unit: Unit[ClockRow]) -> None:
        """Store when the result was first available, and publish the thresholds that passed before the act.

        Ignored before the receipt.
        """
        row = unit.row(envelope.dossier_id)
        if row.procedure is not None:
            row.result_at = row.result_at or envelope.time
            self.on_other_act(envelope, unit)

    def on_other_act(self, envelope: EventEnvelope[Any], unit: Unit[ClockRow]) -> None:
        """Publish the thresholds that passed before an act that does not change the clock.

        Ignored before the receipt.
        """
        row = unit.row(envelope.dossier_id)
        if row.procedure is not None:
            self.fire(row, unit, until=envelope.time)
            row.dossier_sequence = envelope.sequence

    def _change(
        self, row: ClockRow, envelope: EventEnvelope[Any], unit: Unit[ClockRow], *, publish: bool = True
    ) -> None:
        self.fire(row, unit, until=envelope.time)
        change = clock_change(envelope)
        assert change is not None  # only handlers of CLOCK_CHANGES get here
        row.add_change(change, envelope.sequence)
        deadline = self.deadline(row)
        cause = unit.cause_of(envelope)
        self._retract_refuted(row, unit, deadline, since=envelope.time, cause=cause)
        if publish:
            event = self._event(row, deadline, row.generation)
            unit.publish(row, event, time=envelope.time, cause=cause)
            row.published_digest = content_digest(event)
        self._store(row, deadline)

    def fire(self, row: ClockRow, unit: Unit[ClockRow], *, until: datetime) -> int:
        """Publish the thresholds that have passed by `until` and were not published yet; returns their number.

        A clock derived by other rules or an older calendar is derived again first. The id of each event follows from
        the dossier, the level, the due date or pause, and the generation: the ticker and the next act publish the same
        event.
        """
        self.rederive(row, unit, now=unit.recorded_at)
        if row.next_threshold_at is None or row.next_threshold_at > until:
            return 0
        steps, fired = self.steps(row), row.fired_thresholds()
        deadline, current = self.current_thresholds(row, steps)
        candidates = pending(current, fired)
        due = passed(candidates, until)
        # not before the change that the threshold follows from: an act may be recorded long after its instant
        known_at = max(unit.recorded_at, row.recorded_at())
        for threshold in due:
            event = threshold_event(
                threshold,
                deadline,
                steps,
                self.rules.calendar,
                dossier_sequence=row.dossier_sequence,
                generation=row.generation,
            )
            unit.publish(row, event, time=threshold.at, cause=_threshold_cause(row, threshold, known_at))
        row.set_fired([*fired, *due])
        row.next_threshold_at = next((each.at for each in candidates[len(due) :]), None)  # in time order
        return len(due)

    def current_thresholds(
        self, row: ClockRow, steps: Sequence[ProcedureStep]
    ) -> tuple[Deadline | None, tuple[Threshold, ...]]:
        """Return the clock's deadline and its thresholds in time order.

        The row must be derived by these rules and have a pending threshold. For a running clock without steps, the
        deadline is not derived (None): the thresholds, from the next one on, follow from the row's columns. For any
        other clock, published thresholds are included.
        """
        if row.state == "running" and row.waiting_for is None and not steps:
            assert row.due_at is not None
            assert row.next_threshold_at is not None
            assert row.received_at is not None
            rules = self.rules.thresholds(row.received_at)
            return None, thresholds_without_steps(row.due_at, row.next_threshold_at, rules, self.rules.calendar)
        deadline = self.deadline(row)
        return deadline, self.thresholds(row, deadline, steps)

    def rederive(self, row: ClockRow, unit: Unit[ClockRow], *, now: datetime) -> bool:
        """Derive a clock again by the rules in force, if other rules derived it and it has not ended.

        Sets the derived values in the row. If the deadline differs from the one published last, publishes the new one
        and returns True, else returns False. Retracts the published thresholds that the new deadline refutes. If a
        later calendar moves the due date of a running clock, the event has both due dates and the decisions that moved
        it.
        """
        rules = self.rules
        is_current = (row.rules_digest, row.calendar_version) == (rules.digest, rules.calendar_version)
        if row.rules_digest is None or is_current or row.has_ended:
            return False
        deadline = self.deadline(row)
        moved = self._is_moved(row, deadline)
        event = self._event(row, deadline, row.generation + 1, moved=moved)
        digest = content_digest(event)
        differs = digest != row.published_digest
        refuted = self._refuted_by_rules(row, deadline, now=now, moved=moved)
        if differs or refuted:
            now = max(now, rules.history[-1].since) if rules.history else now
            row.generation += 1
            subject = str(row.key)
            name = f"{subject}|rules|{rules.digest}|{rules.calendar_version}|{row.generation}"
            cause = _cause(name, subject, now)
            self._retract(row, unit, refuted, time=now, cause=cause)
            if differs:
                unit.publish(row, event, time=now, cause=cause)
                row.published_digest = digest
        self._store(row, deadline)
        return differs

    def _is_moved(self, row: ClockRow, deadline: Deadline) -> bool:
        """Whether a later calendar than the row's gives a running clock another due date."""
        runs = row.state == deadline.state == "running" and None not in (row.due_at, deadline.due_at)
        return runs and row.due_at != deadline.due_at and row.calendar_version < self.rules.calendar_version

    def _refuted_by_rules(
        self, row: ClockRow, deadline: Deadline, *, now: datetime, moved: bool
    ) -> tuple[Threshold, ...]:
        fired = row.fired_thresholds()
        refuted = refuted_by_due_date(fired, deadline.due_at)
        if moved:  # by the calendar in force, no threshold of the previous due date has passed
            return refuted + tuple(each for each in fired if each.anchor_at == row.due_at and each not in refuted)
        if fired and row.rules_digest != self.rules.digest:
            present = [each for each in fired if (each.anchor_at, each.step) == (deadline.due_at, deadline.step)]
            return refuted + refuted_by_steps(present, self.thresholds(row, deadline, self.steps(row)), now)
        return refuted

    def deadline(self, row: ClockRow) -> Deadline:
        """Derive the deadline of the row's clock by the rules in force. The dossier must be received."""
        assert row.procedure is not None
        return self.rules.derive(row.procedure, row.clock_changes())

    def steps(self, row: ClockRow) -> tuple[ProcedureStep, ...]:
        """Return the steps of the dossier's procedure on the date of its receipt. The dossier must be received."""
        assert row.procedure is not None
        assert row.received_at is not None
        return self.rules.steps(row.procedure, row.received_at)

    def thresholds(self, row: ClockRow, deadline: Deadline, steps: Sequence[ProcedureStep]) -> tuple[Threshold, ...]:
        """Derive every threshold of the deadline by the rules in force, published or not."""
        assert row.received_at is not None
        return thresholds(deadline, self.rules.thresholds(row.received_at), self.rules.calendar, steps)

    def _retract_refuted(
        self, row: ClockRow, unit: Unit[ClockRow], deadline: Deadline, *, since: datetime, cause: Cause
    ) -> None:
        fired = row.fired_thresholds()
        if not fired:
            return
        refuted = refuted_by_act(fired, since, self.thresholds(row, deadline, self.steps(row)))
        refuted += tuple(each for each in refuted_by_due_date(fired, deadline.due_at) if each not in refuted)
        self._retract(row, unit, refuted, time=since, cause=cause)

    def _retract(
        self, row: ClockRow, unit: Unit[ClockRow], refuted: Sequence[Threshold], *, time: datetime, cause: Cause
    ) -> None:
        for each in refuted:
            event = retracted_event(each, dossier_sequence=row.dossier_sequence, generation=row.generation)
            unit.publish(row, event, time=time, cause=cause)
        if refuted:
            row.set_fired([each for each in row.fired_thresholds() if each not in refuted])

    def _event(self, row: ClockRow, deadline: Deadline, generation: int, *, moved: bool = False) -> DeadlineEvent:
        assert row.procedure is not None
        rules = self.rules
        return deadline_event(
            deadline,
            procedure=row.procedure,
            calendar=rules.calendar,
            version=rules.calendar_version,
            dossier_sequence=row.dossier_sequence,
            generation=generation,
            moved=DueDateMove(row.due_at, rules.decisions_after(row.calendar_version))
            if moved and row.due_at
            else None,
        )

    def _store(self, row: ClockRow, deadline: Deadline) -> None:
        candidates = pending(self.thresholds(row, deadline, self.steps(row)), row.fired_thresholds())
        row.set_derived(
            deadline,
            next_threshold_at=candidates[0].at if candidates else None,
            rules_digest=self.rules.digest,
            calendar_version=self.rules.calendar_version,
        )


def require_visible(row: ClockRow | None, scope: Scope) -> ClockRow:
    """Return the row if the caller's scope includes its dossier. Raises DossierNotFoundError, also if `row` is None."""
    if row is None or not scope.sees(department=row.department):
        raise DossierNotFoundError
    return row


def _threshold_cause(row: ClockRow, threshold: Threshold, known_at: datetime) -> Cause:
    subject = str(row.key)
    name = f"{subject}|{threshold.level}|{threshold.step}|{threshold.anchor_at.isoformat()}|{row.generation}"
    return _cause(name, subject, max(known_at, threshold.at))


def _cause(name: str, dossier_id: str, recorded_at: datetime) -> Cause:
    return Cause(id=name, actor=SLA, recorded_at=recorded_at, correlation=dossier_id, causation=name)
