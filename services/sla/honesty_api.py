"""The report of honest pauses over HTTP: which pauses and settlements somebody should look at, by department."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from pydantic_core import from_json

from services.sla import store
from services.sla.access import own_department, require_department
from services.sla.calendars import follow, of_version
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.clock import derive_by_catalogue
from services.sla.domain.honesty import Doubt, Doubtful, doubts
from services.sla.handlers import Clocks
from services.sla.store import changes_of
from services.sla.telling import seconds
from services.sla.written import Day
from shared.contracts.envelope import Instant, Role
from shared.kernel.centre import Centre
from shared.kernel.errors import ExpectedError, FieldError
from shared.service.keys import Principal, require
from shared.service.process import Context

_READERS: tuple[Role, ...] = ("leader", "auditor", "officer")
_PAGE = 200
"""Clocks looked at a time: some ten milliseconds in which the process does nothing else."""
MOST = 500
"""Dossiers that one answer lists; the counts are of all."""

Hours = Annotated[int, Query(ge=0, le=2000)]
Department = Annotated[str | None, Query(min_length=1, max_length=40, description="This one's dossiers alone.")]


class Listed(BaseModel):
    """One thing to look at. `working_seconds`: what was left when it was paused, how long the pause lasted, or how long
    the result has been missing since the settlement."""

    dossier_id: UUID
    code: str | None
    department: str | None
    doubt: Doubt
    at: Instant
    ground: str | None
    working_seconds: int


class Counted(BaseModel):
    """A department's pauses and settlements to look at, by what they are."""

    department: str | None
    paused_near_due: int = 0
    paused_too_long: int = 0
    settled_without_result: int = 0


class HonestPauses(BaseModel):
    """What began from `first` to `last` (local dates, both included). `listed` are the first of them in the order of
    dossiers; `complete` says whether that is all."""

    first: date
    last: date
    near_hours: int
    patience_hours: int
    counted_at: Instant
    departments: list[Counted]
    listed: list[Listed]
    complete: bool


def router(context: Context, clocks: Clocks) -> APIRouter:
    """The route of one process; reads only."""
    routes = APIRouter()

    @routes.get("/reports/honest-pauses")
    async def honest_pauses(
        who: Annotated[Principal, Depends(require(*_READERS))],
        first: Annotated[Day, Query(description="The first local date, YYYY-MM-DD.")],
        last: Annotated[Day, Query(description="The last one.")],
        near_hours: Hours = 8,
        patience_hours: Hours = 8,
        department: Department = None,
    ) -> HonestPauses:
        """Pauses begun within `near_hours` of working time before the due date, pauses beyond the centre's ceiling, and
        settlements without a result after `patience_hours` of it. Looks at every clock that was ever paused or settled.
        """
        if last < first:
            wrong = f"{last} is before first, {first}"
            raise ExpectedError("invalid-content", wrong, status=422, errors=[FieldError("/query/last", wrong)])
        of_department = own_department(who, department)
        require_department(department, clocks.centre)
        await follow(clocks, context.pool)
        now = context.clock.now()
        report = HonestPauses(
            first=first,
            last=last,
            near_hours=near_hours,
            patience_hours=patience_hours,
            counted_at=now,
            departments=[],
            listed=[],
            complete=True,
        )
        counted: dict[str | None, Counted] = {}
        near, patience = timedelta(hours=near_hours), timedelta(hours=patience_hours)
        compiled: dict[int, Calendar] = {}
        async for record in _clocks(context.pool, of_department):
            calendar = await _calendar_of(record, clocks, compiled)
            for each in _doubts(record, clocks.centre, calendar, now, near, patience):
                if not first <= clocks.centre.local_date(each.at) <= last:
                    continue
                of = counted.setdefault(record["department"], Counted(department=record["department"]))
                setattr(of, each.doubt, getattr(of, each.doubt) + 1)
                if len(report.listed) < MOST:
                    report.listed.append(_listed(record, each))
                else:
                    report.complete = False
        report.departments = sorted(counted.values(), key=lambda of: of.department or "")
        return report

    return routes


async def _clocks(pool: asyncpg.Pool, department: str | None) -> AsyncIterator[asyncpg.Record]:
    after: UUID | None = None
    while page := await store.paused_or_settled(pool, department=department, after=after, limit=_PAGE):
        for record in page:
            yield record
        after = page[-1]["dossier_id"]
        await asyncio.sleep(0)


async def _calendar_of(record: asyncpg.Record, clocks: Clocks, compiled: dict[int, Calendar]) -> Calendar:
    """The calendar that stands; of a dossier that ended, the one of its time."""
    version = record["calendar_version"]
    if record["state"] != "ended" or version == clocks.version:
        return clocks.calendar
    if version not in compiled:
        rules = of_version(clocks.calendar.rules, clocks.history, version)
        compiled[version] = await asyncio.to_thread(compile_calendar, rules)
    return compiled[version]


def _doubts(
    record: asyncpg.Record, centre: Centre, calendar: Calendar, now: datetime, near: timedelta, patience: timedelta
) -> list[Doubtful]:
    changes = changes_of(from_json(record["changes"]))
    deadline = derive_by_catalogue(record["procedure"], changes, centre, calendar)
    return list(
        doubts(
            changes,
            deadline,
            result_at=record["result_at"],
            now=now,
            near=near,
            patience=patience,
            rules=centre.thresholds(centre.local_date(deadline.received_at)),
            calendar=calendar,
        )
    )


def _listed(record: asyncpg.Record, each: Doubtful) -> Listed:
    return Listed(
        dossier_id=record["dossier_id"],
        code=record["code"],
        department=record["department"],
        doubt=each.doubt,
        at=each.at,
        ground=each.ground,
        working_seconds=seconds(each.working_time) or 0,
    )
