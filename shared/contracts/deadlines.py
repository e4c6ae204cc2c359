"""Events of sla about a dossier's clock and due date (`sla.deadlines.v1`).

`dossier_sequence` is the sequence of the last event of intake that the clock includes.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.envelope import ContractModel, EventData, Instant, Open
from shared.contracts.topics import DEADLINES


class Term(ContractModel):
    """The procedure's term, as the law sets it: `value` in `unit`. `value` is 0 only for `same_day`.

    The term of a dossier that is received after `cut_off` (a local time, HH:MM) is counted from the next working day.
    """

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
    """The clock runs; the dossier is due at `due_at`.

    `provisional` is true if a projected exception of the calendar is before the due date. `crosses_unconfirmed` lists
    the dates of the unconfirmed exceptions before the due date, which are not counted.
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
    """A change of the calendar moved the due date of a running clock from `previous_due_at` to `due_at`.

    `decided_by` names the decisions about the calendar since the previous due date was derived.
    """

    TYPE: ClassVar[str] = "deadline.moved"

    previous_due_at: Instant
    decided_by: str


class DeadlinePausedV1(DeadlineEvent):
    """The clock is paused. The dossier has no due date until the clock continues.

    The remaining time is in working seconds, or in calendar days for a term in calendar days. It is 0 if the pause
    began after the due date; the due date is then the same when the clock continues.
    """

    TYPE: ClassVar[str] = "deadline.paused"

    ground: Open[Literal["supplement", "payment"]]
    remaining_working_seconds: int | None = None
    remaining_calendar_days: int | None = None


class DeadlineNoneV1(DeadlineEvent):
    """The procedure has no term, so the dossier has no due date."""

    TYPE: ClassVar[str] = "deadline.none"


class DeadlineWaitingV1(DeadlineEvent):
    """No due date can be derived yet. The dossier is in the list of waiting dossiers until one can.

    Either the catalogue does not contain the procedure (`waiting_for` is `procedure`), or the calendar ends before the
    due date (`calendar`).
    """

    TYPE: ClassVar[str] = "deadline.waiting"

    procedure: str
    waiting_for: Open[Literal["procedure", "calendar"]] = "procedure"


class DeadlineEndedV1(DeadlineEvent):
    """The clock ended, because the dossier was settled, withdrawn or stopped.

    `outcome` compares the local date of the settlement with that of the due date; it is absent if the dossier was not
    settled or had no due date.
    """

    TYPE: ClassVar[str] = "deadline.ended"

    how: Open[Literal["settled", "withdrawn", "stopped"]]
    due_at: Instant | None = None
    outcome: Open[Literal["early", "on_time", "late"]] | None = None


class ThresholdEvent(DeadlineEvent):
    """The members of all events about a threshold of the due date `due_at`. It was passed at `threshold_at`."""

    due_at: Instant
    threshold_at: Instant


class DeadlineNearV1(ThresholdEvent):
    """The due date is near: at `threshold_at`, `remaining_working_seconds` were left until `due_at`."""

    TYPE: ClassVar[str] = "deadline.near"

    remaining_working_seconds: int


class DeadlineAtRiskV1(ThresholdEvent):
    """The remaining steps need more working time than is left until the due date. An extension can still be prepared.

    At `threshold_at`, `step` was the current step, `needed_working_seconds` the rest of its internal term plus the
    internal terms of the later steps, and `remaining_working_seconds` the working time left until `due_at`.
    """

    TYPE: ClassVar[str] = "deadline.at_risk"

    step: int = Field(ge=1)
    needed_working_seconds: int
    remaining_working_seconds: int


class DeadlineReachedV1(ThresholdEvent):
    """The due date has come: `due_at` has passed, and the dossier is not settled. It is not late yet."""

    TYPE: ClassVar[str] = "deadline.reached"


class DeadlineBreachedV1(ThresholdEvent):
    """The dossier counts as late: the local date of `due_at` has ended, and the dossier is not settled."""

    TYPE: ClassVar[str] = "deadline.breached"


class DeadlineEscalatedV1(ThresholdEvent):
    """The dossier is late and still not settled some working hours after the breach.

    `level` is the number of the escalation, from 1; the centre's thresholds set the hours of each.
    """

    TYPE: ClassVar[str] = "deadline.escalated"

    level: int = Field(ge=1)


class DeadlinePauseExceededV1(DeadlineEvent):
    """The pause that began at `paused_at` is longer than the centre's limit from `threshold_at` on.

    An officer is to ask the applicant again, or to stop the dossier.
    """

    TYPE: ClassVar[str] = "deadline.pause_exceeded"

    ground: Open[Literal["supplement", "payment"]]
    paused_at: Instant
    threshold_at: Instant


class DeadlineRetractedV1(DeadlineEvent):
    """An earlier threshold event is retracted: an act recorded later, a changed calendar or other steps disprove it.

    `fired` is the type of the retracted event, and `threshold_at` its instant. `level` is its escalation level or, if
    the dossier was at risk, its step; otherwise absent. `due_at` is the due date of the retracted event, or the
    beginning of the pause. The same threshold may be passed again later.
    """

    TYPE: ClassVar[str] = "deadline.retracted"

    fired: str
    level: int | None = None
    due_at: Instant
    threshold_at: Instant
