"""Events of sla about a dossier's clock and due date (`sla.deadlines.v1`).

`dossier_sequence` is the last event of intake that the clock reflects.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.envelope import ContractModel, EventData, Instant, Open
from shared.contracts.topics import DEADLINES


class Term(ContractModel):
    """The term that the law sets. `value` is 0 only with `same_day`. `cut_off` is a local time, HH:MM."""

    value: int = Field(ge=0)
    unit: Open[Literal["working_hour", "working_day", "calendar_day", "same_day"]]
    counting: Open[Literal["by_hours", "by_days"]] = "by_hours"
    cut_off: str | None = None


class DeadlineEvent(EventData):
    """The members of all deadline events. `generation` increases with every change of the clock."""

    TOPIC: ClassVar[str] = DEADLINES.name

    dossier_sequence: int
    generation: int


class DeadlineSetV1(DeadlineEvent):
    """The clock runs, and the dossier is due at `due_at`.

    `provisional`: a projected exception is before the due date. `crosses_unconfirmed` are unconfirmed exceptions before
    it, which do not count.
    """

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
    """A change of the calendar, by the decision `decided_by`, moved the due date of a running clock.

    The due date was `previous_due_at` before.
    """

    TYPE: ClassVar[str] = "deadline.moved"

    previous_due_at: Instant
    decided_by: str


class DeadlinePausedV1(DeadlineEvent):
    """The clock is paused, and the dossier has no due date until it continues.

    The remaining time is in working seconds, or in calendar days for a term in calendar days. It is 0 if the pause
    began after the due date, which then does not change.
    """

    TYPE: ClassVar[str] = "deadline.paused"

    ground: Open[Literal["supplement", "payment"]]
    remaining_working_seconds: int | None = None
    remaining_calendar_days: int | None = None


class DeadlineNoneV1(DeadlineEvent):
    """The procedure has no term, so the dossier has no due date."""

    TYPE: ClassVar[str] = "deadline.none"


class DeadlineWaitingV1(DeadlineEvent):
    """No due date can be derived yet, and the dossier is listed until it can.

    Either the catalogue does not contain the procedure, or the calendar ends before the due date.
    """

    TYPE: ClassVar[str] = "deadline.waiting"

    procedure: str
    waiting_for: Open[Literal["procedure", "calendar"]] = "procedure"


class DeadlineEndedV1(DeadlineEvent):
    """The clock ended. `outcome` compares local dates; it is absent if nothing was settled or no date was due."""

    TYPE: ClassVar[str] = "deadline.ended"

    how: Open[Literal["settled", "withdrawn", "stopped"]]
    due_at: Instant | None = None
    outcome: Open[Literal["early", "on_time", "late"]] | None = None


class ThresholdEvent(DeadlineEvent):
    """The members of all events about a threshold of one due date."""

    due_at: Instant
    threshold_at: Instant


class DeadlineNearV1(ThresholdEvent):
    """The due date is near: `remaining_working_seconds` are left."""

    TYPE: ClassVar[str] = "deadline.near"

    remaining_working_seconds: int


class DeadlineAtRiskV1(ThresholdEvent):
    """The remaining steps need more time than is left, so an extension can be prepared before the dossier is late.

    `step` is the current step, `needed_working_seconds` the rest of its internal term and the terms of later steps,
    `remaining_working_seconds` the time left.
    """

    TYPE: ClassVar[str] = "deadline.at_risk"

    step: int = Field(ge=1)
    needed_working_seconds: int
    remaining_working_seconds: int


class DeadlineReachedV1(ThresholdEvent):
    """`due_at` has passed, and the dossier is not settled."""

    TYPE: ClassVar[str] = "deadline.reached"


class DeadlineBreachedV1(ThresholdEvent):
    """The local date of `due_at` has ended, and the dossier is not settled: reports count it as late."""

    TYPE: ClassVar[str] = "deadline.breached"


class DeadlineEscalatedV1(ThresholdEvent):
    """The dossier is still not settled some working hours after the breach; `level` counts from 1."""

    TYPE: ClassVar[str] = "deadline.escalated"

    level: int = Field(ge=1)


class DeadlinePauseExceededV1(DeadlineEvent):
    """A pause that began at `paused_at` exceeds the centre's limit from `threshold_at` on.

    An officer asks the applicant again, or stops the dossier.
    """

    TYPE: ClassVar[str] = "deadline.pause_exceeded"

    ground: Open[Literal["supplement", "payment"]]
    paused_at: Instant
    threshold_at: Instant


class DeadlineRetractedV1(DeadlineEvent):
    """A threshold event is retracted: an act recorded later, a changed calendar or other steps disprove it.

    `fired` is the type of the retracted event, `level` its escalation level or its step. The same threshold may be
    passed again later. `due_at` is the due date of the retracted event, or the beginning of the pause.
    """

    TYPE: ClassVar[str] = "deadline.retracted"

    fired: str
    level: int | None = None
    due_at: Instant
    threshold_at: Instant
