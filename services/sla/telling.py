"""Deadlines and thresholds as the events that are told of them."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import Deadline
from services.sla.domain.steps import needed
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
from shared.contracts.deadlines import Term as ToldTerm
from shared.kernel.centre import ProcedureStep, Term

BOOKKEEPING = {"dossier_sequence", "generation", "calendar_version"}
"""Members that say which clock and which rules are meant, and nothing of what the clock has come to."""

_NOT_SAID = BOOKKEEPING | {"previous_due_at", "decided_by"}
_SECOND = timedelta(seconds=1)


class Moved(NamedTuple):
    """What a changed calendar did to a running clock: the promise before, and by which decisions."""

    previous_due_at: datetime
    decided_by: str


def tell(
    deadline: Deadline,
    *,
    procedure: str,
    calendar: Calendar,
    version: int,
    dossier_sequence: int,
    generation: int,
    moved: Moved | None = None,
) -> DeadlineEvent:
    """The one event that says what a clock has come to; of a running one whose due date was `moved`, that too."""
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
            remaining_working_seconds=None if in_days else seconds(deadline.remaining),
            remaining_calendar_days=deadline.remaining_days,
        )
    assert deadline.due_at is not None  # a running clock with a term
    assert deadline.due_date is not None
    assert deadline.counted_from is not None
    promise: dict[str, Any] = {
        "dossier_sequence": dossier_sequence,
        "generation": generation,
        "due_at": deadline.due_at,
        "due_date": deadline.due_date,
        "counted_from": deadline.counted_from,
        "term": told_term(deadline.term),
        "calendar": calendar.rules.name,
        "calendar_version": version,
        "provisional": deadline.provisional,
        "crosses_unconfirmed": deadline.crosses_unconfirmed,
    }
    return DeadlineSetV1(**promise) if moved is None else DeadlineMovedV1(**promise, **moved._asdict())


def digest_of(event: DeadlineEvent) -> str:
    """Equal for events that say the same of a clock, a promise kept or moved. Members left at their defaults do not
    count: new ones may come."""
    kind = DeadlineSetV1.TYPE if isinstance(event, DeadlineMovedV1) else event.TYPE
    said = event.model_dump_json(exclude=_NOT_SAID, exclude_defaults=True)
    return hashlib.sha256(f"{kind} {said}".encode()).hexdigest()[:16]


def tell_fired(
    threshold: Threshold,
    deadline: Deadline | None,
    steps: Sequence[ProcedureStep],
    calendar: Calendar,
    *,
    dossier_sequence: int,
    generation: int,
) -> DeadlineEvent:
    """The event that a threshold of that deadline has passed; `steps` are those that the thresholds followed from.

    The deadline is not asked where the threshold follows from the due date alone.
    """
    common: dict[str, Any] = {
        "dossier_sequence": dossier_sequence,
        "generation": generation,
        "threshold_at": threshold.at,
    }
    if threshold.level == "pause_exceeded":
        assert deadline is not None
        assert deadline.ground is not None  # it stands, and an act began it
        return DeadlinePauseExceededV1(**common, ground=deadline.ground, paused_at=threshold.about)
    common["due_at"] = threshold.about
    match threshold.level:
        case "near":
            return DeadlineNearV1(**common, remaining_working_seconds=_left(threshold, calendar))
        case "at_risk":
            assert deadline is not None
            return DeadlineAtRiskV1(
                **common,
                step=threshold.step,
                needed_working_seconds=needed(deadline, steps, calendar, threshold.at) // _SECOND,
                remaining_working_seconds=_left(threshold, calendar),
            )
        case "reached":
            return DeadlineReachedV1(**common)
        case "breached":
            return DeadlineBreachedV1(**common)
        case "escalated":
            return DeadlineEscalatedV1(**common, level=threshold.step)


def _left(threshold: Threshold, calendar: Calendar) -> int:
    return calendar.worktime.elapsed(threshold.at, threshold.about) // _SECOND


TYPES: dict[Level, str] = {
    "near": DeadlineNearV1.TYPE,
    "at_risk": DeadlineAtRiskV1.TYPE,
    "reached": DeadlineReachedV1.TYPE,
    "breached": DeadlineBreachedV1.TYPE,
    "escalated": DeadlineEscalatedV1.TYPE,
    "pause_exceeded": DeadlinePauseExceededV1.TYPE,
}
"""The event by which each level is told."""


def tell_retracted(threshold: Threshold, *, dossier_sequence: int, generation: int) -> DeadlineRetractedV1:
    """The event that a threshold was told and was not so."""
    return DeadlineRetractedV1(
        dossier_sequence=dossier_sequence,
        generation=generation,
        fired=TYPES[threshold.level],
        level=threshold.step or None,
        due_at=threshold.about,
        threshold_at=threshold.at,
    )


@cache
def told_term(term: Term) -> ToldTerm:
    """A term as it travels."""
    return ToldTerm(
        value=term.value,
        unit=term.unit,
        counting=term.counting,
        cut_off=None if term.cut_off is None else term.cut_off.isoformat("minutes"),
    )


def seconds(duration: timedelta | None) -> int | None:
    """Whole seconds of a working time; what is left of one is not told."""
    return None if duration is None else duration // _SECOND
