"""Who receives for a department: begun from the configuration, changed by signed decisions, followed by replicas."""

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import structlog
from pydantic import TypeAdapter

from services.routing import counter_store
from services.routing.counter_store import DECISIONS, PROPOSALS, SYSTEM, DecisionRow, ProposalRow
from services.routing.domain.decisions import Decision, Decisions, fault_of_date, next_start, seeded, unreceived
from services.routing.domain.pooling import Receiving
from services.routing.handlers import Routing
from shared.kernel.errors import ExpectedError, FieldError, Refusal, StartError
from shared.kernel.ids import uuid7
from shared.kernel.weeks import monday
from shared.kernel.worktime import OutsideCalendarError, Worktime
from shared.postgres.clock import refresh
from shared.postgres.pool import Connection
from shared.postgres.published_calendars import PublishedCalendar
from shared.runtime.clock import machine_now
from shared.service.idempotency import Request, once
from shared.service.process import Context

DECISION_SIGNED = "receiving_decision_signed"

_DECISION = TypeAdapter(DecisionRow)
_PROPOSAL = TypeAdapter(ProposalRow)
_SEED = TypeAdapter(list[Decision])
R = TypeVar("R")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a leader decides about a department without a proposal: who receives, and whether that is fixed."""

    department: str
    receiving: Receiving
    fixed: bool
    effective_from: date | None
    decision: str
    reason: str


async def begin(context: Context) -> None:
    """Keep the configuration's decisions at the first start, and count weeks from that day on. Commits.

    Raises StartError when the configuration says something else than at the first start, and when nobody receives for a
    department today or later.
    """
    await _seed(context)
    today = context.centre.local_date(context.clock.now())
    lacking = unreceived(context.centre, await counter_store.all_decisions(context.pool), today)
    if lacking:
        raise StartError(f"nobody would receive: {'; '.join(lacking)}")


async def _seed(context: Context) -> None:
    decisions = seeded(context.centre)
    given = _SEED.dump_python(decisions, mode="json")
    async with context.pool.acquire() as connection, connection.transaction():
        kept = await counter_store.lock_counter(connection)
        if kept is not None:
            _require_same(given, json.loads(kept))
            return
        now = context.clock.now()
        rows = [
            DecisionRow(
                decision_id=uuid7(machine_now()),
                department=each.department,
                effective_from=each.effective_from,
                receiving=each.receiving,
                decision=each.number,
                reason="receiving.csv, at the first start",
                decided_by=SYSTEM,
                decided_at=now,
            )
            for each in decisions
        ]
        await DECISIONS.insert(connection, rows)
        await connection.execute(
            "update general_counter set version = $1, seed = $2, began_on = $3",
            len(rows),
            json.dumps(given),
            max(context.centre.opened_on, context.centre.local_date(now)),
        )


def _require_same(given: list[dict[str, Any]], seed: list[dict[str, Any]]) -> None:
    said = {_told(each): each for each in given}
    kept = {_told(each): each for each in seed}
    found = [f"it was {each} and is gone" for each in kept if each not in said]
    found += [f"{each} was not there" for each in said if each not in kept]
    if found:
        raise StartError(
            f"receiving.csv was edited after the centre's first start, and such an edit changes nothing any more: "
            f"{'; '.join(found)}. Restore these lines, and have the change signed as a decision instead: POST "
            "/decisions (docs/general-counter.md)"
        )


def _told(each: dict[str, Any]) -> str:
    where = "the general counter" if each["receiving"] == "general" else "its own counters"
    return f"{each['department']} at {where} from {each['effective_from']} by {each['number']}"


async def follow(routing: Routing, connection: "Connection | asyncpg.Pool") -> None:
    """Let routing go by the decisions that are committed, read anew if there are more."""
    if await counter_store.version(connection) != routing.version:
        rows = await counter_store.all_decisions(connection)
        routing.follow(rows, rows.count)


async def follow_for_dossiers(routing: Routing, connection: Connection) -> None:
    """The same in a transaction that decides on dossiers: no decision is signed until it ends."""
    await counter_store.share_decisions(connection)
    await follow(routing, connection)


class Decider:
    """What leaders do: each write one transaction under the general counter's row, answered the same when repeated."""

    def __init__(self, context: Context, calendar: PublishedCalendar) -> None:
        self._context = context
        self._calendar = calendar

    async def decide(self, request: Request, wish: Wish) -> DecisionRow:
        """Sign a decision of the leader's own; an open proposal for the department lapses. Commits.

        Raises Refusal: 404 for an unknown department, 409 where a decision as late or later is signed, 422.
        """

        async def write(connection: Connection) -> DecisionRow:
            row = await self._sign(connection, request, wish)
            await self._lapse(connection, wish.department, f"decided otherwise by {wish.decision}")
            return row

        return await self._once(request, _DECISION, write)

    async def approve(
        self, request: Request, proposal_id: UUID, decision: str, effective_from: date | None
    ) -> ProposalRow:
        """Sign a proposal: the decision takes effect on that date, or at the next start of a working week. Commits.

        Raises Refusal: 404 for an unknown proposal, 409 for one that was decided or where a decision as late or
        later is signed, 422 for a date that does not do.
        """

        async def write(connection: Connection) -> ProposalRow:
            proposal = await _undecided(connection, proposal_id)
            wish = Wish(
                department=proposal.department,
                receiving=proposal.receiving,
                fixed=False,
                effective_from=effective_from,
                decision=decision,
                reason="",
            )
            row = await self._sign(connection, request, wish, proposal)
            proposal.state, proposal.decision, proposal.effective_from = "approved", decision, row.effective_from
            return await _decided(connection, proposal, request.actor.id, row.decided_at)

        return await self._once(request, _PROPOSAL, write)

    async def reject(self, request: Request, proposal_id: UUID, decision: str, reason: str) -> ProposalRow:
        """Put a proposal aside for good. Commits. Raises Refusal: 404 or 409 as `approve` does."""

        async def write(connection: Connection) -> ProposalRow:
            proposal = await _undecided(connection, proposal_id)
            await refresh(self._context.clock, connection)
            proposal.state, proposal.decision, proposal.reason = "rejected", decision, reason
            proposal.seen_until = await counter_store.last_week(connection)
            return await _decided(connection, proposal, request.actor.id, self._context.clock.now())

        return await self._once(request, _PROPOSAL, write)

    async def _once(self, request: Request, kind: TypeAdapter[R], write: Callable[[Connection], Awaitable[R]]) -> R:
        async with self._context.pool.acquire() as connection, connection.transaction():
            await counter_store.lock_counter(connection)
            return await once(connection, request, kind, partial(write, connection))

    async def _sign(
        self, connection: Connection, request: Request, wish: Wish, proposal: ProposalRow | None = None
    ) -> DecisionRow:
        """Keep a decision. From here to the commit nobody decides on a dossier."""
        self._require_department(wish.department)
        await counter_store.own_decisions(connection)
        await refresh(self._context.clock, connection)
        clock, centre = self._context.clock, self._context.centre
        found = await self._calendar.require(connection)
        earliest = proposal.coming if proposal is not None else None
        effective = self._effective(
            wish.effective_from, centre.local_date(clock.accepts_until()), found.worktime, earliest
        )
        signed = await counter_store.decisions(connection, wish.department)
        for each in signed:
            if each.effective_from >= effective:
                raise ExpectedError(
                    "decision-conflict",
                    f"decision {each.decision} about {wish.department} takes effect on {each.effective_from}: a later "
                    "one may follow it, none may come before it or on its day",
                )
        self._require_received(wish, effective, map(counter_store.decision_of, signed))
        row = DecisionRow(
            decision_id=uuid7(machine_now()),
            department=wish.department,
            effective_from=effective,
            receiving=wish.receiving,
            fixed=wish.fixed,
            decision=wish.decision,
            reason=wish.reason or None,
            rule=None if proposal is None else proposal.rule,
            weeks=[] if proposal is None else proposal.weeks,
            proposal_id=None if proposal is None else proposal.proposal_id,
            decided_by=request.actor.id,
            decided_at=clock.now(),
        )
        await DECISIONS.insert(connection, [row])
        await connection.execute("update general_counter set version = version + 1")
        log.info(DECISION_SIGNED, department=row.department, receiving=row.receiving, decision=row.decision)
        return row

    def _effective(self, wanted: date | None, today: date, worktime: Worktime, earliest: date | None) -> date:
        try:
            if wanted is None:
                start = next_start(worktime, today)
                return start if earliest is None else max(start, worktime.working_day_from(monday(earliest)))
            fault = fault_of_date(wanted, today=today, worktime=worktime)
        except OutsideCalendarError as error:
            fault = str(error)
        if fault is None and wanted is not None and earliest is not None and wanted < monday(earliest):
            fault = f"{wanted} is before {earliest}, the first date on which what is proposed may take effect"
        if fault is not None:
            raise _refusal("/effective_from", fault)
        assert wanted is not None  # the other way has returned
        return wanted

    def _require_department(self, code: str) -> None:
        if code not in self._context.centre.departments:
            raise ExpectedError("department-unknown", f"the centre has no department {code!r}", status=404)

    def _require_received(self, wish: Wish, on: date, signed: Iterable[Decision]) -> None:
        """Raises Refusal (422) where nobody would receive for the department on some day from then on: routing
        would refuse its next start."""
        centre = self._context.centre
        if centre.department(wish.department, on) is None:
            raise _refusal("/department", f"{wish.department} does not exist on {on}")
        wished = Decision(department=wish.department, effective_from=on, receiving=wish.receiving, number=wish.decision)
        lacking = unreceived(centre, Decisions([*signed, wished]), on, department=wish.department)
        if lacking:
            raise _refusal("/receiving", f"nobody would receive: {'; '.join(lacking)}")

    async def _lapse(self, connection: Connection, department: str, reason: str) -> None:
        found = await counter_store.proposals(connection, department=department, state="proposed")
        for proposal in found:
            proposal.lapse(reason, self._context.clock.now())
        await PROPOSALS.update(connection, found)


async def proposal_of(connection: "asyncpg.Pool | Connection", proposal_id: UUID) -> ProposalRow:
    """The proposal as it stands. Raises Refusal (404)."""
    found = await PROPOSALS.read(connection, proposal_id)
    if found is None:
        raise ExpectedError("proposal-unknown", "there is no such proposal", status=404)
    return found


async def _undecided(connection: Connection, proposal_id: UUID) -> ProposalRow:
    proposal = await proposal_of(connection, proposal_id)
    if proposal.state != "proposed":
        by = proposal.decision or proposal.reason
        at = "" if proposal.decided_at is None else f" at {proposal.decided_at.isoformat()}"
        raise ExpectedError("proposal-decided", f"{proposal.decided_by} {proposal.state} it{at} ({by})")
    return proposal


async def _decided(connection: Connection, proposal: ProposalRow, by: str, at: datetime) -> ProposalRow:
    proposal.decided_by, proposal.decided_at = by, at
    await PROPOSALS.update(connection, [proposal])
    return proposal


def _refusal(pointer: str, reason: str) -> Refusal:
    return ExpectedError("invalid-content", reason, status=422, errors=[FieldError(pointer, reason)])
