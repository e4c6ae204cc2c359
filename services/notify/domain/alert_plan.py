"""The alert plan of a dossier: which events require an alert to the applicant.

Events of one dossier arrive on three topics, and there is no order between topics. The planned alerts do not depend on
how the topics interleave: a deadline event stays pending until the intake events that it reflects have been handled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.kernel.ids import derived_id

CHANNELS = ("sms", "email")
"""The channels of this release; other channels in an event are for releases that support them."""

UNREACHABLE = "none"
"""The channel of a message to an applicant without a contact: it is never sent, and the desk shows it."""


@dataclass(frozen=True, slots=True)
class EventRef:
    """A consumed event: its id, its sequence on its topic, and its time."""

    event_id: UUID
    sequence: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Deadline:
    """The content of a deadline event of sla: the dossier is due at `due_at` (None: no term), or its clock is `paused`.

    `event` is the deadline event itself. `dossier_sequence` is the sequence of the latest intake event from which sla
    derived the deadline.
    """

    event: EventRef
    dossier_sequence: int
    due_at: datetime | None = None
    paused: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return this deadline as JSON values, as a pending deadline is stored in the dossier's row."""
        return {
            "event_id": str(self.event.event_id),
            "sequence": self.event.sequence,
            "at": self.event.at.isoformat(),
            "dossier_sequence": self.dossier_sequence,
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "paused": self.paused,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Deadline":
        """Return the deadline that `to_json` converted to `plain`."""
        event = EventRef(UUID(plain["event_id"]), plain["sequence"], datetime.fromisoformat(plain["at"]))
        due_at = datetime.fromisoformat(plain["due_at"]) if plain["due_at"] else None
        return cls(event, plain["dossier_sequence"], due_at, plain["paused"])


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert to the applicant: the event that requires it, the text template, and the values for the template.

    Each of `channels` gets a message of its own. The time until expiry counts from `valid_from`. `values` are JSON
    values without personal data.
    """

    event_id: UUID
    dossier_sequence: int
    moment: str
    template: str
    valid_from: datetime
    channels: tuple[str, ...]
    values: dict[str, Any]

    def message_id(self, channel: str) -> UUID:
        """Return the id of this alert's message on a channel.

        It is derived from event, moment and channel, so planning the alert again gives the same id.
        """
        return derived_id(str(self.event_id), f"{self.moment}/{channel}", 0)


@dataclass(kw_only=True)
class AlertPlan:
    """The state of one dossier from which its alerts are planned, in values that a database row can hold.

    The methods that record or apply an event change only this object, and return the alerts that became necessary.

    `dossier_sequence` is the sequence of the latest recorded intake event, `state_sequence` that of the event that
    entered `state`. `reach` lists [sequence, channels]: on which channels the applicant can be reached from that intake
    event on. `received_event` is [event id, sequence, time] of the event by which the dossier was received.
    `pending_deadlines` are deadline events that sla derived from intake events which are not recorded here yet.
    `place` is where the applicant goes, as routing decided. `history` lists by name (`state`, `due`, `place`) the
    values and the time from which each was in force.
    """

    dossier_sequence: int = 0
    state: str = ""
    state_sequence: int = 0
    code: str | None = None
    department: str | None = None
    submitted_at: datetime | None = None
    reach: list[Any] = field(default_factory=list)
    received_event: list[Any] | None = None
    received_planned: bool = False
    result_arrived: bool = False
    result_planned: bool = False
    paused: bool = False
    due_at: datetime | None = None
    pending_deadlines: list[Any] = field(default_factory=list)
    place: dict[str, Any] | None = None
    history: dict[str, list[Any]] = field(default_factory=dict)

    def record_event(self, event: EventRef, state: str) -> None:
        """Record the sequence of an intake event and the dossier's state after this event.

        The caller then records what else the event changed, and calls `apply_pending_deadlines` last.
        """
        self.dossier_sequence = event.sequence
        if state != self.state:
            self.state, self.state_sequence = state, event.sequence
            self._record("state", event.at, [state, event.sequence])

    def record_submission(self, event: EventRef, reach: tuple[str, ...]) -> None:
        """Record the time of submission and the channels on which the applicant can be reached from then on."""
        self.submitted_at = event.at
        self.record_reach(event, reach)

    def record_reach(self, event: EventRef, reach: tuple[str, ...]) -> None:
        """Record the channels on which the applicant can be reached from this event on; ignore unsupported ones."""
        self.reach.append([event.sequence, [channel for channel in reach if channel in CHANNELS]])

    def record_department(self, department: str | None) -> None:
        """Record the competent department, whose officers may list the dossier's messages. None changes nothing."""
        self.department = department or self.department

    def record_receipt(self, event: EventRef, code: str) -> None:
        """Record that the dossier was received under `code`. The alert follows with the first deadline that is applied.

        Its text contains the due date, or states that there is no term.
        """
        self.code = code
        self.received_event = [str(event.event_id), event.sequence, event.at.isoformat()]

    def record_deadline(self, deadline: Deadline) -> list[Alert]:
        """Add a deadline event to the pending ones, apply those that can be applied, and return their alerts.

        A deadline event can be applied when the dossier's receipt is recorded, and every intake event from which sla
        derived the deadline.
        """
        self.pending_deadlines.append(deadline.to_json())
        return self.apply_pending_deadlines()

    def apply_pending_deadlines(self) -> list[Alert]:
        """Apply pending deadline events in order, up to the first that cannot be applied yet, and return their alerts.

        A deadline event can be applied when the dossier's receipt is recorded, and every intake event from which sla
        derived the deadline.
        """
        alerts: list[Alert] = []
        while (
            self.pending_deadlines
            and self.received_event
            and self.pending_deadlines[0]["dossier_sequence"] <= self.dossier_sequence
        ):
            alerts += self._apply(Deadline.from_json(self.pending_deadlines.pop(0)))
        return alerts

    def record_settlement(self, event: EventRef, *, electronic: bool) -> list[Alert]:
        """Return the alert that the result is ready, and record that it is planned, so it is returned only once.

        No alert if the result is on paper and has not arrived yet. An electronic result is ready at once.
        """
        if electronic:
            return self._plan_result(event, "result_ready_electronic")
        return self._plan_result(event, "result_ready") if self.result_arrived else []

    def record_arrival(self, event: EventRef) -> list[Alert]:
        """Record that the result arrived at the returning place, and return the alert that it is ready.

        No alert if the dossier is not settled yet, or if this result already had its alert.
        """
        self.result_arrived = True
        return self._plan_result(event, "result_ready") if self.state == "settled" else []

    def record_reopening(self) -> None:
        """Record that the dossier was reopened: there will be another result, with its own alert."""
        self.result_arrived = self.result_planned = False

    def record_place(self, at: datetime, place: dict[str, Any]) -> None:
        """Record where the applicant goes from the instant `at` on."""
        self.place = place
        self._record("place", at, place)

    def alert(self, event: EventRef, moment: str, *, template: str | None = None, **values: Any) -> Alert:
        """Return the alert of an intake event, on the channels on which the applicant could be reached at that event.

        `template` is the name of the moment if missing. The plan does not change.
        """
        return self._alert(event.event_id, event.sequence, moment, template or moment, event.at, values)

    def as_of(self, instant: datetime) -> "AlertPlan":
        """Return a copy with the state, due date and place that were in force at `instant`.

        All other values are the current ones.
        """
        state, sequence = self._in_force("state", instant) or ("", 0)
        due_at = self._in_force("due", instant)
        return replace(
            self,
            state=state,
            state_sequence=sequence,
            due_at=datetime.fromisoformat(due_at) if due_at else None,
            place=self._in_force("place", instant),
        )

    def _record(self, name: str, at: datetime, value: Any) -> None:
        self.history = self.history | {name: [*self.history.get(name, []), [at.isoformat(), value]]}

    def _in_force(self, name: str, instant: datetime) -> Any:
        latest_first = reversed(self.history.get(name, []))
        return next((value for since, value in latest_first if datetime.fromisoformat(since) <= instant), None)

    def _apply(self, deadline: Deadline) -> list[Alert]:
        if deadline.paused:
            self.paused = True
            return []
        was_paused, before = self.paused, self.due_at
        self.paused, self.due_at = False, deadline.due_at
        due_at, event = deadline.due_at, deadline.event
        if due_at != before:
            self._record("due", event.at, due_at.isoformat() if due_at else None)
        if not self.received_planned:
            return self._plan_received(deadline)
        if due_at is None or due_at == before:
            return []
        # A later date that was not caused by the applicant's own papers or payment needs an apology (form 04).
        delayed = before is not None and due_at > before and not was_paused
        values = {"due_at": due_at.isoformat(), "due_before": before.isoformat() if before else None}
        template = "due_date_delayed" if delayed else "due_date_changed"
        sequence = deadline.dossier_sequence
        return [self._alert(event.event_id, sequence, "due_date_changed", template, event.at, values)]

    def _plan_result(self, event: EventRef, template: str) -> list[Alert]:
        if self.result_planned:
            return []
        self.result_planned = True
        return [self.alert(event, "result_ready", template=template)]

    def _plan_received(self, deadline: Deadline) -> list[Alert]:
        if self.received_event is None:
            return []
        self.received_planned = True
        event_id, sequence, at = self.received_event
        values = {"due_at": deadline.due_at.isoformat() if deadline.due_at else None, "at": at}
        template = "received" if deadline.due_at else "received_no_due"
        valid_from = max(deadline.event.at, datetime.fromisoformat(at))
        return [self._alert(UUID(event_id), sequence, "received", template, valid_from, values)]

    def _alert(
        self, event_id: UUID, sequence: int, moment: str, template: str, at: datetime, values: dict[str, Any]
    ) -> Alert:
        common = {
            "at": at.isoformat(),
            "code": self.code,
            "submitted_at": self.submitted_at.isoformat() if self.submitted_at else None,
        }
        channels = next((tuple(found) for since, found in reversed(self.reach) if since <= sequence), ())
        return Alert(event_id, sequence, moment, template, at, channels or (UNREACHABLE,), common | values)
