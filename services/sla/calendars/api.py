"""Routes of calendars: the rules in force, proposals, their rehearsal, and the leader's decision."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from services.sla.calendars import handlers, store
from services.sla.calendars.in_force import follow
from services.sla.calendars.rehearsal import Rehearsal
from services.sla.calendars.schemas import (
    ApprovalRequest,
    CalendarView,
    Moves,
    ProposalRequest,
    ProposalView,
    RehearsalView,
    RejectionRequest,
    calendar_view,
    move_view,
    proposal_view,
    tally_view,
)
from services.sla.calendars.store import CalendarRow, ProposalRow
from services.sla.clocks.store import count_outdated
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.calendar_changes import CalendarChange, apply_change
from services.sla.domain.rules import DerivationRules
from services.sla.parameters import Department, ProcessContext, Rules, require_department, scope_of
from shared.service.http import Body, IdempotencyKey
from shared.service.idempotency import Request
from shared.service.keys import Principal, require
from shared.service.paging import Page, PageQuery, page_of
from shared.service.process import Context

routes = APIRouter(prefix="/calendars/{name}")

Name = Annotated[str, Path(min_length=1, max_length=40, description="The calendar's name.")]
Reader = Annotated[Principal, Depends(require("leader", "auditor", "officer", "ops"))]
Leader = Annotated[Principal, Depends(require("leader"))]


class MovesQuery(PageQuery):
    """Query of the dossiers whose due date would move: which page, and of which department (default: all)."""

    department: Department = None


@routes.get("")
async def calendar(_: Reader, context: ProcessContext, name: Name) -> CalendarView:
    """Return the calendar's rules in force and the list of its versions."""
    return calendar_view(await handlers.calendar_row(context.pool, name))


@routes.post("/proposals", status_code=201)
async def propose(
    who: Leader, context: ProcessContext, name: Name, key: IdempotencyKey, body: ProposalRequest
) -> ProposalView:
    """Store a proposal to change the calendar's present version. It has no effect until a leader approves it."""
    request = _request(who, key, ["propose", name], body)
    change = CalendarChange(tuple(each.exception() for each in body.exceptions), body.last_date)
    return proposal_view(await handlers.propose(context, request, name, change))


@routes.get("/proposals")
async def proposals(
    _: Reader, context: ProcessContext, name: Name, page: Annotated[PageQuery, Query()]
) -> Page[ProposalView]:
    """Return one page of the calendar's proposals, open and decided ones, oldest first."""
    await handlers.calendar_row(context.pool, name)
    rows = await store.proposals_of(context.pool, name, after=page.after, limit=page.limit + 1)
    return page_of(rows, page.limit, key=lambda row: row.proposal_id, view=proposal_view)


@routes.get("/proposals/{proposal_id}")
async def proposal(_: Reader, context: ProcessContext, name: Name, proposal_id: UUID) -> ProposalView:
    """Return one proposal of the calendar."""
    return proposal_view(await handlers.proposal_row(context.pool, name, proposal_id))


@routes.get("/proposals/{proposal_id}/rehearsal")
async def rehearse(who: Reader, context: ProcessContext, rules: Rules, name: Name, proposal_id: UUID) -> RehearsalView:
    """Count how an open proposal would change the due dates of the open clocks, by department.

    Stores nothing; each call counts again. An officer gets the counts of the own department.
    """
    rehearsal, row = await _rehearsal(context, rules, name, proposal_id)
    counted_at = context.clock.now()
    found = await rehearsal.totals(scope_of(who, context).department(None))
    await _open_proposal(context, name, proposal_id)
    return RehearsalView(
        proposal_id=proposal_id,
        calendar=name,
        base_version=row.base_version,
        counted_at=counted_at,
        not_yet_swept=await count_outdated(context.pool),
        departments=[
            tally_view(department, tally) for department, tally in sorted(found.items(), key=lambda item: item[0] or "")
        ],
    )


@routes.get("/proposals/{proposal_id}/rehearsal/moves")
async def moves(
    who: Reader,
    context: ProcessContext,
    rules: Rules,
    name: Name,
    proposal_id: UUID,
    page: Annotated[MovesQuery, Query()],
) -> Moves:
    """Return one page of the dossiers whose due date an open proposal would move, add or remove."""
    department = scope_of(who, context).department(page.department)
    require_department(department, context.centre)
    rehearsal, _ = await _rehearsal(context, rules, name, proposal_id)
    found, following = await rehearsal.moves(department, after=page.after, limit=page.limit)
    return Moves(items=[move_view(each) for each in found], next=following)


@routes.post("/proposals/{proposal_id}/approve")
async def approve(
    who: Leader, context: ProcessContext, name: Name, proposal_id: UUID, key: IdempotencyKey, body: ApprovalRequest
) -> ProposalView:
    """Approve an open proposal: its change is put in force as the calendar's next version and published."""
    request = _request(who, key, ["approve", name, str(proposal_id)], body)
    return proposal_view(await handlers.approve(context, request, name, proposal_id, body.decision))


@routes.post("/proposals/{proposal_id}/reject")
async def reject(
    who: Leader, context: ProcessContext, name: Name, proposal_id: UUID, key: IdempotencyKey, body: RejectionRequest
) -> ProposalView:
    """Reject an open proposal, also one for an earlier version of the calendar. The calendar does not change."""
    request = _request(who, key, ["reject", name, str(proposal_id)], body)
    return proposal_view(await handlers.reject(context, request, name, proposal_id, body.reason))


def _request(who: Principal, key: str, address: list[str], body: Body) -> Request:
    return Request(who.actor, key, {"address": address, "body": body.model_dump(mode="json")})


async def _rehearsal(
    context: Context, rules: DerivationRules, name: str, proposal_id: UUID
) -> tuple[Rehearsal, ProposalRow]:
    await follow(rules, context.pool)
    proposal, row = await _open_proposal(context, name, proposal_id)
    now = context.clock.now()
    changed = apply_change(proposal.change(), row.calendar_rules(), decision="", now=now)
    compiled = await asyncio.to_thread(compile_calendar, changed)
    return Rehearsal(context.pool, rules.centre, compiled, version=proposal.base_version, now=now), proposal


async def _open_proposal(context: Context, name: str, proposal_id: UUID) -> tuple[ProposalRow, CalendarRow]:
    """Read a proposal, which must be open and for the calendar's present version, and the calendar's row.

    Takes no lock. Raises CalendarNotFoundError, ProposalNotFoundError, ProposalDecidedError and ProposalOvertakenError.
    """
    proposal = await handlers.proposal_row(context.pool, name, proposal_id)
    row = await handlers.calendar_row(context.pool, name)
    proposal.require_open()
    handlers.require_current(proposal, row)
    return proposal, row
