"""Handlers of routing's and sla's events: each changes a locked dossier in memory, without SQL."""

from typing import Any

import structlog

from services.intake.domain.instants import iso
from services.intake.dossiers.acts.receive import received_elsewhere
from services.intake.dossiers.store import DOSSIERS, DossierRow
from shared.contracts import assignments, calendars, deadlines, topics
from shared.contracts.envelope import EventData, EventEnvelope
from shared.messaging.applier import Stream
from shared.postgres.published_calendars import CALENDARS, on_calendar_published
from shared.postgres.unit_of_work import Unit

ASSIGNMENT_DIFFERS = "assignment_differs"

_log = structlog.get_logger(__name__)


def on_assignment_decided(event: EventEnvelope[assignments.AssignmentDecidedV1], unit: Unit[DossierRow]) -> None:
    """Store routing's assignment, and log a warning if its competent department differs from the dossier's.

    If it is the dossier's first assignment, and the dossier was already received at another counter than the assigned
    ones, publishes `dossier.received_elsewhere`.
    """
    row, data = unit.row(event.dossier_id), event.data
    is_first = row.assignment is None
    differs = row.assign(
        {
            "receiving_department": data.receiving_place.department,
            "counters": list(data.receiving_place.counters),
            "competent_department": data.competent_department,
            "returning_place": data.returning_place,
            "reason": data.reason.text,
        },
        step=data.step,
        department=data.competent_department,
    )
    if differs:
        _log.warning(
            ASSIGNMENT_DIFFERS, dossier=str(row.key), here=row.department, by_routing=data.competent_department
        )
    elsewhere = received_elsewhere(row) if is_first else None
    if elsewhere is not None and row.received_at is not None:
        unit.publish(row, elsewhere, time=row.received_at, cause=unit.cause_of(event))


def on_deadline_set(event: EventEnvelope[deadlines.DeadlineSetV1], unit: Unit[DossierRow]) -> None:
    """Store in `due` that the clock runs towards a due date; sla set or moved it."""
    data = event.data
    _store_due(
        event,
        unit,
        "set",
        due_at=iso(data.due_at),
        due_date=data.due_date.isoformat(),
        provisional=data.provisional,
        crosses_unconfirmed=[day.isoformat() for day in data.crosses_unconfirmed],
    )


def on_deadline_paused(event: EventEnvelope[deadlines.DeadlinePausedV1], unit: Unit[DossierRow]) -> None:
    """Store in `due` that the clock is paused: it has no due date, only remaining time."""
    data = event.data
    _store_due(
        event,
        unit,
        "paused",
        ground=data.ground,
        remaining_working_seconds=data.remaining_working_seconds,
        remaining_calendar_days=data.remaining_calendar_days,
    )


def on_deadline_none(event: EventEnvelope[deadlines.DeadlineNoneV1], unit: Unit[DossierRow]) -> None:
    """Store in `due` that the procedure has no term, and so the dossier no due date."""
    _store_due(event, unit, "none")


def on_deadline_waiting(event: EventEnvelope[deadlines.DeadlineWaitingV1], unit: Unit[DossierRow]) -> None:
    """Store in `due` that no due date can be derived yet.

    `waiting_for` names what is missing (the procedure's entry, a calendar).
    """
    _store_due(event, unit, "waiting", waiting_for=event.data.waiting_for)


def on_deadline_ended(event: EventEnvelope[deadlines.DeadlineEndedV1], unit: Unit[DossierRow]) -> None:
    """Store in `due` that the clock ended, how, and with which due date and outcome."""
    data = event.data
    due_at = iso(data.due_at) if data.due_at else None
    _store_due(event, unit, "ended", how=data.how, due_at=due_at, outcome=data.outcome)


def _store_due(event: EventEnvelope[Any], unit: Unit[DossierRow], status: str, **members: Any) -> None:
    data: deadlines.DeadlineEvent = event.data
    present = {name: value for name, value in members.items() if value is not None}
    unit.row(event.dossier_id).set_due({"status": status, "reflects": data.dossier_sequence, **present})


STREAMS = (
    Stream(
        topic=topics.ASSIGNMENTS,
        table=DOSSIERS,
        handlers={assignments.AssignmentDecidedV1: on_assignment_decided},
    ),
    Stream(
        topic=topics.DEADLINES,
        table=DOSSIERS,
        handlers={
            deadlines.DeadlineSetV1: on_deadline_set,
            deadlines.DeadlineMovedV1: on_deadline_set,
            deadlines.DeadlinePausedV1: on_deadline_paused,
            deadlines.DeadlineNoneV1: on_deadline_none,
            deadlines.DeadlineWaitingV1: on_deadline_waiting,
            deadlines.DeadlineEndedV1: on_deadline_ended,
        },
    ),
    Stream(topic=topics.CALENDARS, table=CALENDARS, handlers={calendars.CalendarPublishedV1: on_calendar_published}),
)
"""The consumed topics, and the handler of each event type."""

IGNORED: frozenset[type[EventData]] = frozenset(
    {
        assignments.AssignmentWaitingV1,
        deadlines.DeadlineAtRiskV1,
        deadlines.DeadlineBreachedV1,
        deadlines.DeadlineEscalatedV1,
        deadlines.DeadlineNearV1,
        deadlines.DeadlinePauseExceededV1,
        deadlines.DeadlineReachedV1,
        deadlines.DeadlineRetractedV1,
    }
)
"""The event types of the consumed topics without a handler: they change neither the assignment nor the due date."""
