"""Working calendars as sla publishes them, for the services that consume the topic `sla.calendars.v1`.

Each of these services has a table `calendars` (name, sequence, fences, partition, version, published).
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
    """The row of a working calendar with its last consumed version; `published` is the event's data as plain JSON."""

    version: int = 0
    published: dict[str, Any] | None = None


CALENDARS = Table(
    CalendarRow, name="calendars", columns={"version": "integer", "published": "jsonb"}, key="name", key_type="text"
)


def on_calendar_published(event: EventEnvelope[CalendarPublishedV1], unit: Unit[CalendarRow]) -> None:
    """Handler of `calendar.published`: store the version in the calendar's row, in place of the earlier one."""
    row = unit.row(event.subject)
    row.version = event.data.version
    row.published = event.data.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """A working calendar ready for computing: its version, the working time of a standard day, and its windows."""

    version: int
    standard_day: timedelta
    worktime: Worktime


def parse_published_calendar(published: str | bytes) -> WorkingTime:
    """Build the working calendar from the data of a `calendar.published` event, given as JSON text."""
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
    """Reads the last consumed version of the calendar `name`; parses it again only if the version has changed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._cached: WorkingTime | None = None

    async def read(self, connection: "Connection | asyncpg.Pool") -> WorkingTime | None:
        """Return the last consumed version of the calendar; None if this service has consumed none yet."""
        version = await connection.fetchval("select version from calendars where name = $1", self._name)
        if not version:
            return None
        if self._cached is None or self._cached.version != version:
            found = await connection.fetchval("select published from calendars where name = $1", self._name)
            self._cached = parse_published_calendar(found)
        return self._cached

    async def require(self, connection: "Connection | asyncpg.Pool") -> WorkingTime:
        """Return the last consumed version of the calendar. Raises CalendarNotAvailableError if there is none yet."""
        found = await self.read(connection)
        if found is None:
            raise CalendarNotAvailableError
        return found
