"""Working calendars as published by sla, for the services that consume `sla.calendars.v1`.

Such a service has a table `calendars` (name, sequence, fences, partition, version, published).
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from shared.contracts.calendars import CalendarPublishedV1
from shared.contracts.envelope import READER_CONTEXT, EventEnvelope
from shared.kernel.errors import CalendarNotAvailableError
from shared.kernel.worktime import Worktime
from shared.postgres.pool import Connection
from shared.postgres.rows import Row, Table
from shared.postgres.unit_of_work import Unit


@dataclass(slots=True, kw_only=True)
class CalendarRow(Row):
    """The last published version of a working calendar; `published` is the event's data."""

    version: int = 0
    published: dict[str, Any] | None = None


CALENDARS = Table(
    CalendarRow, name="calendars", columns={"version": "integer", "published": "jsonb"}, key="name", key_type="text"
)


def on_calendar_published(event: EventEnvelope[CalendarPublishedV1], unit: Unit[CalendarRow]) -> None:
    """Store the newest version."""
    row = unit.row(event.subject)
    row.version = event.data.version
    row.published = event.data.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """A compiled calendar: its version, the working time of a standard day, and the windows."""

    version: int
    standard_day: timedelta
    worktime: Worktime


def parse_published_calendar(published: str | bytes) -> WorkingTime:
    """The compiled calendar from the data of `calendar.published`, as JSON."""
    data = CalendarPublishedV1.model_validate(json.loads(published), context=READER_CONTEXT)
    worktime = Worktime(
        name=data.name,
        zone=data.zone,
        first_date=data.first_date,
        last_date=data.last_date,
        opens=data.opens,
        closes=data.closes,
    )
    return WorkingTime(data.version, timedelta(seconds=data.standard_day_seconds), worktime)


class PublishedCalendar:
    """Reads the last published version of one calendar; parses it again only if its version has changed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._cached: WorkingTime | None = None

    async def read(self, connection: "Connection | asyncpg.Pool") -> WorkingTime | None:
        """The calendar, or None before its first version was consumed."""
        version = await connection.fetchval("select version from calendars where name = $1", self._name)
        if not version:
            return None
        if self._cached is None or self._cached.version != version:
            found = await connection.fetchval("select published from calendars where name = $1", self._name)
            self._cached = parse_published_calendar(found)
        return self._cached

    async def require(self, connection: "Connection | asyncpg.Pool") -> WorkingTime:
        """The calendar. Raises CalendarNotAvailableError before its first version was consumed."""
        found = await self.read(connection)
        if found is None:
            raise CalendarNotAvailableError
        return found
