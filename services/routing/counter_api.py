"""The general counter over HTTP: volumes, how departments stand, what the rule proposes, and what leaders decide."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from services.routing import counter_store
from services.routing.access import own_department
from services.routing.counter import Decider, Wish, follow, proposal_of
from services.routing.counter_store import DecisionRow
from services.routing.counter_views import (
    ApprovalRequest,
    DecisionRequest,
    Decisions,
    DecisionsQuery,
    DecisionView,
    GeneralCounterView,
    OpenWeekView,
    Proposals,
    ProposalsQuery,
    ProposalView,
    ReceivingPlaceView,
    RejectionRequest,
    StandingView,
    Volumes,
    VolumesQuery,
    decision_view,
    proposal_view,
    rule_view,
    volume_view,
    week_view,
)
from services.routing.domain import assignment
from services.routing.domain.pooling import counted
from services.routing.handlers import Routing
from services.routing.models import OnQuery
from services.routing.weeks import Weeks
from shared.contracts.envelope import Role
from shared.kernel.centre import Department
from shared.kernel.errors import ExpectedError, FieldError
from shared.kernel.weeks import WEEK, monday
from shared.postgres.published_calendars import PublishedCalendar
from shared.service.http import Body, IdempotencyKey
from shared.service.idempotency import Request
from shared.service.keys import Caller, Principal, require
from shared.service.process import Context

_READERS: tuple[Role, ...] = ("leader", "auditor", "officer", "ops", "service")
_SHOWN_WEEKS = 26
_MOST_WEEKS = 104

Reader = Annotated[Principal, Depends(require(*_READERS))]
Leader = Annotated[Principal, Depends(require("leader"))]
Code = Annotated[str, Path(min_length=1, max_length=40)]


def router(context: Context, routing: Routing, weeks: Weeks, calendar: PublishedCalendar) -> APIRouter:
    """The routes of one process."""
    routes = APIRouter()
    centre, pool = context.centre, context.pool
    decider = Decider(context, calendar)

    def today() -> date:
        return centre.local_date(context.clock.now())

    def existing(code: str, on: date) -> Department:
        found = centre.department(code, on)
        if found is None:
            raise ExpectedError("department-unknown", f"the centre has no department {code!r} on {on}", status=404)
        return found

    def shown(row: DecisionRow | None, others: list[DecisionRow], on: date) -> DecisionView | None:
        return None if row is None else decision_view(row, others, on, centre.pooling_rule(on))

    def unsigned(view: DecisionView | None) -> DecisionView | None:
        """Without who signed it and why: everybody with a key may ask."""
        return None if view is None else view.model_copy(update={"decided_by": None, "reason": None})

    @routes.get("/departments/{code}/receiving-place")
    async def receiving_place(_: Caller, code: Code, query: Annotated[OnQuery, Query()]) -> ReceivingPlaceView:
        on = query.on or today()
        department = existing(code, on)
        await follow(routing, pool)
        rows = await counter_store.decisions(pool, code)
        place = assignment.place(centre, routing.decisions, procedure="", department=department, on=on)
        in_force = next((row for row in reversed(rows) if row.effective_from <= on), None)
        coming = next((row for row in rows if row.effective_from > on), None)
        return ReceivingPlaceView(
            department=code,
            on=on,
            receiving=place.receiving,
            counters=place.counters,
            decision=unsigned(shown(in_force, rows, on)),
            next=unsigned(shown(coming, rows, on)),
            reason=place.reason.text,
        )

    @routes.get("/general-counter")
    async def general_counter(who: Reader, query: Annotated[OnQuery, Query()]) -> GeneralCounterView:
        """Each department under the rule, with the weeks that it is judged by."""
        on = query.on or today()
        rule = centre.pooling_rule(on)
        await follow(routing, pool)
        rows = await counter_store.decisions(pool)
        volumes = await counter_store.volumes(pool, first=monday(on) - _SHOWN_WEEKS * WEEK, last=on)
        open_ones = {row.department: row for row in await counter_store.proposals(pool, state="proposed")}
        found = []
        for department in centre.departments_on(on):
            if own_department(who, None) not in (None, department.code):
                continue
            own = [row for row in rows if row.department == department.code]
            standing = routing.decisions.standing(department.code, on)
            judged = []
            if rule is not None:
                needed = max(rule.pool_weeks, rule.release_weeks)
                ours = [row.counted(rule.channels) for row in volumes if row.department == department.code]
                judged = counted(ours, rule)[-needed:]
            proposal = open_ones.get(department.code)
            found.append(
                StandingView(
                    department=department.code,
                    name_vi=department.name_vi,
                    receiving=standing.receiving,
                    since=standing.since,
                    fixed=standing.fixed,
                    weeks=[week_view(week, rule) for week in judged],
                    proposal=None if proposal is None else proposal_view(proposal, rule),
                    next=shown(next((row for row in own if row.effective_from > on), None), own, on),
                )
            )
        return GeneralCounterView(on=on, rule=rule_view(rule), departments=found)

    @routes.get("/volumes")
    async def volumes(who: Reader, query: Annotated[VolumesQuery, Query()]) -> Volumes:
        of = own_department(who, query.department)
        last = monday(query.last or today())
        first = monday(query.first) if query.first else last - _SHOWN_WEEKS * WEEK
        if last - first > _MOST_WEEKS * WEEK:
            detail = f"more than {_MOST_WEEKS} weeks lie between first and last: ask for them in parts"
            raise ExpectedError("invalid-content", detail, status=422, errors=[FieldError("/query/first", detail)])
        rule = centre.pooling_rule(today())
        rows = await counter_store.volumes(pool, first=first, last=last, department=of)
        now = await counter_store.received_in(pool, centre.zone, first, last, of)
        return Volumes(
            rule=rule_view(rule),
            volumes=[volume_view(row, rule, now.get(row.week, {}).get(row.department, {})) for row in rows],
            open=await _open_week(of),
        )

    async def _open_week(department: str | None) -> OpenWeekView | None:
        week, known = await weeks.oldest_open(), await calendar.read(pool)
        if week is None:
            return None
        closes_at = None if known is None else weeks.closes_at(week, known)
        waits_for: str | None = None
        if known is None:
            waits_for = "the calendar has not arrived from sla"
        elif closes_at is None:
            waits_for = f"the calendar ends on {known.worktime.last_date}: prolong it (docs/calendars.md)"
        elif closes_at < context.clock.now():
            waits_for = await weeks.waits_for()
        received = await counter_store.received_in(pool, centre.zone, week, week, department)
        return OpenWeekView(week=week, closes_at=closes_at, waits_for=waits_for, received=received.get(week, {}))

    @routes.get("/proposals")
    async def proposals(who: Reader, query: Annotated[ProposalsQuery, Query()]) -> Proposals:
        found = await counter_store.proposals(
            pool,
            department=own_department(who, query.department),
            state=query.state,
            after=query.after,
            limit=query.limit + 1,
        )
        page = [proposal_view(row, centre.pooling_rule(row.coming)) for row in found[: query.limit]]
        return Proposals(proposals=page, next=page[-1].proposal_id if len(found) > query.limit else None)

    @routes.get("/proposals/{proposal_id}")
    async def proposal(who: Reader, proposal_id: UUID) -> ProposalView:
        row = await proposal_of(pool, proposal_id)
        own_department(who, row.department)
        return proposal_view(row, centre.pooling_rule(row.coming))

    @routes.post("/proposals/{proposal_id}/approve")
    async def approve(who: Leader, proposal_id: UUID, key: IdempotencyKey, asked: ApprovalRequest) -> ProposalView:
        request = _request(who, key, ["approve", str(proposal_id)], asked)
        row = await decider.approve(request, proposal_id, asked.decision, asked.effective_from)
        return proposal_view(row, centre.pooling_rule(row.coming))

    @routes.post("/proposals/{proposal_id}/reject")
    async def reject(who: Leader, proposal_id: UUID, key: IdempotencyKey, asked: RejectionRequest) -> ProposalView:
        request = _request(who, key, ["reject", str(proposal_id)], asked)
        row = await decider.reject(request, proposal_id, asked.decision, asked.reason)
        return proposal_view(row, centre.pooling_rule(row.coming))

    @routes.get("/decisions")
    async def decisions(who: Reader, query: Annotated[DecisionsQuery, Query()]) -> Decisions:
        on = query.on or today()
        rows = await counter_store.decisions(pool, own_department(who, query.department))
        by_department: dict[str, list[DecisionRow]] = {}
        for row in rows:
            by_department.setdefault(row.department, []).append(row)
        rule = centre.pooling_rule(on)
        return Decisions(on=on, decisions=[decision_view(row, by_department[row.department], on, rule) for row in rows])

    @routes.post("/decisions", status_code=201)
    async def decide(who: Leader, key: IdempotencyKey, asked: DecisionRequest) -> DecisionView:
        wish = Wish(
            department=asked.department,
            receiving=asked.receiving,
            fixed=asked.fixed,
            effective_from=asked.effective_from,
            decision=asked.decision,
            reason=asked.reason,
        )
        row = await decider.decide(_request(who, key, ["decide"], asked), wish)
        signed_on = centre.local_date(row.decided_at)  # as it stood then, however often it is asked again
        return decision_view(row, [], signed_on, centre.pooling_rule(signed_on))

    return routes


def _request(who: Principal, key: str, address: list[str], asked: Body) -> Request:
    return Request(who.actor, key, {"address": address, "body": asked.model_dump(mode="json")})
