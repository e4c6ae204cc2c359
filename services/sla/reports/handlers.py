"""The report of honest pauses: counts by department and a list of the pauses and settlements to check."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import asyncpg
from pydantic_core import from_json

from services.sla.calendars.in_force import calendar_of
from services.sla.clocks.events import whole_seconds
from services.sla.clocks.store import changes_of
from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import derive_by_catalogue
from services.sla.domain.honest_pauses import Finding, find_doubtful
from services.sla.domain.rules import DerivationRules
from services.sla.reports.schemas import Counted, HonestPauses, Listed
from services.sla.reports.store import paused_or_settled

_PAGE = 200
"""Clocks derived at a time: some ten milliseconds during which the process does no other work."""
MOST_LISTED = 500
"""Findings that one response lists; the counts are of all."""


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """The limits of the report: local dates (both included), working hours, and the department (None: all).

    See `find_doubtful` for the hours.
    """

    first: date
    last: date
    near_hours: int
    patience_hours: int
    department: str | None


async def report_honest_pauses(
    pool: asyncpg.Pool, rules: DerivationRules, query: ReportQuery, now: datetime
) -> HonestPauses:
    """Build the report at the instant `now`. Derives every clock that was ever paused or settled, page by page."""
    counted: dict[str | None, Counted] = {}
    listed: list[Listed] = []
    complete = True
    calendars: dict[int, Calendar] = {}
    async for record in _clocks(pool, query.department):
        calendar = await _calendar(record, rules, calendars)
        for found in _findings(record, rules, calendar, query, now):
            tally = counted.setdefault(record["department"], Counted(department=record["department"]))
            setattr(tally, found.kind, getattr(tally, found.kind) + 1)
            if len(listed) < MOST_LISTED:
                listed.append(_listed(record, found))
            else:
                complete = False
    return HonestPauses(
        first=query.first,
        last=query.last,
        near_hours=query.near_hours,
        patience_hours=query.patience_hours,
        counted_at=now,
        departments=sorted(counted.values(), key=lambda tally: tally.department or ""),
        listed=listed,
        complete=complete,
    )


async def _clocks(pool: asyncpg.Pool, department: str | None) -> AsyncIterator[asyncpg.Record]:
    after: UUID | None = None
    while page := await paused_or_settled(pool, department=department, after=after, limit=_PAGE):
        for record in page:
            yield record
        after = page[-1]["dossier_id"]
        await asyncio.sleep(0)


async def _calendar(record: asyncpg.Record, rules: DerivationRules, calendars: dict[int, Calendar]) -> Calendar:
    """Return the calendar in force, or for an ended clock the version that derived it; cached in `calendars`."""
    version = record["calendar_version"] if record["state"] == "ended" else rules.calendar_version
    if version not in calendars:
        calendars[version] = await calendar_of(rules, version)
    return calendars[version]


def _findings(
    record: asyncpg.Record, rules: DerivationRules, calendar: Calendar, query: ReportQuery, now: datetime
) -> Iterator[Finding]:
    """Return the pauses and settlements to check of one clock that began on the report's local dates."""
    centre = rules.centre
    changes = changes_of(from_json(record["changes"]))
    deadline = derive_by_catalogue(record["procedure"], changes, centre, calendar)
    found = find_doubtful(
        changes,
        deadline,
        result_at=record["result_at"],
        now=now,
        near=timedelta(hours=query.near_hours),
        patience=timedelta(hours=query.patience_hours),
        rules=rules.thresholds(deadline.received_at),
        calendar=calendar,
    )
    return (each for each in found if query.first <= centre.local_date(each.at) <= query.last)


def _listed(record: asyncpg.Record, found: Finding) -> Listed:
    return Listed(
        dossier_id=record["dossier_id"],
        code=record["code"],
        department=record["department"],
        doubt=found.kind,
        at=found.at,
        ground=found.ground,
        working_seconds=whole_seconds(found.working_time) or 0,
    )
