"""Routes about assignments: where a procedure is received, departments, a department's queue, waiting dossiers.

All of these routes only read: a dossier changes by acts, which belong to intake.
"""

from datetime import date
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query

from services.routing.assignments import store
from services.routing.assignments.handlers import to_event
from services.routing.assignments.schemas import (
    AssignmentView,
    Departments,
    DepartmentView,
    Place,
    ProcedurePlaces,
    ProcedureQuery,
    QueuedDossier,
    QueueQuery,
    WaitingDossier,
    WaitingDossiers,
)
from services.routing.domain import assignment as rule
from services.routing.domain.decisions import Decisions
from services.routing.general_counter.store import SignedDecisions
from services.routing.requests import DepartmentCode, OnQuery, ServiceContext, Today
from shared.contracts.assignments import AssignmentDecidedV1, AssignmentWaitingV1
from shared.contracts.envelope import READER_CONTEXT
from shared.kernel.centre import Centre, Department
from shared.kernel.errors import (
    DepartmentUnknownError,
    DossierNotFoundError,
    ForbiddenError,
    ProcedureUnknownError,
)
from shared.service.keys import Caller, Principal, require
from shared.service.paging import Page, PageQuery, page_of
from shared.service.provided import provided
from shared.service.scope import Scope

Signed = Annotated[SignedDecisions, Depends(provided(SignedDecisions))]
Staff = Annotated[Principal, Depends(require("clerk", "leader", "ops", "auditor", "service"))]
"""Roles that read the waiting dossiers, which have no department yet. The list contains no personal data."""

router = APIRouter()


@router.get("/routing")
async def read_places(
    _: Caller, query: Annotated[ProcedureQuery, Query()], context: ServiceContext, signed: Signed, today: Today
) -> ProcedurePlaces:
    """Return where a dossier of a procedure, submitted on a local date, is received, for each competent department."""
    centre, on, procedure = context.centre, query.on or today, query.procedure
    known = centre.procedure(procedure, on)
    if known is None:
        raise ProcedureUnknownError(
            f"The catalogue has no procedure {procedure} on {on}. A dossier of it waits until its department is named, "
            "or the procedure is entered.",
            pointer="/query/procedure",
        )
    decisions = await signed.refresh(context.pool)
    places = []
    for department in rule.competent_departments(centre, procedure, on):
        assigned = rule.assignment_for(centre, decisions, procedure=procedure, department=department, on=on)
        places.append(Place.model_validate(to_event(assigned, 0), from_attributes=True))
    return ProcedurePlaces(
        procedure=procedure,
        procedure_name=known.name_vi,
        on=on,
        catalogue_version=centre.catalogue_version,
        places=places,
    )


@router.get("/departments")
async def list_departments(
    _: Caller, query: Annotated[OnQuery, Query()], context: ServiceContext, signed: Signed, today: Today
) -> Departments:
    """List the departments that exist on a local date, each with its counters."""
    on, centre = query.on or today, context.centre
    decisions = await signed.refresh(context.pool)
    rows = [_department(centre, decisions, row, on) for row in centre.departments_on(on)]
    return Departments(on=on, departments=rows)


@router.get("/departments/{code}/queue")
async def list_queue(
    who: Caller,
    code: DepartmentCode,
    query: Annotated[QueueQuery, Query()],
    context: ServiceContext,
    today: Today,
) -> Page[QueuedDossier]:
    """List the open dossiers for which a department is competent, also if the department no longer exists."""
    centre = context.centre
    if not Scope(who.actor, centre, today).sees(department=code):
        raise ForbiddenError("This API key sees only the dossiers of its own department or counter.")
    if code not in centre.departments:
        raise DepartmentUnknownError(department=code)
    rows = await store.read_queue(
        context.pool,
        code,
        after=query.after,
        states=query.state,
        receiving_place=query.receiving_place,
        limit=query.limit + 1,
    )
    return page_of(rows, query.limit, key=_key, view=_queued)


@router.get("/dossiers/{dossier_id}/assignment")
async def read_assignment(who: Caller, dossier_id: UUID, context: ServiceContext, today: Today) -> AssignmentView:
    """Return the last published assignment of one dossier, or what the dossier waits for."""
    row = await store.read_assignment(context.pool, dossier_id)
    if row is None or not Scope(who.actor, context.centre, today).sees(department=row["department"]):
        raise DossierNotFoundError
    if row["waiting_for"] is None:
        decided = AssignmentDecidedV1.model_validate_json(row["published"])
        return AssignmentView(dossier_id=dossier_id, status="decided", assignment=decided)
    waiting = AssignmentWaitingV1.model_validate_json(row["published"])
    return AssignmentView(dossier_id=dossier_id, status="waiting", assignment=waiting)


@router.get("/waiting")
async def list_waiting(_: Staff, query: Annotated[PageQuery, Query()], context: ServiceContext) -> WaitingDossiers:
    """List the open dossiers without an assignment, and count them."""
    count = await store.count_waiting(context.pool)
    rows = await store.read_waiting(context.pool, after=query.after, limit=query.limit + 1)
    page = page_of(rows, query.limit, key=_key, view=_waiting)
    return WaitingDossiers(count=count, items=page.items, next=page.next)


def _key(row: asyncpg.Record) -> UUID:
    key: UUID = row["dossier_id"]
    return key


def _queued(row: asyncpg.Record) -> QueuedDossier:
    return QueuedDossier.model_validate(dict(row), context=READER_CONTEXT)


def _waiting(row: asyncpg.Record) -> WaitingDossier:
    return WaitingDossier.model_validate(dict(row), context=READER_CONTEXT)


def _department(centre: Centre, decisions: Decisions, row: Department, on: date) -> DepartmentView:
    pooling = decisions.pooling(row.code, on)
    return DepartmentView(
        code=row.code,
        name_vi=row.name_vi,
        name_en=row.name_en,
        agency_id=row.agency_id,
        counters=centre.counters_on(on, "department", row.code),
        pooled_by=pooling.number if pooling else None,
        pooled_from=pooling.effective_from if pooling else None,
        invented=row.invented,
    )
