"""The calendar over HTTP: as it stands, what is proposed about it, a rehearsal of that, and the leader's decision."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from services.sla import calendar_store, proposals
from services.sla.access import own_department, require_department
from services.sla.calendar_store import CalendarRow, ProposalRow
from services.sla.calendars import follow
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.changes import Change, applied
from services.sla.handlers import Clocks
from services.sla.proposals_views import (
    ApprovalRequest,
    CalendarView,
    DiscardRequest,
    Moves,
    ProposalRequest,
    Proposals,
    ProposalView,
    RehearsalView,
    calendar_view,
    move,
    proposal_view,
    tally,
)
from services.sla.rehearsal import Rehearsal
from services.sla.store import count_outdated
from shared.contracts.envelope import Role
from shared.service.http import Body, IdempotencyKey
from shared.service.idempotency import Request
from shared.service.keys import Principal, require
from shared.service.process import Context

_READERS: tuple[Role, ...] = ("leader", "auditor", "officer", "ops")


Name = Annotated[str, Path(min_length=1, max_length=40, description="The calendar's name.")]
Reader = Annotated[Principal, Depends(require(*_READERS))]
Leader = Annotated[Principal, Depends(require("leader"))]
After = Annotated[UUID | None, Query(description="The `next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500)]
Department = Annotated[str | None, Query(min_length=1, max_length=40, description="This one's dossiers alone.")]


def router(context: Context, clocks: Clocks) -> APIRouter:
    """The routes of one process."""
    routes = APIRouter(prefix="/calendars/{name}")
    pool = context.pool

    async def rehearsal(name: str, proposal_id: UUID) -> tuple[Rehearsal, ProposalRow]:
        await follow(clocks, pool)
        proposal, row = await proposals.proposal_of(pool, name, proposal_id), await proposals.calendar_of(pool, name)
        _require_open(proposal, row)
        change, now = proposals.change_of(proposal), context.clock.now()
        calendar = await asyncio.to_thread(_proposed, change, row, now)
        return Rehearsal(pool, clocks.centre, calendar, version=proposal.base_version, now=now), proposal

    @routes.get("")
    async def calendar(_: Reader, name: Name) -> CalendarView:
        return calendar_view(await proposals.calendar_of(pool, name))

    @routes.post("/proposals", status_code=201)
    async def propose(who: Leader, name: Name, key: IdempotencyKey, asked: ProposalRequest) -> ProposalView:
        request = _request(who, key, ["propose", name], asked)
        change = Change(tuple(each.exception() for each in asked.exceptions), asked.last_date)
        return proposal_view(await proposals.propose(context, request, name, change))

    @routes.get("/proposals")
    async def listed(_: Reader, name: Name, after: After = None, limit: Limit = 100) -> Proposals:
        await proposals.calendar_of(pool, name)
        found = await calendar_store.proposals(pool, name, after=after, limit=limit + 1)
        page = [proposal_view(row) for row in found[:limit]]
        return Proposals(proposals=page, next=page[-1].proposal_id if len(found) > limit else None)

    @routes.get("/proposals/{proposal_id}")
    async def proposal(_: Reader, name: Name, proposal_id: UUID) -> ProposalView:
        return proposal_view(await proposals.proposal_of(pool, name, proposal_id))

    @routes.get("/proposals/{proposal_id}/rehearsal")
    async def rehearsed(who: Reader, name: Name, proposal_id: UUID) -> RehearsalView:
        """Counted anew at each call, from the clocks as they stand."""
        tried, proposal = await rehearsal(name, proposal_id)
        counted_at = context.clock.now()
        found = await tried.totals(own_department(who, None))
        _require_open(await proposals.proposal_of(pool, name, proposal_id), await proposals.calendar_of(pool, name))
        return RehearsalView(
            proposal_id=proposal_id,
            calendar=name,
            base_version=proposal.base_version,
            counted_at=counted_at,
            not_yet_swept=await count_outdated(pool),
            departments=[
                tally(department, counted)
                for department, counted in sorted(found.items(), key=lambda item: item[0] or "")
            ],
        )

    @routes.get("/proposals/{proposal_id}/rehearsal/moves")
    async def moves(
        who: Reader,
        name: Name,
        proposal_id: UUID,
        department: Department = None,
        after: After = None,
        limit: Limit = 100,
    ) -> Moves:
        of = own_department(who, department)
        require_department(department, clocks.centre)
        tried, _ = await rehearsal(name, proposal_id)
        found, following = await tried.moves(of, after=after, limit=limit)
        return Moves(moves=[move(each) for each in found], next=following)

    @routes.post("/proposals/{proposal_id}/approve")
    async def approve(
        who: Leader, name: Name, proposal_id: UUID, key: IdempotencyKey, asked: ApprovalRequest
    ) -> ProposalView:
        request = _request(who, key, ["approve", name, str(proposal_id)], asked)
        return proposal_view(await proposals.approve(context, request, name, proposal_id, asked.decision))

    @routes.post("/proposals/{proposal_id}/discard")
    async def discard(
        who: Leader, name: Name, proposal_id: UUID, key: IdempotencyKey, asked: DiscardRequest
    ) -> ProposalView:
        request = _request(who, key, ["discard", name, str(proposal_id)], asked)
        return proposal_view(await proposals.discard(context, request, name, proposal_id, asked.reason))

    return routes


def _request(who: Principal, key: str, address: list[str], asked: Body) -> Request:
    return Request(who.actor, key, {"address": address, "body": asked.model_dump(mode="json")})


def _require_open(proposal: ProposalRow, row: CalendarRow) -> None:
    proposals.require_undecided(proposal)
    proposals.require_present(proposal, row)


def _proposed(change: Change, row: CalendarRow, now: datetime) -> Calendar:
    return compile_calendar(applied(change, proposals.rules_of(row), decision="", now=now))
