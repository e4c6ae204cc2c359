"""Building of the event of a published calendar version, and the digest of its content."""

import hashlib

from services.sla.domain.calendar import Calendar
from shared.contracts.calendars import CalendarPublishedV1, PublishedException


def calendar_event(calendar: Calendar, version: int, decision: str | None) -> CalendarPublishedV1:
    """Build the event that publishes this version of the calendar; does not publish it.

    `decision` is the number of the document by which the version was made (None: unknown).
    """
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
            PublishedException(
                date=each.on,
                kind=each.kind,
                decided_by=each.decided_by,
                known_from=each.known_from,
                status=each.status,
            )
            for each in rules.exceptions
        ),
        decision=decision,
    )


def content_digest(calendar: Calendar) -> str:
    """Return a digest of the calendar's published content, without the version: equal content has an equal digest."""
    event = calendar_event(calendar, version=0, decision=calendar.rules.decision)
    return hashlib.sha256(event.model_dump_json().encode()).hexdigest()
