"""Which events call for an alert, and when an alert must no longer be sent.

The events of one dossier arrive on topics without an order between them; what is planned does not depend on how they
interleave: an event of sla waits here until the events of intake that it reflects have been heard.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.kernel.ids import derived_id

ALLOWED_LATER: Mapping[str, frozenset[str]] = {
    "received": frozenset({"received", "processing"}),
    "due_date_changed": frozenset({"received", "processing"}),
}
"""Later states in which an alert is still true; the others are overtaken by any later change of state. So is a result
that is ready: it is called for once the dossier is settled, and to be settled again it was reopened."""

CHANNELS = ("sms", "email")
"""The ways that this release can send on; others that an event names are left to releases that know them."""

UNREACHABLE = "none"
"""The channel of a plan for an applicant who left no contact: never sent, and the desk shows it."""


@dataclass(frozen=True, slots=True)
class Told:
    """The event that is being heard: its id, its place in its topic's sequence and its instant."""

    event_id: UUID
    sequence: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """What sla says: the clock runs to `due_at` (None: no term), or stands (`paused`)."""

    told: Told
    reflects: int
    due_at: datetime | None = None
    paused: bool = False

    def to_json(self) -> dict[str, Any]:
        """As plain values, for an event that has to wait in the dossier's row."""
        return {
            "event_id": str(self.told.event_id),
            "sequence": self.told.sequence,
            "at": self.told.at.isoformat(),
            "reflects": self.reflects,
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "paused": self.paused,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Clock":
        """The inverse of `to_json`."""
        told = Told(UUID(plain["event_id"]), plain["sequence"], datetime.fromisoformat(plain["at"]))
        due_at = datetime.fromisoformat(plain["due_at"]) if plain["due_at"] else None
        return cls(told, plain["reflects"], due_at, plain["paused"])


@dataclass(kw_only=True)
class Known:
    """What notify knows of one dossier, in values that a database row can hold.

    `reach` lists [sequence, channels]: how the applicant could be reached from that event on. `state_since` is the
    event
    that entered `state`. `received` is [event id, sequence, instant] of the receipt. `early` holds events of sla that
    reflect something not yet heard. `place` is what routing said about where to go. `course` lists what state, due date
    and place were from which instant on.
    """

    heard: int = 0
    state: str = ""
    state_since: int = 0
    code: str | None = None
    submitted_at: datetime | None = None
    reach: list[Any] = field(default_factory=list)
    received: list[Any] | None = None
    received_told: bool = False
    result_arrived: bool = False
    result_told: bool = False
    paused: bool = False
    due_at: datetime | None = None
    early: list[Any] = field(default_factory=list)
    place: dict[str, Any] | None = None
    course: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell the applicant: which event calls for it, from which template, with which values.

    `valid_from` is the instant that expiry counts from. `values` are plain and hold nothing about a person.
    """

    event_id: UUID
    dossier_sequence: int
    moment: str
    template: str
    valid_from: datetime
    channels: tuple[str, ...]
    values: dict[str, Any]

    def message_id(self, channel: str) -> UUID:
        """The same event, moment and channel always give the same message, also when decided again."""
        return derived_id(str(self.event_id), f"{self.moment}/{channel}", 0)


def hear(known: Known, told: Told, state: str) -> None:
    """Take note of any event of intake. Call `hear_waiting` when its own part has been heard, too."""
    known.heard = told.sequence
    if state != known.state:
        known.state, known.state_since = state, told.sequence
        _keep(known, "state", told.at, [state, told.sequence])


def hear_waiting(known: Known) -> list[Alert]:
    """Hear the events of sla that waited for what is now known, in their order."""
    alerts: list[Alert] = []
    while known.early and known.received and known.early[0]["reflects"] <= known.heard:
        alerts += _apply(known, Clock.from_json(known.early.pop(0)))
    return alerts


def hear_submission(known: Known, told: Told, channels: tuple[str, ...]) -> None:
    """The dossier exists; from here on the applicant can be reached, or not."""
    known.submitted_at = told.at
    hear_reach(known, told, channels)


def hear_reach(known: Known, told: Told, channels: tuple[str, ...]) -> None:
    """From this event on the applicant can be reached in these ways."""
    known.reach.append([told.sequence, [channel for channel in channels if channel in CHANNELS]])


def hear_receipt(known: Known, told: Told, code: str) -> None:
    """The dossier has its code; "received" is told once sla says the due date, or that there is none."""
    known.code = code
    known.received = [str(told.event_id), told.sequence, told.at.isoformat()]


def hear_clock(known: Known, clock: Clock) -> list[Alert]:
    """An event of sla; it waits while the receipt, or an event of intake that it reflects, has not been heard."""
    known.early.append(clock.to_json())
    return hear_waiting(known)


def hear_settlement(known: Known, told: Told, *, electronic: bool) -> list[Alert]:
    """The department decided: an electronic result can be had at once, one on paper once it has arrived, too."""
    if electronic:
        return _tell_result(known, told, "result_ready_electronic")
    return _tell_result(known, told, "result_ready") if known.result_arrived else []


def hear_arrival(known: Known, told: Told) -> list[Alert]:
    """The result lies at the returning place. It may do so in any open state, and is ready once it is settled, too."""
    known.result_arrived = True
    return _tell_result(known, told, "result_ready") if known.state == "settled" else []


def hear_reopening(known: Known) -> None:
    """The dossier is worked on again: it will have another result, which is told when that is there."""
    known.result_arrived = known.result_told = False


def call(known: Known, told: Told, moment: str, *, template: str | None = None, **values: Any) -> Alert:
    """The alert that an event of intake calls for, reaching the applicant as was possible at that event."""
    return _alert(known, told.event_id, told.sequence, moment, template or moment, told.at, values)


def hear_place(known: Known, at: datetime, place: dict[str, Any]) -> None:
    """Where to go, as routing says from that instant on."""
    known.place = place
    _keep(known, "place", at, place)


def as_of(known: Known, instant: datetime) -> Known:
    """What was known at that instant, itself included, of state, due date and place; the rest as it stands now."""
    state, since = _then(known, "state", instant) or ("", 0)
    due_at = _then(known, "due", instant)
    return replace(
        known,
        state=state,
        state_since=since,
        due_at=datetime.fromisoformat(due_at) if due_at else None,
        place=_then(known, "place", instant),
    )


def _keep(known: Known, part: str, at: datetime, value: Any) -> None:
    known.course = known.course | {part: [*known.course.get(part, []), [at.isoformat(), value]]}


def _then(known: Known, part: str, instant: datetime) -> Any:
    kept = reversed(known.course.get(part, []))
    return next((value for since, value in kept if datetime.fromisoformat(since) <= instant), None)


def is_overtaken(known: Known, *, moment: str, dossier_sequence: int, due_at: datetime | None) -> bool:
    """Whether a later event made an alert untrue: another state, or another due date than the `due_at` that it
    names."""
    if known.state_since > dossier_sequence and known.state not in ALLOWED_LATER.get(moment, ()):
        return True
    return moment in ("received", "due_date_changed") and due_at != known.due_at


def _apply(known: Known, clock: Clock) -> list[Alert]:
    if clock.paused:
        known.paused = True
        return []
    was_paused, before = known.paused, known.due_at
    known.paused, known.due_at = False, clock.due_at
    if clock.due_at != before:
        _keep(known, "due", clock.told.at, clock.due_at.isoformat() if clock.due_at else None)
    if not known.received_told:
        return _tell_receipt(known, clock)
    if clock.due_at is None or clock.due_at == before:
        return []
    # A later date that the applicant's own papers or payment did not cause needs an apology (form 04).
    delayed = before is not None and clock.due_at > before and not was_paused
    values = {"due_at": clock.due_at.isoformat(), "due_before": before.isoformat() if before else None}
    told, template = clock.told, "due_date_delayed" if delayed else "due_date_changed"
    return [_alert(known, told.event_id, clock.reflects, "due_date_changed", template, told.at, values)]


def _tell_result(known: Known, told: Told, template: str) -> list[Alert]:
    """Told once, whether it is electronic or lies at the returning place."""
    if known.result_told:
        return []
    known.result_told = True
    return [call(known, told, "result_ready", template=template)]


def _tell_receipt(known: Known, clock: Clock) -> list[Alert]:
    if known.received is None:
        return []
    known.received_told = True
    event_id, sequence, at = known.received
    values = {"due_at": clock.due_at.isoformat() if clock.due_at else None, "at": at}
    template = "received" if clock.due_at else "received_no_due"
    valid_from = max(clock.told.at, datetime.fromisoformat(at))
    return [_alert(known, UUID(event_id), sequence, "received", template, valid_from, values)]


def _alert(
    known: Known, event_id: UUID, sequence: int, moment: str, template: str, at: datetime, values: dict[str, Any]
) -> Alert:
    common = {
        "at": at.isoformat(),
        "code": known.code,
        "submitted_at": known.submitted_at.isoformat() if known.submitted_at else None,
    }
    channels = next((tuple(ways) for since, ways in reversed(known.reach) if since <= sequence), ())
    return Alert(event_id, sequence, moment, template, at, channels or (UNREACHABLE,), common | values)
