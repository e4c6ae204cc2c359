"""Publishing the centre's compiled calendar, when it differs from the one published last."""

import hashlib

import asyncpg
import structlog

from services.sla.domain.calendar import Calendar
from services.sla.handlers import SLA
from services.sla.store import CALENDARS
from shared.contracts.calendars import CalendarException, CalendarPublishedV1
from shared.messaging.service import Context
from shared.postgres.facts import Cause

CALENDAR_PUBLISHED = "calendar_published"
_TRIES = 3

log = structlog.get_logger(__name__)


def as_event(calendar: Calendar, version: int) -> CalendarPublishedV1:
    """The compiled calendar as it travels."""
    rules, worktime = calendar.rules, calendar.worktime
    return CalendarPublishedV1(
        name=rules.name,
        version=version,
        zone=rules.zone,
        first_date=rules.first_date,
        last_date=rules.last_date,
        standard_day_seconds=int(calendar.standard_day.total_seconds()),
        opens=tuple(int(instant.timestamp()) for instant in worktime.opens),
        closes=tuple(int(instant.timestamp()) for instant in worktime.closes),
        exceptions=tuple(
            CalendarException(
                date=each.on,
                kind=each.kind,
                decided_by=each.decided_by,
                known_from=each.known_from,
                status=each.status,
            )
            for each in rules.exceptions
        ),
        decision=rules.decision,
    )


def digest_of(calendar: Calendar) -> str:
    """Equal for calendars that say the same, whatever their version."""
    return hashlib.sha256(as_event(calendar, version=0).model_dump_json().encode()).hexdigest()


async def publish(context: Context, calendar: Calendar) -> int:
    """Publish the calendar if it differs from its last version; gives the version that now stands. Commits.

    Replicas that start together meet at the row: the later one finds it published.
    """
    name, digest = calendar.rules.name, digest_of(calendar)
    for left in reversed(range(_TRIES)):
        try:
            async with context.unit(CALENDARS, [name]) as (_, unit):
                row = unit.row(name)
                if row.digest == digest:
                    return row.version
                row.version += 1
                row.digest = digest
                now = context.clock.now()
                cause_id = f"calendar|{name}|{row.version}|{digest}"
                cause = Cause(id=cause_id, actor=SLA, recorded_at=now, correlation=cause_id, causation=cause_id)
                unit.publish(row, as_event(calendar, row.version), time=now, cause=cause)
                version = row.version
        except asyncpg.UniqueViolationError:  # another replica published the first version meanwhile
            if not left:
                raise
        else:
            log.info(CALENDAR_PUBLISHED, calendar=name, version=version)
            return version
    raise AssertionError("the last try returns or raises")
