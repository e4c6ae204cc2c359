"""Decisions about who receives for a department, from the configuration or signed by leaders; the rule's proposals.

A leader's request is one transaction, which locks the general counter's row first.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog
from pydantic import TypeAdapter

from services.routing.domain.decisions import (
    CurrentReceiving,
    Decision,
    Decisions,
    Receiving,
    differences,
    effective_date_error,
    initial_decisions,
    missing_counters,
    next_week_start,
)
from services.routing.domain.errors import DecisionConflictError
from services.routing.domain.pooling_rule import propose_change
from services.routing.general_counter import store
from services.routing.general_counter.store import PROPOSALS, DecisionRow, ProposalRow, VolumeRow
from shared.kernel.centre import Centre
from shared.kernel.errors import DepartmentUnknownError, InvalidContentError, StartError
from shared.kernel.ids import uuid7
from shared.kernel.weeks import monday
from shared.kernel.worktime import OutsideCalendarError, Worktime
from shared.postgres.clock import refresh
from shared.postgres.pool import Connection
from shared.postgres.published_calendars import PublishedCalendar
from shared.runtime.clock import machine_now
from shared.service.idempotency import Request, once
from shared.service.process import Context

DECISION_SIGNED = "decision_signed"
ROUTING = "routing"
"""The `decided_by` of the initial decisions and of lapsed proposals, which no person decided."""

_DECISION = TypeAdapter(DecisionRow)
_PROPOSAL = TypeAdapter(ProposalRow)
R = TypeVar("R")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionDraft:
    """A decision that a leader wants to sign; `decision` is the number of the document.

    Without `effective_from` the decision takes effect at the start of the next working week.
    """

    department: str
    receiving: Receiving
    fixed: bool = False
    effective_from: date | None
    decision: str
    reason: str | None = None


async def start_general_counter(context: Context) -> None:
    """At the first start, store the decisions of receiving.csv and the day from which weeks are counted. Commits.

    The day is that of the start, or the centre's opening if that is later. Raises StartError if the decisions of
    receiving.csv differ from those at the first start, or if no counter receives for some department on some day from
    today on.
    """
    await _insert_initial_decisions(context)
    today = context.centre.local_date(context.clock.now())
    missing = missing_counters(context.centre, await store.read_decisions(context.pool), today)
    if missing:
        raise StartError(f"No counter would receive: {'; '.join(missing)}.")


async def _insert_initial_decisions(context: Context) -> None:
    decisions = initial_decisions(context.centre)
    async with context.pool.acquire() as connection, connection.transaction():
        seed = await store.lock_general_counter(connection)
        if seed is not None:
            if changes := differences(seed, decisions):
                raise StartError(
                    "receiving.csv was edited after the centre's first start, when its decisions were stored: "
                    f"{'; '.join(changes)}. Restore these lines, and sign the change as a decision: POST /decisions "
                    "(docs/general-counter.md)."
                )
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
                decided_by=ROUTING,
                decided_at=now,
            )
            for each in decisions
        ]
        counted_from = max(context.centre.opened_on, context.centre.local_date(now))
        await store.insert_initial_decisions(connection, rows, decisions, counted_from)


class DecisionSigner:
    """Performs the requests of leaders: sign a decision, approve or reject a proposal.

    Each request is one transaction. A request that is repeated with its idempotency key gets its first answer; the same
    key with other content raises KeyReusedError.
    """

    def __init__(self, context: Context, calendar: PublishedCalendar) -> None:
        self._context = context
        self._calendar = calendar

    async def sign(self, request: Request, draft: DecisionDraft) -> DecisionRow:
        """Sign and store a decision without a proposal, and return its row. Commits.

        An open proposal for the department lapses. Raises DepartmentUnknownError, DecisionConflictError,
        CalendarNotAvailableError, and InvalidContentError for a date, department or receiving place that is not
        possible.
        """

        async def write(connection: Connection) -> DecisionRow:
            row = await self._sign(connection, request, draft)
            await self._lapse(connection, row)
            return row

        return await self._once(request, _DECISION, write)

    async def approve(
        self, request: Request, proposal_id: UUID, decision: str, effective_from: date | None
    ) -> ProposalRow:
        """Approve a proposal: sign and store the decision `decision`, and return the proposal's row. Commits.

        Raises ProposalNotFoundError, ProposalDecidedError, and what `sign` raises.
        """

        async def write(connection: Connection) -> ProposalRow:
            proposal = await store.read_proposal(connection, proposal_id)
            proposal.require_open()
            draft = DecisionDraft(
                department=proposal.department,
                receiving=proposal.receiving,
                effective_from=effective_from,
                decision=decision,
            )
            row = await self._sign(connection, request, draft, proposal)
            proposal.approve(decision=decision, by=row.decided_by, at=row.decided_at)
            proposal.effective_from = row.effective_from
            await PROPOSALS.update(connection, [proposal])
            return proposal

        return await self._once(request, _PROPOSAL, write)

    async def reject(self, request: Request, proposal_id: UUID, decision: str, reason: str) -> ProposalRow:
        """Reject a proposal, and return its row. Commits.

        `decision` is the number of the document. Raises ProposalNotFoundError, ProposalDecidedError.
        """

        async def write(connection: Connection) -> ProposalRow:
            proposal = await store.read_proposal(connection, proposal_id)
            await refresh(self._context.clock, connection)
            at = self._context.clock.now()
            proposal.reject(reason=reason, by=request.actor.id, at=at, decision=decision)
            proposal.last_closed_week = await store.last_closed_week(connection)
            await PROPOSALS.update(connection, [proposal])
            return proposal

        return await self._once(request, _PROPOSAL, write)

    async def _once(self, request: Request, kind: TypeAdapter[R], write: Callable[[Connection], Awaitable[R]]) -> R:
        async with self._context.pool.acquire() as connection, connection.transaction():
            await store.lock_general_counter(connection)
            return await once(connection, request, kind, partial(write, connection))

    async def _sign(
        self, connection: Connection, request: Request, draft: DecisionDraft, proposal: ProposalRow | None = None
    ) -> DecisionRow:
        """Check and insert a decision, and return its row. Until the caller's commit, no transaction assigns dossiers.

        Waits for open transactions that assign dossiers. Raises what `sign` raises.
        """
        clock, centre = self._context.clock, self._context.centre
        if draft.department not in centre.departments:
            raise DepartmentUnknownError(department=draft.department)
        await store.lock_decisions(connection)
        await refresh(clock, connection)  # after the lock: see store.lock_decisions
        calendar = await self._calendar.require(connection)
        effective_from = effective_date(
            draft.effective_from,
            today=centre.local_date(clock.accepts_until()),
            worktime=calendar.worktime,
            earliest=None if proposal is None else proposal.earliest_from,
        )
        signed = await store.list_decisions(connection, draft.department)
        check_decision(centre, draft, effective_from, [row.to_decision() for row in signed])
        row = DecisionRow(
            decision_id=uuid7(machine_now()),
            department=draft.department,
            effective_from=effective_from,
            receiving=draft.receiving,
            fixed=draft.fixed,
            decision=draft.decision,
            reason=draft.reason,
            rule=None if proposal is None else proposal.rule,
            weeks=[] if proposal is None else proposal.weeks,
            proposal_id=None if proposal is None else proposal.proposal_id,
            decided_by=request.actor.id,
            decided_at=clock.now(),
        )
        await store.insert_decision(connection, row)
        log.info(DECISION_SIGNED, department=row.department, receiving=row.receiving, decision=row.decision)
        return row

    async def _lapse(self, connection: Connection, row: DecisionRow) -> None:
        found = await store.list_proposals(connection, department=row.department, state="proposed")
        for proposal in found:
            proposal.lapse(reason=f"superseded by decision {row.decision}", by=ROUTING, at=row.decided_at)
        await PROPOSALS.update(connection, found)


def effective_date(wanted: date | None, *, today: date, worktime: Worktime, earliest: date | None) -> date:
    """Return the date on which a decision takes effect: `wanted`, or by default the start of the next working week.

    `earliest` is the first date on which the approved proposal may take effect; None without a proposal. Raises
    InvalidContentError if `wanted` is not the start of a later working week, is before the week of `earliest`, or if
    the calendar does not reach far enough.
    """
    try:
        if wanted is None:
            start = next_week_start(worktime, today)
            return start if earliest is None else max(start, worktime.working_day_from(monday(earliest)))
        error = effective_date_error(wanted, today=today, worktime=worktime)
    except OutsideCalendarError as outside:
        raise InvalidContentError(str(outside), pointer="/effective_from") from outside
    if error is None and earliest is not None and wanted < monday(earliest):
        error = f"{wanted} is before {earliest}, the first date on which this proposal may take effect."
    if error is not None:
        raise InvalidContentError(error, pointer="/effective_from")
    return wanted


def check_decision(centre: Centre, draft: DecisionDraft, on: date, signed: Sequence[Decision]) -> None:
    """Check that a decision can take effect on the date `on`, after the department's decisions in `signed`.

    Raises DecisionConflictError if a signed decision takes effect on that date or later. Raises InvalidContentError if
    the department does not exist on that date, or if no counter would receive for it on some day from then on: routing
    would not start again.
    """
    for each in signed:
        if each.effective_from >= on:
            raise DecisionConflictError(
                decision=each.number, department=each.department, effective_from=each.effective_from
            )
    if centre.department(draft.department, on) is None:
        raise InvalidContentError(f"{draft.department} does not exist on {on}.", pointer="/department")
    added = Decision(department=draft.department, effective_from=on, receiving=draft.receiving, number=draft.decision)
    missing = missing_counters(centre, Decisions([*signed, added]), on, department=draft.department)
    if missing:
        raise InvalidContentError(f"No counter would receive: {'; '.join(missing)}.", pointer="/receiving")


@dataclass(frozen=True, slots=True)
class ClosedWeek:
    """The week from Monday `start`, closed at `closed_at`; `today` is the local date on which it can be closed.

    `earliest_from` is the first date on which a proposal made now may take effect.
    """

    start: date
    today: date
    closed_at: datetime
    earliest_from: date


def apply_rule(
    week: ClosedWeek,
    centre: Centre,
    decisions: Decisions,
    *,
    volumes: Sequence[VolumeRow],
    proposals: Sequence[ProposalRow],
) -> tuple[list[ProposalRow], list[ProposalRow]]:
    """Apply the rule to every department after a week is closed. Return the new proposals, and those that lapse.

    Stores nothing. An open proposal is marked as lapsed if the rule no longer makes it, and otherwise remains as it is.
    The rule proposes nothing for a department with a signed decision that is not in force yet.
    """
    rule = centre.pooling_rule(week.today)
    added, lapsed = list[ProposalRow](), list[ProposalRow]()
    for department in sorted(centre.departments):
        own = [proposal for proposal in proposals if proposal.department == department]
        proposed = None
        signed = decisions.next_after(department, week.today) is not None
        if rule is not None and not signed and centre.department(department, week.earliest_from) is not None:
            current = _current(decisions, department, week.today, own)
            figures = [row.figures(rule.channels) for row in volumes if row.department == department]
            proposed = propose_change(figures, current, rule, earliest_from=week.earliest_from)
        open_one = next((each for each in own if each.state == "proposed"), None)
        if open_one is not None and (proposed is None or proposed.receiving != open_one.receiving):
            reason = f"the rule no longer proposes it after the week of {week.start}"
            open_one.lapse(reason=reason, by=ROUTING, at=week.closed_at)
            lapsed.append(open_one)
        elif rule is not None and proposed is not None and open_one is None:
            added.append(
                ProposalRow(
                    proposal_id=uuid7(machine_now()),  # by machine time: in order even while a simulated clock stops
                    department=department,
                    receiving=proposed.receiving,
                    weeks=store.dump_weeks(proposed.weeks),
                    rule=rule.decision,
                    earliest_from=proposed.earliest_from,
                    proposed_at=week.closed_at,
                )
            )
    return added, lapsed


def _current(decisions: Decisions, department: str, on: date, proposals: Sequence[ProposalRow]) -> CurrentReceiving:
    rejected = (each.last_closed_week for each in proposals if each.state == "rejected" and each.last_closed_week)
    return decisions.current(department, on, rejected_until=max(rejected, default=None))
