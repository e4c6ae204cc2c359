"""Sla over HTTP: a dossier's deadline, what waits, and when something received now would be due."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.sla import store
from services.sla.calendars import follow, known_at, of_version
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.clock import (
    ClockChange,
    Deadline,
    Outcome,
    WaitingFor,
    derive,
    derive_by_catalogue,
    recorded_by,
)
from services.sla.domain.explanation import explain
from services.sla.domain.terms import UnknownProcedureError, term_of
from services.sla.explaining import ExplanationView, view
from services.sla.handlers import Clocks
from services.sla.telling import seconds, told_term
from services.sla.wording import Lang
from shared.contracts.deadlines import Term
from shared.contracts.envelope import Instant, Role
from shared.kernel.errors import ExpectedError, FieldError
from shared.kernel.worktime import OutsideCalendarError
from shared.service.keys import Caller, Principal, require
from shared.service.process import Context
from shared.service.query import QueryInstant

_STAFF: tuple[Role, ...] = ("clerk", "officer", "leader", "ops", "auditor", "service", "importer")
_ALL_DEPARTMENTS: tuple[Role, ...] = ("clerk", "leader", "ops", "auditor", "service")


Procedure = Annotated[str, Query(min_length=1, max_length=40, description="The procedure's code, such as 2.000488.")]
ReceivedAt = Annotated[
    QueryInstant | None,
    Query(description="With an offset, such as 2017-11-06T07:00:00+07:00; now if left out."),
]
After = Annotated[UUID | None, Query(description="The `next` of the page before.")]
KnownAt = Annotated[
    QueryInstant | None,
    Query(description="Explain what was known then: what became known or was recorded later is left out."),
]
Language = Annotated[Lang, Query(description="Of the sentences.")]
Limit = Annotated[int, Query(ge=1, le=500)]


class DueDate(BaseModel):
    """When a dossier received at that instant would be due; `due_at` null: the law gives no term."""

    procedure: str
    term: Term | None
    received_at: Instant
    counted_from: Instant | None
    due_at: Instant | None
    due_date: date | None
    zone: str
    calendar: str
    calendar_version: int
    provisional: bool
    crosses_unconfirmed: tuple[date, ...]


class DeadlineView(BaseModel):
    """A dossier's clock. While it is paused there is no due date, only what remains.

    `dossier_sequence` is the last change of the dossier that it reflects; `overdue` compares with the centre's time.
    `step` is the present one of a procedure that several departments resolve in order; from `at_risk_since` on, those
    that remain no longer fit into the time left.
    """

    dossier_id: UUID
    dossier_sequence: int
    generation: int
    state: Literal["not_received", "running", "paused", "ended"]
    waiting_for: WaitingFor | None = None
    procedure: str | None = None
    term: Term | None = None
    received_at: Instant | None = None
    counted_from: Instant | None = None
    due_at: Instant | None = None
    due_date: date | None = None
    remaining_working_seconds: int | None = None
    remaining_calendar_days: int | None = None
    overdue: bool = False
    step: int | None = None
    at_risk_since: Instant | None = None
    ended_at: Instant | None = None
    outcome: Outcome | None = None
    provisional: bool = False
    crosses_unconfirmed: tuple[date, ...] = ()


class WaitingDossier(BaseModel):
    """A dossier whose due date cannot be derived yet, and what is missing in the configuration."""

    dossier_id: UUID
    procedure: str
    department: str | None
    state: Literal["running", "paused", "ended"]
    received_at: Instant
    waiting_for: WaitingFor


class WaitingDossiers(BaseModel):
    """One page of them, and how many there are in all."""

    count: int
    dossiers: list[WaitingDossier]
    next: UUID | None


def router(context: Context, clocks: Clocks) -> APIRouter:
    """The routes of one process. Reads only: clocks follow from acts, and those are intake's."""
    routes = APIRouter()

    async def calendar_of(row: store.ClockRow) -> Calendar:
        """The one that a clock goes by: that which stands, and for a clock that has ended the one of its time."""
        await follow(clocks, context.pool)
        ended = row.state == "ended" and row.waiting_for is None
        if not ended or row.calendar_version == clocks.version:
            return clocks.calendar
        rules = of_version(clocks.calendar.rules, clocks.history, row.calendar_version)
        return await asyncio.to_thread(compile_calendar, rules)

    @routes.get("/due")
    async def due(_: Caller, procedure: Procedure, received_at: ReceivedAt = None) -> DueDate:
        await follow(clocks, context.pool)
        calendar, version = clocks.calendar, clocks.version
        received = received_at or context.clock.now()
        try:
            term = term_of(clocks.centre, procedure, received)
            deadline = derive([ClockChange("received", received, received)], term, calendar)
        except UnknownProcedureError as error:
            raise ExpectedError(
                "procedure-unknown",
                f"{error}; a dossier of it waits until it is entered",
                status=404,
                errors=[FieldError("/query/procedure", "not in the catalogue on that date")],
            ) from None
        except OutsideCalendarError as error:
            raise ExpectedError(
                "outside-calendar", str(error), status=422, errors=[FieldError("/query/received_at", str(error))]
            ) from None
        return DueDate(
            procedure=procedure,
            term=None if term is None else told_term(term),
            received_at=received,
            counted_from=deadline.counted_from,
            due_at=deadline.due_at,
            due_date=deadline.due_date,
            zone=calendar.rules.zone,
            calendar=calendar.rules.name,
            calendar_version=version,
            provisional=deadline.provisional,
            crosses_unconfirmed=deadline.crosses_unconfirmed,
        )

    @routes.get("/dossiers/{dossier_id}/deadline")
    async def deadline(who: Annotated[Principal, Depends(require(*_STAFF))], dossier_id: UUID) -> DeadlineView:
        row = await store.clock_of(context.pool, dossier_id)
        if row is None or not _may_read(who, row.department):
            raise ExpectedError("dossier-unknown", "no such dossier is known here, or not to you", status=404)
        if row.procedure is None:
            return DeadlineView(
                dossier_id=dossier_id,
                dossier_sequence=row.dossier_sequence,
                generation=row.generation,
                state="not_received",
            )
        found = derive_by_catalogue(row.procedure, row.clock_changes(), clocks.centre, await calendar_of(row))
        overdue = found.state != "ended" and found.due_at is not None and context.clock.now() > found.due_at
        in_steps = bool(clocks.steps(row)) or found.step > 1
        return _view(row, found, overdue, found.step if in_steps else None)

    @routes.get("/dossiers/{dossier_id}/due-date/explanation")
    async def explanation(
        who: Annotated[Principal, Depends(require(*_STAFF))],
        dossier_id: UUID,
        as_known_at: KnownAt = None,
        lang: Language = "vi",
    ) -> ExplanationView:
        row = await store.clock_of(context.pool, dossier_id)
        if row is None or not _may_read(who, row.department):
            raise ExpectedError("dossier-unknown", "no such dossier is known here, or not to you", status=404)
        if row.procedure is None:
            raise ExpectedError("not-received", "the dossier was not received yet, so that no clock runs")
        calendar = await calendar_of(row)
        changes, known = row.clock_changes(), calendar
        if as_known_at is not None:
            changes = recorded_by(changes, as_known_at)
            _require_known(changes, as_known_at, context.clock.now())
            rules = known_at(calendar.rules, clocks.history, as_known_at)
            if rules is not calendar.rules:  # some 20 ms of work
                known = await asyncio.to_thread(compile_calendar, rules)
        found = derive_by_catalogue(row.procedure, changes, clocks.centre, known)
        return view(explain(found, known, as_known_at), lang)

    @routes.get("/waiting")
    async def waiting(
        _: Annotated[Principal, Depends(require(*_ALL_DEPARTMENTS))], after: After = None, limit: Limit = 100
    ) -> WaitingDossiers:
        count = await store.count_waiting(context.pool)
        found = await store.waiting(context.pool, after=after, limit=limit + 1)
        page = [WaitingDossier.model_validate(dict(record)) for record in found[:limit]]
        return WaitingDossiers(count=count, dossiers=page, next=page[-1].dossier_id if len(found) > limit else None)

    return routes


def _require_known(changes: Sequence[ClockChange], as_known_at: datetime, now: datetime) -> None:
    if as_known_at > now:
        wrong = f"{as_known_at.isoformat()} lies ahead: what will be known then, nobody knows"
    elif not changes:
        wrong = "the receipt was recorded later: nothing was known of this dossier's clock"
    else:
        return
    raise ExpectedError("not-known", wrong, status=422, errors=[FieldError("/query/as_known_at", wrong)])


def _may_read(who: Principal, department: str | None) -> bool:
    """A department's key sees only its own; every other one here sees all, none of it personal data."""
    return who.actor.role in _ALL_DEPARTMENTS or (department is not None and who.actor.department == department)


def _view(row: store.ClockRow, found: Deadline, overdue: bool, step: int | None) -> DeadlineView:
    in_days = found.remaining_days is not None
    return DeadlineView(
        dossier_id=row.key,
        dossier_sequence=row.dossier_sequence,
        generation=row.generation,
        state=found.state,
        waiting_for=found.waiting_for,
        procedure=row.procedure,
        term=None if found.term is None else told_term(found.term),
        received_at=found.received_at,
        counted_from=found.counted_from,
        due_at=found.due_at,
        due_date=found.due_date,
        remaining_working_seconds=None if in_days else seconds(found.remaining),
        remaining_calendar_days=found.remaining_days,
        overdue=overdue,
        step=step,
        at_risk_since=_at_risk_since(row, found),
        ended_at=found.ended_at,
        outcome=found.outcome,
        provisional=found.provisional,
        crosses_unconfirmed=found.crosses_unconfirmed,
    )


def _at_risk_since(row: store.ClockRow, found: Deadline) -> datetime | None:
    """Since when the present step and due date were told to be at risk, if they were, while the clock has not ended."""
    if found.state == "ended" or found.due_at is None:
        return None
    present = ("at_risk", found.step, found.due_at)
    return next((each.at for each in row.fired_thresholds() if (each.level, each.step, each.about) == present), None)
