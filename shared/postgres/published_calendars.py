"""Working calendars as sla published them, kept by the services that consume `sla.calendars.v1`.

For services whose migrations make the table `calendars` (name, sequence, fences, partition, version, published).
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from shared.contracts.calendars import CalendarPublishedV1
from shared.contracts.envelope import READING, EventEnvelope
from shared.kernel.errors import ExpectedError
from shared.kernel.worktime import Worktime
from shared.postgres.pool import Connection
from shared.postgres.rows import Row, Table
from shared.postgres.unit_of_work import Unit


@dataclass(slots=True, kw_only=True)
class CalendarRow(Row):
    """A working calendar as sla published it last; `published` is the event's data."""

    version: int = 0
    published: dict[str, Any] | None = None


CALENDARS = Table(
    CalendarRow, name="calendars", columns={"version": "integer", "published": "jsonb"}, key="name", key_type="text"
)


def on_calendar_published(event: EventEnvelope[CalendarPublishedV1], unit: Unit[CalendarRow]) -> None:
    """Keep the newest version."""
    row = unit.row(event.subject)
    row.version = event.data.version
    row.published = event.data.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """A calendar in use: its version, a standard day's working time, and the windows."""

    version: int
    standard_day: timedelta
    worktime: Worktime


def working_time(published: str | bytes) -> WorkingTime:
    """A published calendar in use, from the event's data as JSON."""
    told = CalendarPublishedV1.model_validate(json.loads(published), context=READING)
    worktime = Worktime(
        name=told.name,
        zone=told.zone,
        first_date=told.first_date,
        last_date=told.last_date,
        opens=told.opens,
        closes=told.closes,
    )
    return WorkingTime(told.version, timedelta(seconds=told.standard_day_seconds), worktime)


class PublishedCalendar:
    """The centre's calendar of that name as it was published last; read again when it changed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._known: WorkingTime | None = None

    async def read(self, connection: "Connection | asyncpg.Pool") -> WorkingTime | None:
        """None until it has arrived."""
        version = await connection.fetchval("select version from calendars where name = $1", self._name)
        if not version:
            return None
        if self._known is None or self._known.version != version:
            found = await connection.fetchval("select published from calendars where name = $1", self._name)
            self._known = working_time(found)
        return self._known

    async def needed(self, connection: "Connection | asyncpg.Pool") -> WorkingTime:
        """The same for who cannot answer without it. Raises Refusal (503) until it has arrived."""
        found = await self.read(connection)
        if found is None:
            detail = "the working calendar has not arrived here yet; send this again in a moment"
            raise ExpectedError("calendar-not-arrived", detail, status=503)
        return found
