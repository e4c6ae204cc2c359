"""A numbered batch of papers: every dossier's hand_over in one transaction, or none of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from services.intake import papers_store, store, tables
from services.intake.act_data import HandOver
from services.intake.block import Trail, act_id
from services.intake.cases import Setting
from services.intake.deciding import decide
from services.intake.domain.codes import batch_key, batch_number
from services.intake.domain.whereabouts import why_not_handed_over
from services.intake.performing import ACTS, until_taken
from services.intake.requests import ActLine, HandOverRequest, Reference, fingerprint, reference_of
from services.intake.tables import DOSSIERS, HAND_OVERS, DetailsRecord, DossierRow, HandOverRecord
from shared.contracts.envelope import Actor
from shared.kernel.errors import ExpectedError, FieldError, Refusal
from shared.postgres.outbox import Cause
from shared.postgres.unit_of_work import Unit
from shared.service.process import Context

REFUSED = "hand-over-refused"


class _KnownError(Exception):
    """Ends the transaction of a request whose key has its answer."""

    def __init__(self, record: HandOverRecord) -> None:
        super().__init__(record.number)
        self.record = record


class HandingOver:
    """Hands papers over, for the API."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def hand_over(self, asked: HandOverRequest, key: str, actor: Actor, trail: Trail) -> HandOverRecord:
        """The batch under its number, `BG-<yyMMdd>-<counter>-<serial>`; commits. The same key gets the same one for
        ever.

        The number counts the batches of the clerk's counter on the local date. Its row is held until the commit, as
        that of a dossier code is: no other replica draws the same, and a refused batch draws none. Raises
        Refusal: 422 for a key that was used for another request or an unknown department, 409 with a pointer for
        every dossier that cannot go; then nothing changed.
        """
        try:
            record = await until_taken(partial(self._attempt, asked, key, actor, trail))
        except _KnownError as known:
            return known.record
        ACTS.labels("hand_over", 201).inc(len(record.dossiers))
        return record

    async def _attempt(self, asked: HandOverRequest, key: str, actor: Actor, trail: Trail) -> HandOverRecord:
        context, clock = self._context, self._context.clock
        # a space stands in no key, so no act's events have the same cause
        owned, mark = f"{actor.id} hand-over {key}", fingerprint(asked.model_dump(mode="json"))
        targets, faults = await self._targets(asked)
        async with context.unit(DOSSIERS, {target for target in targets if target}) as (connection, unit):
            first = await papers_store.hand_over_of_key(connection, owned)
            if first is not None:
                if first.fingerprint != mark:
                    detail = "this Idempotency-Key was used for another request: take a new key"
                    raise ExpectedError("key-reused", detail, status=422)
                raise _KnownError(first)
            rows = self._those_that_go(asked, actor, unit, targets, faults)
            # not before what a replica with a faster clock recorded
            at = max(clock.now(), *(row.last_act_at for row in rows if row.last_act_at))
            counted = batch_key(actor.counter or 0, context.centre.local_date(at))
            serial = (await store.draw_serials(connection, Counter([counted]))).draw(counted)
            setting = Setting(context.centre, at, None, set())
            cause = Cause(
                id=owned,
                actor=actor,
                recorded_at=at,
                correlation=trail.correlation,
                causation=str(act_id(owned)),
                traceparent=trail.traceparent,
            )
            data = HandOver(batch=batch_number(counted, serial), given_by=asked.given_by, taken_by=asked.taken_by)
            record = HandOverRecord(
                number=data.batch,
                id=owned,
                fingerprint=mark,
                counter=actor.counter or 0,
                department=asked.department,
                given_by=asked.given_by,
                taken_by=asked.taken_by,
                handed_over_at=at,
                dossiers=[_handed_over(row, data, actor, setting, unit, cause) for row in rows],
            )
            unit.add(HAND_OVERS, record)
        return record

    async def _targets(self, asked: HandOverRequest) -> tuple[list[UUID | None], dict[int, str]]:
        """The dossier of each place, and what is wrong with the places that name none."""
        references: dict[int, Reference] = {}
        faults: dict[int, str] = {}
        for place, named in enumerate(asked.dossiers):
            try:
                references[place] = reference_of(named)
            except Refusal as refusal:
                faults[place] = refusal.detail
        found = await store.resolve(self._context.pool, references.values())
        return [found.get(references[n]) if n in references else None for n in range(len(asked.dossiers))], faults

    def _those_that_go(
        self,
        asked: HandOverRequest,
        actor: Actor,
        unit: Unit[DossierRow],
        targets: Sequence[UUID | None],
        unreadable: Mapping[int, str],
    ) -> list[DossierRow]:
        """The locked rows in key order. Raises Refusal, naming every place that cannot go."""
        if asked.department not in self._context.centre.departments:
            detail = f"{asked.department!r} is not a department of this centre"
            raise ExpectedError("department-unknown", detail, status=422, errors=[FieldError("/department", detail)])
        faults = dict(unreadable)
        rows: dict[UUID, DossierRow] = {}
        for place, target in enumerate(targets):
            if place in faults:
                continue
            row = None if target is None else unit.find(target)
            if target is None or row is None or row.state is None:
                faults[place] = "there is no such dossier"
            elif target in rows:
                faults[place] = "it is named twice"
            else:
                rows[target] = row
                reason = why_not_handed_over(
                    row.whereabouts,
                    state=row.state,
                    received=row.received_at is not None,
                    department=row.department,
                    batch_for=asked.department,
                    at_counter=actor.counter or 0,
                )
                if reason is not None:
                    faults[place] = reason
        if faults:
            errors = [FieldError(f"/dossiers/{place}", faults[place]) for place in sorted(faults)]
            detail = f"{len(errors)} of {len(targets)} dossiers cannot be handed over, so none was; see errors"
            raise ExpectedError(REFUSED, detail, errors=errors)
        return [rows[key] for key in sorted(rows)]


def _handed_over(
    row: DossierRow, data: HandOver, actor: Actor, setting: Setting, unit: Unit[DossierRow], cause: Cause
) -> dict[str, object]:
    """Do the act to one dossier, by the rules of every act; what the batch keeps of it."""
    before = row.papers_sequence
    line = ActLine(act="hand_over", reference=Reference("id", str(row.key)), data=data)
    (draft,) = decide(line, actor, row, partial(unit.row, row.key), setting)
    envelope = unit.publish(row, draft.event, time=draft.time, cause=cause)
    row.papers_sequence = envelope.sequence
    unit.add(tables.DETAILS, DetailsRecord(row.key, envelope.sequence, draft.details))
    return {
        "dossier_id": str(row.key),
        "code": row.code,
        "procedure": row.procedure,
        "sequence": envelope.sequence,
        "after": before,
    }
