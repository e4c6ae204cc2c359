"""Routing over HTTP: where to go before there is a dossier, a department's queue, one assignment, what waits."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from services.routing import store
from services.routing.access import STAFF, may_read_department, may_read_dossier_of
from services.routing.counter import follow
from services.routing.domain import assignment as rule
from services.routing.handlers import Routing
from services.routing.models import (
    AssignmentView,
    Departments,
    DepartmentView,
    OnQuery,
    PageQuery,
    Place,
    Queue,
    QueuedDossier,
    QueueQuery,
    Routes,
    WaitingDossier,
    WaitingDossiers,
    WhereQuery,
)
from services.routing.replay import as_event
from shared.contracts.assignments import AssignmentDecidedV1, AssignmentWaitingV1
from shared.contracts.envelope import READER_CONTEXT
from shared.kernel.centre import Department
from shared.kernel.errors import ExpectedError, FieldError
from shared.service.keys import Caller, Principal, require
from shared.service.process import Context

Code = Annotated[str, Path(min_length=1, max_length=40)]


def router(context: Context, routing: Routing) -> APIRouter:
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
    async def where(_: Caller, query: Annotated[WhereQuery, Query()]) -> Routes:
        day, procedure = query.on or today(), query.procedure
        known = centre.procedure(procedure, day)
        if known is None:
            raise ExpectedError(
                "procedure-unknown",
                f"the catalogue has no procedure {procedure!r} on {day}; a dossier of it waits until its department "
                "is named or the procedure is entered",
                status=404,
                errors=[FieldError("/query/procedure", "not in the catalogue on that date")],
            )
        await follow(routing, context.pool)
        places = []
        for department in rule.competent_departments(centre, procedure, day):
            event = as_event(
                rule.place(centre, routing.decisions, procedure=procedure, department=department, on=day), 0
            )
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
    async def departments(_: Caller, query: Annotated[OnQuery, Query()]) -> Departments:
        day = query.on or today()
        await follow(routing, context.pool)
        return Departments(on=day, departments=[_department(routing, row, day) for row in centre.departments_on(day)])

    @routes.get("/departments/{code}/queue")
    async def queue(who: Caller, code: Code, query: Annotated[QueueQuery, Query()]) -> Queue:
        may_read_department(who, code, centre, today())
        existing(code, today())
        found = await store.queue_of(
            context.pool,
            code,
            after=query.after,
            states=query.state,
            receiving_place=query.receiving_place,
            limit=query.limit + 1,
        )
        page = [QueuedDossier.model_validate(dict(record), context=READER_CONTEXT) for record in found[: query.limit]]
        return Queue(department=code, dossiers=page, next=page[-1].dossier_id if len(found) > query.limit else None)

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
        _: Annotated[Principal, Depends(require(*STAFF))], query: Annotated[PageQuery, Query()]
    ) -> WaitingDossiers:
        count = await store.count_waiting(context.pool)
        found = await store.waiting(context.pool, after=query.after, limit=query.limit + 1)
        page = [WaitingDossier.model_validate(dict(record), context=READER_CONTEXT) for record in found[: query.limit]]
        return WaitingDossiers(
            count=count, dossiers=page, next=page[-1].dossier_id if len(found) > query.limit else None
        )

    return routes


def _department(routing: Routing, row: Department, on: date) -> DepartmentView:
    pooling = routing.decisions.pooling(row.code, on)
    return DepartmentView(
        code=row.code,
        name_vi=row.name_vi,
        name_en=row.name_en,
        agency_id=row.agency_id,
        counters=routing.centre.counters_on(on, "department", row.code),
        pooled_by=pooling.number if pooling else None,
        pooled_from=pooling.effective_from if pooling else None,
        invented=row.invented,
    )
