"""Responses about clocks."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from services.sla.domain.clock import Outcome, WaitingFor
from shared.contracts.deadlines import Term
from shared.contracts.envelope import Instant
from shared.service.paging import Page


class DueDateView(BaseModel):
    """The due date that a dossier received at that instant would have. `due_at` is null if the law sets no term."""

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
    """A dossier's clock. During a pause it has what remains, and a due date only if that had come before the pause.

    `dossier_sequence` is the sequence of the dossier's last event that the clock reflects; `overdue` compares the due
    date with the centre's time. `step` is the present step of a procedure with steps; from `at_risk_since` on, the
    remaining steps no longer fit into the time left.
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
    """A dossier whose due date cannot be derived yet, and what the configuration lacks (`waiting_for`)."""

    dossier_id: UUID
    procedure: str
    department: str | None
    state: Literal["running", "paused", "ended"]
    received_at: Instant
    waiting_for: WaitingFor


class WaitingDossiers(Page[WaitingDossier]):
    """One page of dossiers whose due date cannot be derived yet; `count` is the number on all pages."""

    count: int
