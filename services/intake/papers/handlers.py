"""Hand-over of papers: a numbered batch of dossiers of one department, all or nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.intake.domain.codes import Reference, batch_key, batch_number
from services.intake.domain.errors import HandOverRefusedError
from services.intake.domain.hand_overs import reason_against_hand_over
from services.intake.dossiers import store
from services.intake.dossiers.act import DecisionContext
from services.intake.dossiers.acts.hand_over import HandOver
from services.intake.dossiers.block import Trace, act_cause, decide, publish
from services.intake.dossiers.executor import ACTS_TOTAL
from services.intake.dossiers.schemas import ParsedAct, reference_of
from services.intake.dossiers.store import DETAILS, DOSSIERS, DetailsRecord, DossierRow
from services.intake.papers.schemas import HandOverRequest
from services.intake.papers.store import HAND_OVERS, HandOverRecord
from shared.contracts.envelope import Actor
from shared.kernel.errors import FieldError, InvalidContentError, Refusal
from shared.postgres.outbox import Cause
from shared.postgres.pool import Connection
from shared.postgres.retry import transact
from shared.postgres.unit_of_work import Unit
from shared.service.idempotency import Request, once
from shared.service.process import Context


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answer that is stored with the idempotency key of a hand-over: the number of its batch."""

    number: str


_ANSWER = TypeAdapter(_Answer)


@dataclass(frozen=True, slots=True)
class _Targets:
    """The dossiers that a hand-over request names, by their positions in it.

    `ids` has None for an unknown dossier and for an invalid reference; `errors` has the invalid references only.
    """

    ids: Sequence[UUID | None]
    errors: Mapping[int, str]


class HandOvers:
    """Executes requests to hand papers over."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def hand_over(self, body: HandOverRequest, key: str, actor: Actor, trace: Trace) -> HandOverRecord:
        """Write a numbered batch and its events, commit, and return the batch. A repeated key gets the same batch.

        The number is `BG-<yyMMdd>-<counter>-<serial>`. The serial counts the batches of the clerk's counter on the
        local date. Its row stays locked until the commit, so no other replica draws the same, and a refused batch draws
        none. Raises KeyReusedError, InvalidContentError for an unknown department, HandOverRefusedError with a pointer
        to every dossier that cannot go, and TransientError if the database is not available.
        """
        content = {"address": "POST /hand-overs", "body": body.model_dump(mode="json")}
        request = Request(actor, key, content)
        number, written = await transact(partial(self._attempt, body, request, trace))
        if written is not None:
            ACTS_TOTAL.labels("hand_over", 201).inc(len(written.dossiers))
            return written
        stored = await HAND_OVERS.read(self._context.pool, number)
        assert stored is not None, "a batch is never deleted"
        return stored

    async def _attempt(
        self, body: HandOverRequest, request: Request, trace: Trace
    ) -> tuple[str, HandOverRecord | None]:
        """Write the batch in one transaction and commit; return its number and the batch.

        If the request's key is known, writes nothing and returns the stored number and None.
        """
        targets = await self._targets(body)
        written: HandOverRecord | None = None
        ids = {target for target in targets.ids if target}
        async with self._context.unit(DOSSIERS, ids, only_published=True) as (connection, unit):

            async def write() -> _Answer:
                nonlocal written
                written = await self._write(connection, unit, body, targets, request, trace)
                return _Answer(written.number)

            answer = await once(connection, request, _ANSWER, write)
        return answer.number, written

    async def _write(
        self,
        connection: Connection,
        unit: Unit[DossierRow],
        body: HandOverRequest,
        targets: _Targets,
        request: Request,
        trace: Trace,
    ) -> HandOverRecord:
        centre, actor = self._context.centre, request.actor
        rows = self._rows(unit, body, targets, counter=actor.counter or 0)
        # not before what a replica with a faster clock recorded
        at = max(self._context.clock.now(), *(row.last_act_at for row in rows if row.last_act_at))
        serial_key = batch_key(actor.counter or 0, centre.local_date(at))
        serials = await store.draw_serials(connection, Counter([serial_key]))
        number = batch_number(serial_key, serials.draw(serial_key))
        data = HandOver(batch=number, given_by=body.given_by, taken_by=body.taken_by)
        context = DecisionContext(centre, at)
        cause = act_cause(request.id, actor, trace, at)
        record = HandOverRecord(
            number=number,
            counter=actor.counter or 0,
            department=body.department,
            given_by=body.given_by,
            taken_by=body.taken_by,
            handed_over_at=at,
            dossiers=[_hand_over(unit, row, data, context, cause) for row in rows],
        )
        unit.add(HAND_OVERS, record)
        return record

    async def _targets(self, body: HandOverRequest) -> _Targets:
        references: dict[int, Reference] = {}
        errors: dict[int, str] = {}
        for place, named in enumerate(body.dossiers):
            try:
                references[place] = reference_of(named)
            except Refusal as refusal:
                errors[place] = refusal.detail
        found = await store.resolve(self._context.pool, references.values())
        ids = [found.get(references[n]) if n in references else None for n in range(len(body.dossiers))]
        return _Targets(ids, errors)

    def _rows(
        self, unit: Unit[DossierRow], body: HandOverRequest, targets: _Targets, *, counter: int
    ) -> list[DossierRow]:
        """Return the locked rows of the named dossiers in key order, after checking that the papers of each can go.

        Raises InvalidContentError for an unknown department, HandOverRefusedError if a dossier cannot go.
        """
        if body.department not in self._context.centre.departments:
            detail = f"The centre has no department {body.department!r}."
            raise InvalidContentError(detail, pointer="/department")
        errors = dict(targets.errors)
        rows: dict[UUID, DossierRow] = {}
        for place, target in enumerate(targets.ids):
            if place in errors:
                continue
            row = None if target is None else unit.find(target)
            if target is None or row is None or row.state is None:
                errors[place] = "Dossier not found."
            elif target in rows:
                errors[place] = "The dossier is named twice."
            else:
                rows[target] = row
                reason = reason_against_hand_over(row, department=body.department, counter=counter)
                if reason is not None:
                    errors[place] = reason
        if errors:
            raise HandOverRefusedError(
                refused=len(errors),
                total=len(targets.ids),
                errors=[FieldError(f"/dossiers/{place}", errors[place]) for place in sorted(errors)],
            )
        return [rows[key] for key in sorted(rows)]


def _hand_over(
    unit: Unit[DossierRow], row: DossierRow, data: HandOver, context: DecisionContext, cause: Cause
) -> dict[str, Any]:
    """Do the act `hand_over` on one dossier, by the rules of every act, and publish its event in the unit of work.

    Returns what the batch stores of the dossier.
    """
    previous = row.papers_sent_sequence
    act = ParsedAct(act="hand_over", reference=Reference("id", str(row.key)), data=data)
    (draft,) = decide(act, cause.actor, row, partial(unit.row, row.key), context)
    sequence = publish(unit, row, draft, cause)
    unit.add(DETAILS, DetailsRecord(row.key, sequence, draft.details))
    return {
        "dossier_id": str(row.key),
        "code": row.code,
        "procedure": row.procedure,
        "sequence": sequence,
        "previous": previous,
    }
