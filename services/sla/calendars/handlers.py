"""Decisions about calendars: the first version, and proposals with their approval or rejection."""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import asyncpg
import structlog
from pydantic import TypeAdapter

from services.sla.calendars.events import calendar_event, content_digest
from services.sla.calendars.store import (
    CALENDARS,
    PROPOSALS,
    CalendarRow,
    ProposalRow,
    calendar_names,
    exceptions_to_documents,
    other_calendar,
    rules_from_document,
    rules_to_document,
)
from services.sla.clocks.handlers import SLA
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.calendar_changes import CalendarChange, apply_change, differences, find_faults
from services.sla.domain.errors import CalendarNotFoundError, ProposalOvertakenError
from shared.contracts.envelope import Actor
from shared.kernel.calendar_rules import CalendarRules
from shared.kernel.errors import ProposalNotFoundError, StartError
from shared.kernel.ids import uuid7
from shared.postgres.outbox import Cause
from shared.postgres.pool import Connection
from shared.postgres.retry import transact
from shared.postgres.unit_of_work import Unit
from shared.runtime.clock import machine_now
from shared.service.idempotency import Request, once
from shared.service.problems import invalid_places
from shared.service.process import Context

CALENDAR_PUBLISHED = "calendar_published"
_PROPOSAL = TypeAdapter(ProposalRow)

log = structlog.get_logger(__name__)


async def start_calendar(context: Context) -> CalendarRow:
    """Return the row of the centre's calendar; at the first start, store and publish the configured rules. Commits.

    At a later start, raises StartError if the configured name or rules differ from those of the first start. Of several
    replicas that start together for the first time, one publishes the calendar and the others read it.
    """
    configured = context.centre.calendar
    other = await other_calendar(context.pool, configured.name)
    if other is not None:
        raise StartError(
            f"sla has used the calendar {other} since its first start, but the first line of calendars.csv is now "
            f"{configured.name}: make {other} the first line again. After the first start, a calendar changes only by "
            "a proposal (docs/calendars.md)."
        )

    async def attempt() -> CalendarRow:
        async with context.unit(CALENDARS, [configured.name]) as (_, unit):
            row = unit.row(configured.name)
            if row.seed is None:
                row.seed = rules_to_document(configured)
                _publish(unit, row, compile_calendar(configured), decision=configured.decision, actor=SLA)
            else:
                _require_unedited(configured, rules_from_document(row.seed))
            return row

    return await transact(attempt)


def _publish(
    unit: Unit[CalendarRow],
    row: CalendarRow,
    calendar: Calendar,
    *,
    decision: str | None,
    actor: Actor,
    proposal_id: UUID | None = None,
) -> None:
    """Set a calendar as the next version of its locked row, and add the event that publishes it to the unit of work.

    `proposal_id` is the approved proposal, or None for the first version. The unit's transaction stores the row and the
    event.
    """
    now, name = unit.recorded_at, calendar.rules.name
    row.add_version(
        calendar.rules,
        digest=content_digest(calendar),
        decision=decision,
        since=now,
        decided_by=None if proposal_id is None else actor.id,
        proposal_id=proposal_id,
    )
    cause_id = f"calendar|{name}|{row.version}|{row.digest}"
    causation = cause_id if proposal_id is None else str(proposal_id)
    cause = Cause(id=cause_id, actor=actor, recorded_at=now, correlation=cause_id, causation=causation)
    unit.publish(row, calendar_event(calendar, row.version, decision), time=now, cause=cause)
    log.info(CALENDAR_PUBLISHED, calendar=name, version=row.version, decision=decision)


def _require_unedited(configured: CalendarRules, seed: CalendarRules) -> None:
    found = differences(configured, seed)
    if found:
        raise StartError(
            f"Calendar {configured.name} was edited in calendars.csv or calendars/{configured.name}.csv after the "
            f"centre's first start, which has no effect: {'; '.join(found)}. Restore these lines, and make the change "
            f"as a proposal instead: POST /calendars/{configured.name}/proposals (docs/calendars.md)."
        )


async def propose(context: Context, request: Request, name: str, change: CalendarChange) -> ProposalRow:
    """Store a proposal to change the present version of a calendar, and return it. Commits.

    A request with a known idempotency key stores nothing and returns its first answer. Raises CalendarNotFoundError,
    InvalidContentError with a pointer for each fault, and KeyReusedError.
    """

    async def decide(_: Connection, unit: Unit[CalendarRow], row: CalendarRow) -> ProposalRow:
        now = unit.recorded_at
        _require_applicable(change, row.calendar_rules(), unit)
        proposal = ProposalRow(
            proposal_id=uuid7(machine_now()),  # in order of creation, even if the centre's time does not advance
            calendar=name,
            base_version=row.version,
            exceptions=exceptions_to_documents(change.exceptions),
            last_date=change.last_date,
            proposed_by=request.actor.id,
            proposed_at=now,
        )
        unit.add(PROPOSALS, proposal)
        return proposal

    return await _once(context, request, name, decide)


async def approve(context: Context, request: Request, name: str, proposal_id: UUID, decision: str) -> ProposalRow:
    """Approve a proposal, put its change in force as the calendar's next version, and publish that version. Commits.

    The added exceptions are known from now on and name `decision`, the number of the signed document. Returns the
    approved proposal; a request with a known idempotency key changes nothing and returns its first answer. Raises
    CalendarNotFoundError, ProposalNotFoundError, ProposalDecidedError, ProposalOvertakenError, KeyReusedError, and
    InvalidContentError if the change is not valid any more.
    """

    async def decide(connection: Connection, unit: Unit[CalendarRow], row: CalendarRow) -> ProposalRow:
        proposal = await _open_proposal(connection, name, proposal_id)
        require_current(proposal, row)
        change, rules = proposal.change(), row.calendar_rules()
        _require_applicable(change, rules, unit)
        changed = compile_calendar(apply_change(change, rules, decision=decision, now=unit.recorded_at))
        _publish(unit, row, changed, decision=decision, actor=request.actor, proposal_id=proposal_id)
        proposal.approve(decision=decision, by=request.actor.id, at=unit.recorded_at)
        proposal.calendar_version = row.version
        unit.change(PROPOSALS, proposal)
        return proposal

    return await _once(context, request, name, decide)


async def reject(context: Context, request: Request, name: str, proposal_id: UUID, reason: str) -> ProposalRow:
    """Reject a proposal, also one for an earlier version of the calendar, and return it. Commits.

    A request with a known idempotency key changes nothing and returns its first answer. Raises CalendarNotFoundError,
    ProposalNotFoundError, ProposalDecidedError and KeyReusedError.
    """

    async def decide(connection: Connection, unit: Unit[CalendarRow], _: CalendarRow) -> ProposalRow:
        proposal = await _open_proposal(connection, name, proposal_id)
        proposal.reject(reason=reason, by=request.actor.id, at=unit.recorded_at)
        unit.change(PROPOSALS, proposal)
        return proposal

    return await _once(context, request, name, decide)


def require_current(proposal: ProposalRow, row: CalendarRow) -> None:
    """Raise ProposalOvertakenError unless the proposal is for the calendar's present version."""
    if proposal.base_version != row.version:
        raise ProposalOvertakenError(base_version=proposal.base_version, name=row.key, version=row.version)


async def calendar_row(pool: asyncpg.Pool, name: str) -> CalendarRow:
    """Read the row of the calendar of this name, without a lock. Raises CalendarNotFoundError."""
    return await _require_started(pool, await CALENDARS.read(pool, name), name)


async def proposal_row(pool: asyncpg.Pool, name: str, proposal_id: UUID) -> ProposalRow:
    """Read a proposal without a lock. Raises ProposalNotFoundError, also if it is for another calendar than `name`."""
    return _require_of_calendar(await PROPOSALS.read(pool, proposal_id), name)


_Decide = Callable[[Connection, Unit[CalendarRow], CalendarRow], Awaitable[ProposalRow]]


async def _once(context: Context, request: Request, name: str, decide: _Decide) -> ProposalRow:
    """Run `decide` in a transaction that has locked the calendar's row, and return the proposal from `decide`. Commits.

    For a known idempotency key, `decide` is not run and the first answer is returned. Raises CalendarNotFoundError,
    KeyReusedError, and what `decide` raises.
    """
    async with context.unit(CALENDARS, [name]) as (connection, unit):
        row = await _require_started(connection, unit.find(name), name)
        return await once(connection, request, _PROPOSAL, partial(decide, connection, unit, row))


async def _require_started(connection: "asyncpg.Pool | Connection", row: CalendarRow | None, name: str) -> CalendarRow:
    if row is None or row.rules is None:
        raise CalendarNotFoundError(name=name, allowed=await calendar_names(connection))
    return row


def _require_of_calendar(proposal: ProposalRow | None, name: str) -> ProposalRow:
    if proposal is None or proposal.calendar != name:
        raise ProposalNotFoundError
    return proposal


async def _open_proposal(connection: Connection, name: str, proposal_id: UUID) -> ProposalRow:
    locked = await PROPOSALS.lock(connection, [proposal_id])
    proposal = _require_of_calendar(locked.get(proposal_id), name)
    proposal.require_open()
    return proposal


def _require_applicable(change: CalendarChange, rules: CalendarRules, unit: Unit[CalendarRow]) -> None:
    faults = find_faults(change, rules, unit.recorded_at)
    if faults:
        raise invalid_places(faults)
