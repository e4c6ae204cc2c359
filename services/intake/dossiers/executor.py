"""Executes blocks of acts.

One transaction writes state, history, outgoing events, idempotency keys and personal data.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from functools import partial
from uuid import UUID

from services.intake.domain.backdating import Backdating
from services.intake.domain.codes import Reference
from services.intake.domain.errors import DueDateNotAvailableError
from services.intake.dossiers import store
from services.intake.dossiers.act import DecisionContext
from services.intake.dossiers.block import Answer, Block, Outcome, Trace
from services.intake.dossiers.registry import ACTS
from services.intake.dossiers.schemas import ParsedAct
from services.intake.dossiers.store import DOSSIERS
from shared.contracts.envelope import Actor
from shared.kernel.errors import Refusal
from shared.kernel.ids import uuid7
from shared.postgres.pool import Connection
from shared.postgres.published_calendars import PublishedCalendar
from shared.postgres.retry import transact
from shared.runtime import metrics
from shared.service import problems
from shared.service.idempotency import key_id, known_keys
from shared.service.process import Context

MAX_BLOCK = 500
DUE_DATE_SECONDS = 5.0
"""How long an act that needs the due date waits for it."""
POLL_SECONDS = 0.1
ACTS_TOTAL = metrics.counter("motcua_intake_acts_total", "Requested acts by act and HTTP status.", ("act", "status"))


class _NothingDecidedError(Exception):
    """Raised to roll back a transaction that would write nothing: every act was refused or its key was known."""


class Executor:
    """Executes acts for single requests and batches."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._calendar = PublishedCalendar(context.centre.calendar.name)

    async def execute(self, act: ParsedAct, actor: Actor, trace: Trace) -> Answer:
        """Execute one act and return its answer after the commit.

        Waits for the due date and raises errors like execute_block; a refused act raises its Refusal.
        """
        outcome = (await self.execute_block([act], actor, trace, failed=set()))[0]
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome

    async def execute_block(
        self, acts: Sequence[ParsedAct], actor: Actor, trace: Trace, *, failed: set[str]
    ) -> list[Outcome]:
        """Execute at most MAX_BLOCK acts and return their outcomes, in order, after the commit.

        The acts share one transaction, except those that need the due date. Such an act has a transaction of its own,
        after the commit of those before it. Until sla has published the due date that follows from them, it is decided
        again and again, without a connection in between, for at most DUE_DATE_SECONDS in a whole block.

        A refused act leaves the others alone, but later ones of its dossier are refused with EarlierLineFailedError
        (except an importer's). `failed` has the names of those dossiers; the method adds to it, so that the caller can
        pass it with the next block. Raises TransientError if the database is still not available after retries: then
        each act either had no effect or its key is stored. Raises PersistentViolationError if no attempt can succeed.
        """
        outcomes: list[Outcome] = []
        give_up_at = time.monotonic() + DUE_DATE_SECONDS
        for part in _parts(acts):
            found, failing = await transact(partial(self._attempt, part, actor, trace, failed))
            while _lacks_due_date(found) and time.monotonic() < give_up_at:
                await asyncio.sleep(POLL_SECONDS)
                found, failing = await transact(partial(self._attempt, part, actor, trace, failed))
            failed.update(failing)
            outcomes += found
        for act, outcome in zip(acts, outcomes, strict=True):
            if isinstance(outcome, Answer):
                ACTS_TOTAL.labels(act.act, outcome.status).inc()
            else:
                ACTS_TOTAL.labels("refused", problems.status_of(outcome)).inc()
        return outcomes

    async def _attempt(
        self, acts: Sequence[ParsedAct], actor: Actor, trace: Trace, failed: set[str]
    ) -> tuple[list[Outcome], set[str]]:
        """Execute the acts in one transaction and commit it; return the outcomes and the names of the failed dossiers.

        The names include those in `failed`, which is not changed, so that the attempt can be repeated.
        """
        failing = set(failed)
        targets = await self._targets(acts)
        ids = {target for target in targets if target is not None}
        with contextlib.suppress(_NothingDecidedError):
            async with self._context.unit(DOSSIERS, ids) as (connection, unit):
                known = await known_keys(connection, [key_id(actor, act.key) for act in acts if act.key])
                block = Block(actor, trace, await self._decision_context(connection, acts), unit, known, failing)
                for act, target in zip(acts, targets, strict=True):
                    block.decide(act, target)
                if not block.decided:
                    raise _NothingDecidedError
                block.write(await store.draw_serials(connection, block.serials_needed()))
                applicants = await store.load_applicants(connection, block.corrected())
                await store.save_applicants(connection, block.applicants(applicants))
        return block.outcomes(), failing

    async def _decision_context(self, connection: Connection, acts: Sequence[ParsedAct]) -> DecisionContext:
        """Return what the decisions of the acts need: centre time, calendar and taken foreign codes.

        Call it under the dossiers' locks: centre time is read after the wait for them, so that no act is dated too
        early.
        """
        clock, centre = self._context.clock, self._context.centre
        measures_backdating = not clock.is_simulated and any(act.occurred_at for act in acts)
        needs_calendar = measures_backdating or any(_needs_due_date(act) for act in acts)
        calendar = await self._calendar.read(connection) if needs_calendar else None
        taken = await store.taken_foreign_codes(connection, {code.id for act in acts for code in act.foreign_codes})
        now, backdating = clock.now(), None
        if measures_backdating and calendar is not None:
            days = centre.thresholds(centre.local_date(now)).max_backdate_working_days
            backdating = Backdating(limit=days * calendar.standard_day, calendar=calendar.worktime)
        return DecisionContext(
            centre,
            now,
            backdating,
            taken,
            accepts_until=clock.accepts_until() if clock.is_simulated else None,
            calendar=None if calendar is None else calendar.worktime,
        )

    async def _targets(self, acts: Sequence[ParsedAct]) -> list[UUID | None]:
        """Return the id of each act's dossier, or None if its reference is missing or unknown.

        A submission without a reference, or with an unknown foreign code, gets a new id; later acts of the block may
        name it by the submission's foreign codes.
        """
        found = await store.resolve(self._context.pool, [act.reference for act in acts if act.reference])
        new: dict[Reference, UUID] = {}
        targets: list[UUID | None] = []
        for act in acts:
            reference = act.reference
            target = found.get(reference) or new.get(reference) if reference else None
            if target is None and act.act == "submit":
                target = uuid7(self._context.clock.now())
                new |= {Reference("foreign", code.id): target for code in act.foreign_codes}
            targets.append(target)
        return targets


def _needs_due_date(parsed: ParsedAct) -> bool:
    act = ACTS.get(parsed.act)
    return act is not None and act.needs_due_date


def _lacks_due_date(outcomes: Sequence[Outcome]) -> bool:
    return any(isinstance(one, DueDateNotAvailableError) for one in outcomes)


def _parts(acts: Sequence[ParsedAct]) -> Iterator[list[ParsedAct]]:
    """Split the acts into parts, in order; each act that needs the due date is a part of its own.

    An act before it may touch the clock of the same dossier, so it must be committed first.
    """
    part: list[ParsedAct] = []
    for act in acts:
        if part and (_needs_due_date(act) or _needs_due_date(part[-1])):
            yield part
            part = []
        part.append(act)
    if part:
        yield part
