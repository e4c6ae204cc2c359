"""Routes of the general counter: weekly volumes, proposals of the pooling rule, and decisions of leaders."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.routing.domain import assignment
from services.routing.domain.volumes import Week, counted_weeks
from services.routing.general_counter import store
from services.routing.general_counter.handlers import DecisionDraft, DecisionSigner
from services.routing.general_counter.schemas import (
    ApprovalRequest,
    DecisionRequest,
    Decisions,
    DecisionsQuery,
    DecisionView,
    DepartmentReceivingView,
    GeneralCounterView,
    OpenWeekView,
    ProposalsQuery,
    ProposalView,
    ReceivingPlaceView,
    RejectionRequest,
    RuleView,
    Volumes,
    VolumesQuery,
    VolumeView,
    WeekView,
)
from services.routing.general_counter.store import DecisionRow, ProposalRow, SignedDecisions, VolumeRow
from services.routing.general_counter.worker import WeekCloser
from services.routing.requests import Calendar, DepartmentCode, OnQuery, ServiceContext, Today
from shared.kernel.centre import Centre, PoolingRule
from shared.kernel.errors import DepartmentUnknownError, ForbiddenError, InvalidContentError
from shared.kernel.weeks import WEEK, monday
from shared.service.http import Body, IdempotencyKey
from shared.service.idempotency import Request
from shared.service.keys import Caller, Principal, require
from shared.service.paging import Page, page_of
from shared.service.provided import provided
from shared.service.scope import Scope

_DEFAULT_WEEKS = 26
_MAX_WEEKS = 104

Reader = Annotated[Principal, Depends(require("leader", "auditor", "officer", "ops", "service"))]
Leader = Annotated[Principal, Depends(require("leader"))]
Signed = Annotated[SignedDecisions, Depends(provided(SignedDecisions))]
Signer = Annotated[DecisionSigner, Depends(provided(DecisionSigner))]
Closer = Annotated[WeekCloser, Depends(provided(WeekCloser))]

router = APIRouter()


@router.get("/departments/{code}/receiving-place")
async def read_receiving_place(
    _: Caller,
    code: DepartmentCode,
    query: Annotated[OnQuery, Query()],
    context: ServiceContext,
    signed: Signed,
    today: Today,
) -> ReceivingPlaceView:
    """Return who receives for a department on a local date, and by which signed decision."""
    on, centre = query.on or today, context.centre
    department = centre.department(code, on)
    if department is None:
        raise DepartmentUnknownError(f"The centre has no department {code} on {on}.")
    decisions = await signed.refresh(context.pool)
    rows = await store.list_decisions(context.pool, code)
    assigned = assignment.assignment_for(centre, decisions, procedure="", department=department, on=on)
    in_force = _view(next((row for row in reversed(rows) if row.effective_from <= on), None), rows, on, centre)
    following = _view(_next_after(rows, on), rows, on, centre)
    return ReceivingPlaceView(
        department=code,
        on=on,
        receiving=assigned.receiving,
        counters=assigned.counters,
        decision=None if in_force is None else in_force.without_signer(),
        next=None if following is None else following.without_signer(),
        reason=assigned.reason.text,
    )


@router.get("/general-counter")
async def read_general_counter(
    who: Reader, query: Annotated[OnQuery, Query()], context: ServiceContext, signed: Signed, today: Today
) -> GeneralCounterView:
    """List who receives for each department on a local date, with the weeks that the rule evaluates.

    The proposals are those that are open now, not those of that date.
    """
    on, centre, pool = query.on or today, context.centre, context.pool
    rule, scope = centre.pooling_rule(on), Scope(who.actor, centre, today)
    decisions = await signed.refresh(pool)
    rows = await store.list_decisions(pool)
    volumes = await store.list_volumes(pool, first=monday(on) - _DEFAULT_WEEKS * WEEK, last=on)
    proposals = {row.department: row for row in await store.list_proposals(pool, state="proposed")}
    found = []
    for department in centre.departments_on(on):
        if not scope.sees(department=department.code):
            continue
        own = [row for row in rows if row.department == department.code]
        current = decisions.current(department.code, on)
        proposal = proposals.get(department.code)
        weeks = _relevant_weeks([row for row in volumes if row.department == department.code], rule)
        found.append(
            DepartmentReceivingView(
                department=department.code,
                name_vi=department.name_vi,
                receiving=current.receiving,
                since=current.since,
                fixed=current.fixed,
                weeks=[WeekView.of(week, rule) for week in weeks],
                proposal=None if proposal is None else ProposalView.of(proposal, rule),
                next=_view(_next_after(own, on), own, on, centre),
            )
        )
    return GeneralCounterView(on=on, rule=RuleView.of(rule), departments=found)


@router.get("/volumes")
async def list_volumes(
    who: Reader,
    query: Annotated[VolumesQuery, Query()],
    context: ServiceContext,
    calendar: Calendar,
    closer: Closer,
    today: Today,
) -> Volumes:
    """List the departments' volumes of closed weeks, and return the week that is closed next."""
    centre, pool = context.centre, context.pool
    department = Scope(who.actor, centre, today).department(query.department)
    last = monday(query.last or today)
    first = monday(query.first) if query.first else last - _DEFAULT_WEEKS * WEEK
    if last - first > _MAX_WEEKS * WEEK:
        raise InvalidContentError(
            f"More than {_MAX_WEEKS} weeks are between first and last. Request them in parts.", pointer="/query/first"
        )
    rule = centre.pooling_rule(today)
    rows = await store.list_volumes(pool, first=first, last=last, department=department)
    now = await store.count_received(pool, centre.zone, first, last, department)
    return Volumes(
        rule=RuleView.of(rule),
        volumes=[VolumeView.of(row, rule, now.get(row.week, {}).get(row.department, {})) for row in rows],
        open=await _open_week(context, calendar, closer, department),
    )


@router.get("/proposals")
async def list_proposals(
    who: Reader, query: Annotated[ProposalsQuery, Query()], context: ServiceContext, today: Today
) -> Page[ProposalView]:
    """List the rule's proposals in any state, oldest first."""
    rows = await store.list_proposals(
        context.pool,
        department=Scope(who.actor, context.centre, today).department(query.department),
        state=query.state,
        after=query.after,
        limit=query.limit + 1,
    )
    return page_of(
        rows, query.limit, key=lambda row: row.proposal_id, view=lambda row: _proposal_view(row, context.centre)
    )


@router.get("/proposals/{proposal_id}")
async def read_proposal(who: Reader, proposal_id: UUID, context: ServiceContext, today: Today) -> ProposalView:
    """Return one proposal of the rule."""
    row = await store.read_proposal(context.pool, proposal_id)
    if not Scope(who.actor, context.centre, today).sees(department=row.department):
        raise ForbiddenError("This API key sees only the proposals about its own department.")
    return _proposal_view(row, context.centre)


@router.post("/proposals/{proposal_id}/approve")
async def approve_proposal(
    who: Leader,
    proposal_id: UUID,
    key: IdempotencyKey,
    body: ApprovalRequest,
    context: ServiceContext,
    signer: Signer,
) -> ProposalView:
    """Approve an open proposal by signing a decision that changes who receives."""
    request = _request(who, key, ["approve", str(proposal_id)], body)
    row = await signer.approve(request, proposal_id, body.decision, body.effective_from)
    return _proposal_view(row, context.centre)


@router.post("/proposals/{proposal_id}/reject")
async def reject_proposal(
    who: Leader,
    proposal_id: UUID,
    key: IdempotencyKey,
    body: RejectionRequest,
    context: ServiceContext,
    signer: Signer,
) -> ProposalView:
    """Reject an open proposal. Later proposals for the department are based only on weeks closed afterwards."""
    request = _request(who, key, ["reject", str(proposal_id)], body)
    row = await signer.reject(request, proposal_id, body.decision, body.reason)
    return _proposal_view(row, context.centre)


@router.get("/decisions")
async def list_decisions(
    who: Reader, query: Annotated[DecisionsQuery, Query()], context: ServiceContext, today: Today
) -> Decisions:
    """List the signed decisions, with their status on a local date."""
    on, centre = query.on or today, context.centre
    rows = await store.list_decisions(context.pool, Scope(who.actor, centre, today).department(query.department))
    by_department: dict[str, list[DecisionRow]] = {}
    for row in rows:
        by_department.setdefault(row.department, []).append(row)
    rule = centre.pooling_rule(on)
    return Decisions(on=on, decisions=[DecisionView.of(row, by_department[row.department], on, rule) for row in rows])


@router.post("/decisions", status_code=201)
async def sign_decision(
    who: Leader, key: IdempotencyKey, body: DecisionRequest, context: ServiceContext, signer: Signer
) -> DecisionView:
    """Sign a decision without a proposal. An open proposal for the department lapses."""
    row = await signer.sign(_request(who, key, ["decide"], body), DecisionDraft(**body.model_dump()))
    # on the date of signature, so that a repeated request gets the same answer
    signed_on = context.centre.local_date(row.decided_at)
    return DecisionView.of(row, [], signed_on, context.centre.pooling_rule(signed_on))


async def _open_week(
    context: ServiceContext, calendar: Calendar, closer: WeekCloser, department: str | None
) -> OpenWeekView | None:
    week, working_time = await closer.oldest_open_week(), await calendar.read(context.pool)
    if week is None:
        return None
    closes_at = None if working_time is None else closer.closes_at(week, working_time)
    waits_for: str | None = None
    if working_time is None:
        waits_for = "the working calendar is not available yet"
    elif closes_at is None:
        waits_for = f"the calendar ends on {working_time.worktime.last_date}: extend it (docs/calendars.md)"
    elif closes_at < context.clock.now():
        waits_for = await closer.waits_for()
    received = await store.count_received(context.pool, context.centre.zone, week, week, department)
    return OpenWeekView(week=week, closes_at=closes_at, waits_for=waits_for, received=received.get(week, {}))


def _relevant_weeks(rows: Sequence[VolumeRow], rule: PoolingRule | None) -> list[Week]:
    """The newest weeks of a department that the rule evaluates, oldest first; empty without a rule."""
    if rule is None:
        return []
    weeks = counted_weeks([row.figures(rule.channels) for row in rows], rule)
    return weeks[-max(rule.pool_weeks, rule.release_weeks) :]


def _next_after(rows: Sequence[DecisionRow], on: date) -> DecisionRow | None:
    return next((row for row in rows if row.effective_from > on), None)


def _view(row: DecisionRow | None, rows: Sequence[DecisionRow], on: date, centre: Centre) -> DecisionView | None:
    return None if row is None else DecisionView.of(row, rows, on, centre.pooling_rule(on))


def _proposal_view(row: ProposalRow, centre: Centre) -> ProposalView:
    return ProposalView.of(row, centre.pooling_rule(row.earliest_from))


def _request(who: Principal, key: str, address: list[str], body: Body) -> Request:
    return Request(who.actor, key, {"address": address, "body": body.model_dump(mode="json")})
