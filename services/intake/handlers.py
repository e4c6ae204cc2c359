"""What events of routing and sla do to a dossier here: pure changes of its locked row."""

from datetime import datetime
from typing import Any

import structlog

from services.intake.elsewhere import received_elsewhere
from services.intake.tables import DOSSIERS, DossierRow
from shared.contracts import assignments, calendars, deadlines, topics
from shared.contracts.envelope import EventEnvelope
from shared.messaging.applier import Stream
from shared.postgres.published_calendars import CALENDARS, on_calendar_published
from shared.postgres.unit_of_work import Unit

ASSIGNMENT_DIFFERS = "assignment_differs"

_log = structlog.get_logger(__name__)

Due = dict[str, Any]


def on_assignment_decided(event: EventEnvelope[assignments.AssignmentDecidedV1], unit: Unit[DossierRow]) -> None:
    """Keep the receiving place; tell `received_elsewhere` if the dossier was received at another counter.

    The competent department stays the one of the submission. A first assignment gives one where none was known, and a
    differing one is listed; later assignments replace it, unless a further step has begun since.
    """
    row, told = unit.row(event.dossier_id), event.data
    later = row.assignment is not None
    row.assignment = {
        "receiving_department": told.receiving_place.department,
        "counters": list(told.receiving_place.counters),
        "competent_department": told.competent_department,
        "returning_place": told.returning_place,
        "reason": told.reason.text,
    }
    if told.step < row.step:
        pass  # it was told before that step began
    elif row.department is None or later:
        row.department = told.competent_department
    elif row.department != told.competent_department:
        _log.warning(
            ASSIGNMENT_DIFFERS, dossier=str(row.key), here=row.department, by_routing=told.competent_department
        )
    elsewhere = None if later else received_elsewhere(row)
    if elsewhere is not None and row.received_at is not None:
        unit.publish(row, elsewhere, time=row.received_at, cause=unit.cause_of(event))


def on_deadline_set(event: EventEnvelope[deadlines.DeadlineSetV1], unit: Unit[DossierRow]) -> None:
    """The clock runs towards a due date."""
    told = event.data
    _keep(
        event,
        unit,
        "set",
        due_at=_z(told.due_at),
        due_date=told.due_date.isoformat(),
        provisional=told.provisional,
        crosses_unconfirmed=[day.isoformat() for day in told.crosses_unconfirmed],
    )


def on_deadline_paused(event: EventEnvelope[deadlines.DeadlinePausedV1], unit: Unit[DossierRow]) -> None:
    """The clock stands: no due date, only what remains."""
    told = event.data
    _keep(
        event,
        unit,
        "paused",
        ground=told.ground,
        remaining_working_seconds=told.remaining_working_seconds,
        remaining_calendar_days=told.remaining_calendar_days,
    )


def on_deadline_none(event: EventEnvelope[deadlines.DeadlineNoneV1], unit: Unit[DossierRow]) -> None:
    """The procedure has no term."""
    _keep(event, unit, "none")


def on_deadline_waiting(event: EventEnvelope[deadlines.DeadlineWaitingV1], unit: Unit[DossierRow]) -> None:
    """No due date can be derived yet; what is waited for (an entry of the procedure, a calendar) is kept, too."""
    _keep(event, unit, "waiting", waiting_for=event.data.waiting_for)


def on_deadline_ended(event: EventEnvelope[deadlines.DeadlineEndedV1], unit: Unit[DossierRow]) -> None:
    """The clock ended."""
    told = event.data
    due_at = _z(told.due_at) if told.due_at else None
    _keep(event, unit, "ended", how=told.how, due_at=due_at, outcome=told.outcome)


def _keep(event: EventEnvelope[Any], unit: Unit[DossierRow], status: str, **members: Any) -> None:
    told: deadlines.DeadlineEvent = event.data
    present = {name: value for name, value in members.items() if value is not None}
    unit.row(event.dossier_id).due = {"status": status, "reflects": told.dossier_sequence, **present}


def _z(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


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
