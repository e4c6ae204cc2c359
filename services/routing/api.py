"""Routing over HTTP: where to go before there is a dossier, a department's queue, one assignment, what waits."""

import re
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, BeforeValidator

from services.routing import store
from services.routing.access import STAFF, may_read_department, may_read_dossier_of
from services.routing.domain import assignment as rule
from services.routing.replay import as_event
from shared.contracts.assignments import AssignmentDecidedV1, AssignmentReason, AssignmentWaitingV1, ReceivingPlace
from shared.contracts.dossiers import Channel, State
from shared.contracts.envelope import READING, Instant, Open
from shared.kernel.centre import Department
from shared.kernel.errors import ExpectedError, FieldError
from shared.messaging.service import Context
from shared.runtime.keys import Caller, Principal, require


def _local_date(value: object) -> object:
    """Only YYYY-MM-DD: the framework would also read a number as seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("write a date as YYYY-MM-DD")
    return value


LocalDate = Annotated[date, BeforeValidator(_local_date)]
Procedure = Annotated[str, Query(min_length=1, max_length=40, description="The procedure's code, such as 2.000488.")]
On = Annotated[LocalDate | None, Query(description="The local date of submission; today if left out.")]
Code = Annotated[str, Path(min_length=1, max_length=40)]
After = Annotated[UUID | None, Query(description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500)]
OpenState = Literal["submitted", "received", "processing", "supplement_required", "payment_required", "settled"]


class Place(BaseModel):
    """Where a dossier of one competent department is received and its result returned."""

    competent_department: str
    receiving_place: ReceivingPlace
    returning_place: str
    reason: AssignmentReason


class Routes(BaseModel):
    """One place for each competent department: with several, the applicant or the clerk names one."""

    procedure: str
    procedure_name: str
    on: date
    catalogue_version: str
    places: list[Place]


class DepartmentView(BaseModel):
    """A department on one date; `pooled_by` is the decision by which the general counter receives for it."""

    code: str
    name_vi: str
    name_en: str
    agency_id: str
    counters: tuple[int, ...]
    pooled_by: str | None
    pooled_from: date | None
    invented: tuple[str, ...]


class Departments(BaseModel):
    """Every department of one local date."""

    on: date
    departments: list[DepartmentView]


class QueuedDossier(BaseModel):
    """An open dossier as its department sees it in the list."""

    dossier_id: UUID
    code: str | None
    procedure: str
    channel: Open[Channel]
    state: Open[State]
    submitted_at: Instant
    received_at: Instant | None
    receiving_place: Literal["department", "general"]


class Queue(BaseModel):
    """One page; `next` is the key to ask on with, absent on the last page."""

    department: str
    dossiers: list[QueuedDossier]
    next: UUID | None


class WaitingDossier(BaseModel):
    """A dossier without an assignment, and what it waits for."""

    dossier_id: UUID
    code: str | None
    procedure: str
    state: Open[State]
    submitted_at: Instant
    waiting_for: Literal["procedure", "department"]
    reason: str


class WaitingDossiers(BaseModel):
    """One page of them, and how many there are in all."""

    count: int
    dossiers: list[WaitingDossier]
    next: UUID | None


class AssignmentView(BaseModel):
    """What routing told last about a dossier: decided, or waiting for something."""

    dossier_id: UUID
    status: Literal["decided", "waiting"]
    assignment: AssignmentDecidedV1 | AssignmentWaitingV1


def router(context: Context) -> APIRouter:
    """The routes of one process. Reads only: a dossier changes by acts, and those are intake's."""
    routes = APIRouter()
    centre = context.centre

    def today() -> date:
        return centre.local_date(context.clock.now())

    def existing(code: str, on: date) -> Department:
        """The department, also one that has closed by then: its dossiers may still be open. Raises 404."""
        found = centre.department(code, on) or next(reversed(centre.departments.get(code, ())), None)
        if found is None:
            raise ExpectedError("department-unknown", f"the centre has no department {code!r}", status=404)
        return found

    @routes.get("/routing")
    async def where(_: Caller, procedure: Procedure, on: On = None) -> Routes:
        day = on or today()
        known = centre.procedure(procedure, day)
        if known is None:
            raise ExpectedError(
                "procedure-unknown",
                f"the catalogue has no procedure {procedure!r} on {day}; a dossier of it waits until its department "
                "is named or the procedure is entered",
                status=404,
                errors=[FieldError("/query/procedure", "not in the catalogue on that date")],
            )
        places = []
        for department in rule.competent_departments(centre, procedure, day):
            event = as_event(rule.place(centre, procedure=procedure, department=department, on=day), 0)
            assert isinstance(event, AssignmentDecidedV1)  # a known department always has a place
            places.append(Place.model_validate(event, from_attributes=True))
        return Routes(
            procedure=procedure,
            procedure_name=known.name_vi,
            on=day,
            catalogue_version=centre.catalogue_version,
            places=places,
        )

    @routes.get("/departments")
    async def departments(_: Caller, on: On = None) -> Departments:
        day = on or today()
        return Departments(on=day, departments=[_department(context, row, day) for row in centre.departments_on(day)])

    @routes.get("/departments/{code}/queue")
    async def queue(
        who: Caller,
        code: Code,
        state: Annotated[list[OpenState] | None, Query(description="Repeat it for several; all if left out.")] = None,
        receiving_place: Literal["department", "general"] | None = None,
        after: After = None,
        limit: Limit = 100,
    ) -> Queue:
        may_read_department(who, code, centre, today())
        existing(code, today())
        found = await store.queue_of(
            context.pool, code, after=after, states=state, receiving_place=receiving_place, limit=limit + 1
        )
        page = [QueuedDossier.model_validate(dict(record), context=READING) for record in found[:limit]]
        return Queue(department=code, dossiers=page, next=page[-1].dossier_id if len(found) > limit else None)

    @routes.get("/dossiers/{dossier_id}/assignment")
    async def assignment(who: Caller, dossier_id: UUID) -> AssignmentView:
        found = await store.assignment_of(context.pool, dossier_id)
        if found is None or not may_read_dossier_of(who, found["department"], centre, today()):
            raise ExpectedError("dossier-unknown", "no such dossier is known here, or not to you", status=404)
        if found["waiting_for"] is None:
            decided = AssignmentDecidedV1.model_validate_json(found["assignment"])
            return AssignmentView(dossier_id=dossier_id, status="decided", assignment=decided)
        waits = AssignmentWaitingV1.model_validate_json(found["assignment"])
        return AssignmentView(dossier_id=dossier_id, status="waiting", assignment=waits)

    @routes.get("/waiting")
    async def waiting(
        _: Annotated[Principal, Depends(require(*STAFF))], after: After = None, limit: Limit = 100
    ) -> WaitingDossiers:
        count = await store.count_waiting(context.pool)
        found = await store.waiting(context.pool, after=after, limit=limit + 1)
        page = [WaitingDossier.model_validate(dict(record), context=READING) for record in found[:limit]]
        return WaitingDossiers(count=count, dossiers=page, next=page[-1].dossier_id if len(found) > limit else None)

    return routes


def _department(context: Context, row: Department, on: date) -> DepartmentView:
    pooling = context.centre.pooling(row.code, on)
    return DepartmentView(
        code=row.code,
        name_vi=row.name_vi,
        name_en=row.name_en,
        agency_id=row.agency_id,
        counters=context.centre.counters_on(on, "department", row.code),
        pooled_by=pooling.decision if pooling else None,
        pooled_from=pooling.valid_from if pooling else None,
        invented=row.invented,
    )
