"""Requests and responses about assignments."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.routing.requests import LocalDate
from shared.contracts.assignments import AssignmentDecidedV1, AssignmentReason, AssignmentWaitingV1, ReceivingPlace
from shared.contracts.envelope import Instant, Open
from shared.kernel.vocabulary import Channel, State
from shared.service.http import Body
from shared.service.paging import Page, PageQuery

OpenState = Literal["submitted", "received", "processing", "supplement_required", "payment_required", "settled"]


class ProcedureQuery(Body):
    """The procedure, and the local date `on` of the submission (today by default)."""

    procedure: str = Field(min_length=1, max_length=40, description="The procedure's code, such as 2.000488.")
    on: LocalDate | None = None


class QueueQuery(PageQuery):
    """Filters of a department's open dossiers; all by default. `state` may be repeated."""

    state: list[OpenState] | None = None
    receiving_place: Literal["department", "general"] | None = None


class Place(BaseModel):
    """Where a dossier of one competent department is received, and where its result is returned."""

    competent_department: str
    receiving_place: ReceivingPlace
    returning_place: str
    reason: AssignmentReason


class ProcedurePlaces(BaseModel):
    """The places for a dossier of a procedure, one entry for each competent department.

    If there are several departments, the applicant or the clerk names one.
    """

    procedure: str
    procedure_name: str
    on: date
    catalogue_version: str
    places: list[Place]


class DepartmentView(BaseModel):
    """A department on a date, and the numbers of its own counters.

    `pooled_by` is the number of the decision by which the general counter receives for the department.
    """

    code: str
    name_vi: str
    name_en: str
    agency_id: str
    counters: tuple[int, ...]
    pooled_by: str | None
    pooled_from: date | None
    invented: tuple[str, ...]


class Departments(BaseModel):
    """Every department that exists on a local date."""

    on: date
    departments: list[DepartmentView]


class QueuedDossier(BaseModel):
    """An open dossier in the queue of its competent department."""

    dossier_id: UUID
    code: str | None
    procedure: str
    channel: Open[Channel]
    state: Open[State]
    submitted_at: Instant
    received_at: Instant | None
    receiving_place: Literal["department", "general"]


class WaitingDossier(BaseModel):
    """An open dossier without an assignment, and what must be entered or named before the assignment."""

    dossier_id: UUID
    code: str | None
    procedure: str
    state: Open[State]
    submitted_at: Instant
    waiting_for: Literal["procedure", "department"]
    reason: str


class WaitingDossiers(Page[WaitingDossier]):
    """One page of open dossiers without an assignment; `count` is their number on all pages."""

    count: int


class AssignmentView(BaseModel):
    """The data of the last event that routing published about a dossier: assigned, or waiting for something."""

    dossier_id: UUID
    status: Literal["decided", "waiting"]
    assignment: AssignmentDecidedV1 | AssignmentWaitingV1
