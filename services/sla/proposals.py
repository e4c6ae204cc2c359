"""What is done to proposals: each write a transaction under the calendar's row, answered the same when repeated."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from services.sla import calendar_store, calendars
from services.sla.calendar_store import CALENDARS, PROPOSALS, CalendarRow, ProposalRow
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.changes import Change, applied, faults_of
from shared.contracts.envelope import Actor
from shared.kernel.calendar_rules import CalendarException, CalendarRules
from shared.kernel.errors import ExpectedError
from shared.kernel.ids import uuid7
from shared.postgres.pool import Connection
from shared.postgres.unit_of_work import Unit
from shared.runtime.clock import machine_now
from shared.service.idempotency import Request, once
from shared.service.process import Context

_PROPOSAL = TypeAdapter(ProposalRow)
_EXCEPTIONS = TypeAdapter(tuple[CalendarException, ...])


async def propose(context: Context, request: Request, name: str, change: Change) -> ProposalRow:
    """Keep a proposal to change the calendar as it stands now. Commits.

    Raises Refusal: 404 for an unknown calendar, 422 with a pointer for each fault.
    """

    async def decide(_: Connection, unit: Unit[CalendarRow], row: CalendarRow) -> ProposalRow:
        now = unit.recorded_at
        _require_sound(change, rules_of(row), now)
        proposal = ProposalRow(
            proposal_id=uuid7(machine_now()),  # in the order of their making, also where the centre's time stands
            calendar=name,
            base_version=row.version,
            exceptions=_EXCEPTIONS.dump_python(change.exceptions, mode="json"),
            last_date=change.last_date,
            proposed_by=request.actor.id,
            proposed_at=now,
        )
        unit.add(PROPOSALS, proposal)
        return proposal

    return await _once(context, request, name, decide)


async def approve(context: Context, request: Request, name: str, proposal_id: UUID, decision: str) -> ProposalRow:
    """Put a proposal into force: from now on its exceptions are known, by this decision, in the next version. Commits.

    Raises Refusal: 404 for an unknown calendar or proposal, 409 for one that was decided or overtaken.
    """

    async def decide(connection: Connection, unit: Unit[CalendarRow], row: CalendarRow) -> ProposalRow:
        proposal = await _undecided(connection, name, proposal_id)
        require_present(proposal, row)
        change = change_of(proposal)
        _require_sound(change, rules_of(row), unit.recorded_at)
        changed = compile_calendar(applied(change, rules_of(row), decision=decision, now=unit.recorded_at))
        calendars.publish(unit, row, changed, decision=decision, actor=request.actor, proposal_id=proposal_id)
        proposal.state, proposal.decision, proposal.calendar_version = "approved", decision, row.version
        return _decided(unit, proposal, request.actor)

    return await _once(context, request, name, decide)


async def discard(context: Context, request: Request, name: str, proposal_id: UUID, reason: str) -> ProposalRow:
    """Put a proposal aside for good; one that was overtaken, too. Commits. Raises Refusal as `approve` does."""

    async def decide(connection: Connection, unit: Unit[CalendarRow], _: CalendarRow) -> ProposalRow:
        proposal = await _undecided(connection, name, proposal_id)
        proposal.state, proposal.reason = "discarded", reason
        return _decided(unit, proposal, request.actor)

    return await _once(context, request, name, decide)


def rules_of(row: CalendarRow) -> CalendarRules:
    """The rules in force."""
    assert row.rules is not None, "a calendar has its rules from its first start on"
    return calendars.from_document(row.rules)


def change_of(proposal: ProposalRow) -> Change:
    """What is proposed, as the domain has it."""
    return Change(_EXCEPTIONS.validate_python(proposal.exceptions), proposal.last_date)


def require_undecided(proposal: ProposalRow) -> None:
    """Raises Refusal (409), naming who decided about it, when, and how."""
    if proposal.state != "proposed":
        by = proposal.decision if proposal.state == "approved" else proposal.reason
        at = "" if proposal.decided_at is None else f" at {proposal.decided_at.isoformat()}"
        raise ExpectedError("proposal-decided", f"{proposal.decided_by} {proposal.state} it{at} ({by})")


def require_present(proposal: ProposalRow, row: CalendarRow) -> None:
    """Raises Refusal (409) unless the calendar still is as it was when the proposal was made."""
    if proposal.base_version != row.version:
        raise ExpectedError(
            "proposal-overtaken",
            f"it was made for version {proposal.base_version} of {row.key}, which stands at version {row.version} by "
            "now: discard it, and rehearse a new proposal",
        )


async def calendar_of(pool: asyncpg.Pool, name: str) -> CalendarRow:
    """The calendar as it stands. Raises Refusal (404)."""
    return await _known(pool, await CALENDARS.read(pool, name), name)


async def proposal_of(pool: "asyncpg.Pool | Connection", name: str, proposal_id: UUID) -> ProposalRow:
    """The proposal as it stands. Raises Refusal (404)."""
    return _found(await PROPOSALS.read(pool, proposal_id), name)


Decide = Callable[[Connection, Unit[CalendarRow], CalendarRow], Awaitable[ProposalRow]]


async def _once(context: Context, request: Request, name: str, decide: Decide) -> ProposalRow:
    """Decide under the calendar's lock and keep the answer; a known key gets its first answer, before anything else."""
    async with context.unit(CALENDARS, [name]) as (connection, unit):
        row = await _known(connection, unit.find(name), name)
        return await once(connection, request, _PROPOSAL, partial(decide, connection, unit, row))


async def _known(connection: "asyncpg.Pool | Connection", row: CalendarRow | None, name: str) -> CalendarRow:
    if row is None or row.rules is None:
        kept = await calendar_store.names(connection)
        wrong = f"sla keeps no calendar {name!r}, but {', '.join(kept)}"
        raise ExpectedError("calendar-unknown", wrong, status=404, allowed=kept)
    return row


def _found(proposal: ProposalRow | None, name: str) -> ProposalRow:
    if proposal is None or proposal.calendar != name:
        raise ExpectedError("proposal-unknown", f"calendar {name} has no such proposal", status=404)
    return proposal


async def _undecided(connection: Connection, name: str, proposal_id: UUID) -> ProposalRow:
    locked = await PROPOSALS.lock(connection, [proposal_id])
    proposal = _found(locked.get(proposal_id), name)
    require_undecided(proposal)
    return proposal


def _require_sound(change: Change, rules: CalendarRules, now: datetime) -> None:
    faults = faults_of(change, rules, now)
    if faults:
        few = f"{len(faults)} places are" if len(faults) > 1 else "1 place is"
        raise ExpectedError("invalid-content", f"{few} wrong; see errors", status=422, errors=faults)


def _decided(unit: Unit[CalendarRow], proposal: ProposalRow, actor: Actor) -> ProposalRow:
    proposal.decided_by, proposal.decided_at = actor.id, unit.recorded_at
    unit.change(PROPOSALS, proposal)
    return proposal
