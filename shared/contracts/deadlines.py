"""What sla tells: a dossier's clock and its due date (`sla.deadlines.v1`).

`dossier_sequence` is the last event of intake that the clock reflects.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.envelope import EventData, Instant, Open, Wire
from shared.contracts.topics import DEADLINES


class Term(Wire):
    """How long the law gives. `value` counts units; 0 only with `same_day`. `cut_off` is a local time, HH:MM."""

    value: int = Field(ge=0)
    unit: Open[Literal["working_hour", "working_day", "calendar_day", "same_day"]]
    counting: Open[Literal["by_hours", "by_days"]] = "by_hours"
    cut_off: str | None = None


class DeadlineEvent(EventData):
    """Common to all: which clock, and what it reflects. `generation` grows with every change of the clock."""

    TOPIC: ClassVar[str] = DEADLINES.name

    dossier_sequence: int
    generation: int


class DeadlineSetV1(DeadlineEvent):
    """The clock runs towards `due_at`. `provisional`: it crosses a projected exception; `crosses_unconfirmed` names
    unconfirmed ones, which do not count."""

    TYPE: ClassVar[str] = "deadline.set"

    due_at: Instant
    due_date: date
    counted_from: Instant
    term: Term
    calendar: str
    calendar_version: int
    provisional: bool = False
    crosses_unconfirmed: tuple[date, ...] = ()


class DeadlineMovedV1(DeadlineSetV1):
    """The calendar changed and moved the due date of a running clock, by the decision `decided_by`; the promise before
    was `previous_due_at`."""

    TYPE: ClassVar[str] = "deadline.moved"

    previous_due_at: Instant
    decided_by: str


class DeadlinePausedV1(DeadlineEvent):
    """The clock stands. While it does there is no due date, only what remains: working seconds, or (for a term in
    calendar days) those. Nothing remains where the pause began after the due date, which then stays what it was."""

    TYPE: ClassVar[str] = "deadline.paused"

    ground: Open[Literal["supplement", "payment"]]
    remaining_working_seconds: int | None = None
    remaining_calendar_days: int | None = None


class DeadlineNoneV1(DeadlineEvent):
    """The procedure has no term: no due date, said plainly."""

    TYPE: ClassVar[str] = "deadline.none"


class DeadlineWaitingV1(DeadlineEvent):
    """No due date can be derived yet: the catalogue does not know the procedure, or the calendar ends before the due
    date. Listed until somebody enters what is missing."""

    TYPE: ClassVar[str] = "deadline.waiting"

    procedure: str
    waiting_for: Open[Literal["procedure", "calendar"]] = "procedure"


class DeadlineEndedV1(DeadlineEvent):
    """The clock ended. `outcome` is judged by local date; absent where nothing was settled or no date was due."""

    TYPE: ClassVar[str] = "deadline.ended"

    how: Open[Literal["settled", "withdrawn", "stopped"]]
    due_at: Instant | None = None
    outcome: Open[Literal["early", "on_time", "late"]] | None = None


class ThresholdEvent(DeadlineEvent):
    """A threshold of one due date was passed."""

    due_at: Instant
    threshold_at: Instant


class DeadlineNearV1(ThresholdEvent):
    """The due date is near; told in working time."""

    TYPE: ClassVar[str] = "deadline.near"

    remaining_working_seconds: int


class DeadlineAtRiskV1(ThresholdEvent):
    """The steps that remain no longer fit into the time that is left: time to draft an apology, before it is late.

    `step` is the one under way, `needed_working_seconds` what its internal term and those after it still take,
    `remaining_working_seconds` the time left.
    """

    TYPE: ClassVar[str] = "deadline.at_risk"

    step: int = Field(ge=1)
    needed_working_seconds: int
    remaining_working_seconds: int


class DeadlineReachedV1(ThresholdEvent):
    """`due_at` has come and the dossier is not settled."""

    TYPE: ClassVar[str] = "deadline.reached"


class DeadlineBreachedV1(ThresholdEvent):
    """The local date of `due_at` ended unsettled: what reports call late."""

    TYPE: ClassVar[str] = "deadline.breached"


class DeadlineEscalatedV1(ThresholdEvent):
    """Still unsettled some working hours after the breach; `level` counts from 1."""

    TYPE: ClassVar[str] = "deadline.escalated"

    level: int = Field(ge=1)


class DeadlinePauseExceededV1(DeadlineEvent):
    """A pause that began at `paused_at` has lasted longer than the centre's ceiling, from `threshold_at` on: an officer
    asks again, or stops the dossier."""

    TYPE: ClassVar[str] = "deadline.pause_exceeded"

    ground: Open[Literal["supplement", "payment"]]
    paused_at: Instant
    threshold_at: Instant


class DeadlineRetractedV1(DeadlineEvent):
    """By an act recorded later, a changed calendar or other steps, a fired threshold had not come: it is not true.

    `fired` is the event type that is taken back, `level` its escalation level or its step; the same may come true
    later. `due_at` is the due date that it was about, or the beginning of the pause.
    """

    TYPE: ClassVar[str] = "deadline.retracted"

    fired: str
    level: int | None = None
    due_at: Instant
    threshold_at: Instant
