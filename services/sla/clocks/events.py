"""Building of the events about deadlines and thresholds from the domain's values. Publishes nothing."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import Deadline
from services.sla.domain.steps import needed_time
from services.sla.domain.thresholds import Level, Threshold
from shared.contracts.deadlines import (
    DeadlineAtRiskV1,
    DeadlineBreachedV1,
    DeadlineEndedV1,
    DeadlineEscalatedV1,
    DeadlineEvent,
    DeadlineMovedV1,
    DeadlineNearV1,
    DeadlineNoneV1,
    DeadlinePausedV1,
    DeadlinePauseExceededV1,
    DeadlineReachedV1,
    DeadlineRetractedV1,
    DeadlineSetV1,
    DeadlineWaitingV1,
)
from shared.contracts.deadlines import Term as TermData
from shared.kernel.centre import ProcedureStep, Term

BOOKKEEPING = {"dossier_sequence", "generation", "calendar_version"}
"""Members that identify the clock's state and rules; they are not part of the deadline itself."""

_NOT_CONTENT = BOOKKEEPING | {"previous_due_at", "decided_by"}
_SECOND = timedelta(seconds=1)


class DueDateMove(NamedTuple):
    """How a changed calendar moved a running clock's due date: the due date before, and the decisions that moved it."""

    previous_due_at: datetime
    decided_by: str


def deadline_event(
    deadline: Deadline,
    *,
    procedure: str,
    calendar: Calendar,
    version: int,
    dossier_sequence: int,
    generation: int,
    moved: DueDateMove | None = None,
) -> DeadlineEvent:
    """Build the event with a clock's deadline; does not publish it.

    Its type follows from the deadline: ended, waiting, none (no term), paused or set; `moved` makes it a move, for a
    running clock whose due date a changed calendar moved.
    """
    if deadline.ended is not None:
        return DeadlineEndedV1(
            dossier_sequence=dossier_sequence,
            generation=generation,
            how=deadline.ended,
            due_at=deadline.due_at,
            outcome=deadline.outcome,
        )
    if deadline.waiting_for is not None:
        return DeadlineWaitingV1(
            dossier_sequence=dossier_sequence,
            generation=generation,
            procedure=procedure,
            waiting_for=deadline.waiting_for,
        )
    if deadline.term is None:
        return DeadlineNoneV1(dossier_sequence=dossier_sequence, generation=generation)
    if deadline.ground is not None:
        in_days = deadline.remaining_days is not None
        return DeadlinePausedV1(
            dossier_sequence=dossier_sequence,
            generation=generation,
            ground=deadline.ground,
            remaining_working_seconds=None if in_days else whole_seconds(deadline.remaining),
            remaining_calendar_days=deadline.remaining_days,
        )
    assert deadline.due_at is not None  # a running clock with a term
    assert deadline.due_date is not None
    assert deadline.counted_from is not None
    members: dict[str, Any] = {
        "dossier_sequence": dossier_sequence,
        "generation": generation,
        "due_at": deadline.due_at,
        "due_date": deadline.due_date,
        "counted_from": deadline.counted_from,
        "term": term_data(deadline.term),
        "calendar": calendar.rules.name,
        "calendar_version": version,
        "provisional": deadline.provisional,
        "crosses_unconfirmed": deadline.crosses_unconfirmed,
    }
    return DeadlineSetV1(**members) if moved is None else DeadlineMovedV1(**members, **moved._asdict())


def content_digest(event: DeadlineEvent) -> str:
    """Return a digest of the deadline in an event, by which a changed deadline is detected.

    A set and a moved event with the same deadline have the same digest. Members about the clock's state and the rules
    (BOOKKEEPING), and those that only a move has, do not count; nor do members with their default value, so that a new
    member does not change the digest.
    """
    kind = DeadlineSetV1.TYPE if isinstance(event, DeadlineMovedV1) else event.TYPE
    content = event.model_dump_json(exclude=_NOT_CONTENT, exclude_defaults=True)
    return hashlib.sha256(f"{kind} {content}".encode()).hexdigest()[:16]


def threshold_event(
    threshold: Threshold,
    deadline: Deadline | None,
    steps: Sequence[ProcedureStep],
    calendar: Calendar,
    *,
    dossier_sequence: int,
    generation: int,
) -> DeadlineEvent:
    """Build the event for a threshold that has passed; does not publish it.

    `steps` are the steps that the threshold was derived with. `deadline` may be None unless the level is `at_risk` or
    `pause_exceeded`.
    """
    common: dict[str, Any] = {
        "dossier_sequence": dossier_sequence,
        "generation": generation,
        "threshold_at": threshold.at,
    }
    if threshold.level == "pause_exceeded":
        assert deadline is not None
        assert deadline.ground is not None  # an act began the present pause
        return DeadlinePauseExceededV1(**common, ground=deadline.ground, paused_at=threshold.anchor_at)
    common["due_at"] = threshold.anchor_at
    match threshold.level:
        case "near":
            return DeadlineNearV1(**common, remaining_working_seconds=_left(threshold, calendar))
        case "at_risk":
            assert deadline is not None
            return DeadlineAtRiskV1(
                **common,
                step=threshold.step,
                needed_working_seconds=needed_time(deadline, steps, calendar, threshold.at) // _SECOND,
                remaining_working_seconds=_left(threshold, calendar),
            )
        case "reached":
            return DeadlineReachedV1(**common)
        case "breached":
            return DeadlineBreachedV1(**common)
        case "escalated":
            return DeadlineEscalatedV1(**common, level=threshold.step)


def _left(threshold: Threshold, calendar: Calendar) -> int:
    return calendar.worktime.elapsed(threshold.at, threshold.anchor_at) // _SECOND


EVENT_TYPES: dict[Level, str] = {
    "near": DeadlineNearV1.TYPE,
    "at_risk": DeadlineAtRiskV1.TYPE,
    "reached": DeadlineReachedV1.TYPE,
    "breached": DeadlineBreachedV1.TYPE,
    "escalated": DeadlineEscalatedV1.TYPE,
    "pause_exceeded": DeadlinePauseExceededV1.TYPE,
}
"""The event type of each level."""


def retracted_event(threshold: Threshold, *, dossier_sequence: int, generation: int) -> DeadlineRetractedV1:
    """Build the event that retracts a published threshold which later information refuted; does not publish it."""
    return DeadlineRetractedV1(
        dossier_sequence=dossier_sequence,
        generation=generation,
        fired=EVENT_TYPES[threshold.level],
        level=threshold.step or None,
        due_at=threshold.anchor_at,
        threshold_at=threshold.at,
    )


@cache
def term_data(term: Term) -> TermData:
    """Convert a term to the form that it has in events and HTTP responses."""
    return TermData(
        value=term.value,
        unit=term.unit,
        counting=term.counting,
        cut_off=None if term.cut_off is None else term.cut_off.isoformat("minutes"),
    )


def whole_seconds(duration: timedelta | None) -> int | None:
    """Convert a working time to whole seconds, rounded down; None stays None."""
    return None if duration is None else duration // _SECOND
