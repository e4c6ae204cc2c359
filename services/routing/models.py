"""What may be asked of routing, and what it answers. A parameter that nobody knows is refused, not passed over."""

import re
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from shared.contracts.assignments import AssignmentDecidedV1, AssignmentReason, AssignmentWaitingV1, ReceivingPlace
from shared.contracts.dossiers import Channel, State
from shared.contracts.envelope import Instant, Open
from shared.service.http import Body


def _local_date(value: object) -> object:
    """Only YYYY-MM-DD: the framework would also read a number as seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("write a date as YYYY-MM-DD")
    return value


LocalDate = Annotated[date, BeforeValidator(_local_date)]
After = Annotated[UUID | None, Field(description="The `next` of the page before.")]
Limit = Annotated[int, Field(ge=1, le=500)]
OpenState = Literal["submitted", "received", "processing", "supplement_required", "payment_required", "settled"]


class WhereQuery(Body):
    """Which procedure, and on which local date of submission (today if left out)."""

    procedure: str = Field(min_length=1, max_length=40, description="The procedure's code, such as 2.000488.")
    on: LocalDate | None = None


class OnQuery(Body):
    """On which local date; today if left out."""

    on: LocalDate | None = None


class PageQuery(Body):
    """Which page of a list."""

    after: After = None
    limit: Limit = 100


class QueueQuery(PageQuery):
    """Which of a department's open dossiers; `state` may be repeated, all if left out."""

    state: list[OpenState] | None = None
    receiving_place: Literal["department", "general"] | None = None


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
