"""Performs a block of acts: one transaction holds state, history, outgoing events, keys and personal data."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar
from uuid import UUID

import asyncpg
import structlog

from services.intake import store
from services.intake.block import Answer, Block, Outcome, Trail, key_id
from services.intake.cases import Setting
from services.intake.domain.acts import ACTS as ALL_ACTS
from services.intake.domain.extensions import NOT_TOLD
from services.intake.domain.moments import Backdating
from services.intake.requests import ActLine, Reference
from services.intake.tables import DOSSIERS
from shared.contracts.envelope import Actor
from shared.kernel.errors import Refusal, TransientError
from shared.kernel.ids import uuid7
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.postgres.published_calendars import PublishedCalendar, WorkingTime
from shared.runtime import metrics
from shared.service import problems
from shared.service.idempotency import known_keys
from shared.service.process import Context

MAX_BLOCK = 500
DUE_SECONDS = 5.0
"""How long an act waits for the due date that it is judged by."""
POLL_SECONDS = 0.1
ATTEMPTS = 6
ACTS = metrics.counter("motcua_intake_acts_total", "Acts asked for, by act and HTTP status.", ("act", "status"))

_log = structlog.get_logger(__name__)

T = TypeVar("T")


class _NothingDecidedError(Exception):
    """Ends a transaction that would write nothing: every line was refused or known."""


async def until_taken(attempt: Callable[[], Awaitable[T]]) -> T:
    """What `attempt`, a transaction of its own, gives: tried again where another one was faster or the database was
    away for a moment. Raises TransientError when it stays away."""
    for number in range(1, ATTEMPTS + 1):
        try:
            return await attempt()
        except (asyncpg.UniqueViolationError, *CONNECTION_ERRORS) as error:
            overtaken = isinstance(error, asyncpg.UniqueViolationError)
            if not (overtaken or is_transient(error)):
                raise
            if number == ATTEMPTS:
                raise TransientError(f"the database did not take the acts: {type(error).__name__}") from error
            _log.info("acts_tried_again", attempt=number, error=type(error).__name__)
            await asyncio.sleep(0 if overtaken else random.uniform(0.5, 1.0) * 0.05 * 2**number)
    raise AssertionError("unreachable")  # the last attempt returns or raises


class Performer:
    """Performs acts for API and batch alike."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._calendar = PublishedCalendar(context.centre.calendar.name)

    async def one(self, line: ActLine, actor: Actor, trail: Trail) -> Answer:
        """One act in one transaction. Raises Refusal when it is refused; returns only after the commit."""
        outcome = (await self.block([line], actor, trail, failed=set()))[0]
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    async def block(self, lines: Sequence[ActLine], actor: Actor, trail: Trail, *, failed: set[str]) -> list[Outcome]:
        """At most MAX_BLOCK acts, answered after their commit, in order.

        They are one transaction, but for acts that are judged by the clock. Such an act stands alone, after the commit
        of those before it; where sla has not told yet what they made of the clock, it is judged again once it has: it
        waits without a connection, DUE_SECONDS at most in a whole block.

        A refused act leaves the others alone, but later ones of its dossier are refused with 424; `failed` carries
        those dossiers from block to block. Tried again where another transaction was faster or the database was away
        for a moment. Raises TransientError when it stays away: then nothing of the block took effect, or its keys know
        that it did.
        """
        outcomes: list[Outcome] = []
        give_up_at = time.monotonic() + DUE_SECONDS
        for part in _parts(lines):
            failing = set(failed)
            found = await self._together(part, actor, trail, failing)
            while _waits_for_clock(found) and time.monotonic() < give_up_at:
                await asyncio.sleep(POLL_SECONDS)
                failing = set(failed)
                found = await self._together(part, actor, trail, failing)
            failed.update(failing)
            outcomes += found
        for line, outcome in zip(lines, outcomes, strict=True):
            if isinstance(outcome, Answer):
                ACTS.labels(line.act, outcome.status).inc()
            else:
                ACTS.labels("refused", problems.status_of(outcome)).inc()
        return outcomes

    async def _together(self, lines: Sequence[ActLine], actor: Actor, trail: Trail, failed: set[str]) -> list[Outcome]:
        async def attempt() -> list[Outcome]:
            failing = set(failed)
            outcomes = await self._attempt(lines, actor, trail, failing)
            failed.update(failing)
            return outcomes

        return await until_taken(attempt)

    async def _attempt(self, lines: Sequence[ActLine], actor: Actor, trail: Trail, failed: set[str]) -> list[Outcome]:
        clock = self._context.clock
        targets = await self._targets(lines)
        ids = {target for target in targets if target is not None}
        with contextlib.suppress(_NothingDecidedError):
            async with self._context.unit(DOSSIERS, ids) as (connection, unit):
                now = clock.now()  # under the locks: waiting for them must not date an act early
                known = await known_keys(connection, [key_id(actor, line) for line in lines if line.key])
                measured = not clock.is_simulated and any(line.occurred_at for line in lines)
                looked_up = measured or any(_is_judged_by_clock(line) for line in lines)
                calendar = await self._calendar.read(connection) if looked_up else None
                taken = {code.id for line in lines for code in line.foreign}
                carried = await store.taken_foreign_codes(connection, taken)
                until = clock.accepts_until() if clock.is_simulated else None
                backdating = self._backdating(calendar) if measured else None
                worktime = None if calendar is None else calendar.worktime
                setting = Setting(self._context.centre, now, backdating, carried, until, worktime)
                block = Block(actor, trail, setting, unit, known, failed)
                for line, target in zip(lines, targets, strict=True):
                    block.judge(line, target)
                if not block.decided:
                    raise _NothingDecidedError
                block.write(await store.draw_serials(connection, block.serials_wanted()))
                known_applicants = await store.load_applicants(connection, block.corrected())
                await store.save_applicants(connection, block.applicants(known_applicants))
        return block.outcomes()

    async def _targets(self, lines: Sequence[ActLine]) -> list[UUID | None]:
        """The dossier of each line: found by its reference, or the id that a submission of the block gives it."""
        found = await store.resolve(self._context.pool, [line.reference for line in lines if line.reference])
        given: dict[Reference, UUID] = {}
        targets: list[UUID | None] = []
        for line in lines:
            reference = line.reference
            target = found.get(reference) or given.get(reference) if reference else None
            if target is None and line.act == "submit":
                target = uuid7(self._context.clock.now())
                given |= {Reference("foreign", code.id): target for code in line.foreign}
            targets.append(target)
        return targets

    def _backdating(self, calendar: WorkingTime | None) -> Backdating | None:
        """How far back acts may be dated; None until a calendar has arrived."""
        if calendar is None:
            return None
        centre = self._context.centre
        days = centre.thresholds(centre.local_date(self._context.clock.now())).max_backdate_working_days
        return Backdating(limit=days * calendar.standard_day, calendar=calendar.worktime)


def _is_judged_by_clock(line: ActLine) -> bool:
    act = ALL_ACTS.get(line.act)
    return act is not None and act.judged_by_clock


def _waits_for_clock(outcomes: Sequence[Outcome]) -> bool:
    return any(isinstance(one, Refusal) and one.name == NOT_TOLD for one in outcomes)


def _parts(lines: Sequence[ActLine]) -> Iterator[list[ActLine]]:
    """The lines in order, each that is judged by the clock alone: one before it may touch its dossier's."""
    part: list[ActLine] = []
    for line in lines:
        if part and (_is_judged_by_clock(line) or _is_judged_by_clock(part[-1])):
            yield part
            part = []
        part.append(line)
    if part:
        yield part
