"""A block of acts, decided on locked dossiers, then numbered and written to a unit of work in memory.

No function executes SQL or awaits.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from services.intake.domain import roles
from services.intake.domain.codes import Reference, SerialKey, Serials, form_number
from services.intake.domain.dossier import Dossier
from services.intake.domain.errors import EarlierLineFailedError
from services.intake.domain.instants import iso
from services.intake.dossiers.act import DecisionContext, EventDraft, PendingAct
from services.intake.dossiers.acts.submit import Submission
from services.intake.dossiers.registry import ACTING_ROLES, find_act, move
from services.intake.dossiers.schemas import ParsedAct
from services.intake.dossiers.store import (
    DETAILS,
    DOCUMENTS,
    FOREIGN_CODES,
    ApplicantRecord,
    DetailsRecord,
    DocumentRecord,
    DossierRow,
    ForeignCodeRecord,
)
from shared.contracts.dossiers import DossierReceivedV1, Form
from shared.contracts.envelope import Actor
from shared.kernel.errors import DossierNotFoundError, ForbiddenError, InvalidContentError, Refusal
from shared.kernel.ids import derived_id
from shared.postgres.outbox import Cause
from shared.postgres.rows import RecordTable
from shared.postgres.unit_of_work import Unit
from shared.service.idempotency import KEYS, KeyRow, key_id, require_same


@dataclass(frozen=True, slots=True)
class Trace:
    """The id and the `traceparent` of an HTTP request, which the resulting events carry."""

    correlation: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to an act that took effect: HTTP status and body. A repeated key gets the same one."""

    status: int
    content: dict[str, Any]


Outcome = Answer | Refusal


def actor_of(key: Actor, act: ParsedAct, *, is_simulated: bool) -> Actor:
    """Return the actor of an act: the API key's own (`key`), or the one that an importer names.

    Raises ActorDiffersError if another actor than the key's is named, ForbiddenError for an importer on a system clock,
    and InvalidContentError for an importer that names no actor, or one whose role may do no act.
    """
    named = act.actor
    if key.role != "importer":
        roles.check_named_actor(key, named.model_dump(exclude_none=True))
        return key
    if not is_simulated:
        raise ForbiddenError("An importer acts only on a centre with a simulated clock.")
    actor_id, role = roles.imported_actor(named.id, named.role, ACTING_ROLES)
    return Actor(
        kind=named.kind or "person", id=actor_id, role=role, department=named.department, counter=named.counter
    )


def decide(
    parsed: ParsedAct,
    actor: Actor,
    dossier: Dossier | None,
    new: Callable[[], Dossier],
    context: DecisionContext,
) -> list[EventDraft]:
    """Decide one act of `actor`, change its locked dossier in memory and return the event drafts.

    `dossier` is None if it does not exist; `new` creates the dossier of a submission. Raises Refusal and then has
    changed nothing.
    """
    act = find_act(parsed.act)
    roles.check_role(act, actor.role)
    data = parsed.data
    if act.name == "submit":
        _raise_refusal(data)
        _check_submitted_reference(parsed.reference)
        return act.decide(Submission(actor, dossier, new, parsed.occurred_at, parsed.foreign_codes, context), data)
    if parsed.reference is None:
        raise InvalidContentError("Name the dossier by its id, code or foreign code.", pointer="/dossier")
    if dossier is None or dossier.state is None or not _is_visible(parsed.reference, actor, dossier, context):
        raise DossierNotFoundError
    roles.check_actor(act, actor, dossier)
    to = move(act, dossier.state, dossier.state_before_pause)
    at = context.instant_of_act(parsed.occurred_at, previous=dossier.last_act_at)
    _raise_refusal(data)
    return act.decide(PendingAct(act, dossier, actor, at, to, context), data)


def _raise_refusal(data: object) -> None:
    if isinstance(data, Refusal):
        raise data


def _check_submitted_reference(reference: Reference | None) -> None:
    if reference is not None and reference.kind == "code":
        detail = "A dossier gets its code at receipt. A submission may give an id or a foreign code."
        raise InvalidContentError(detail, pointer="/dossier/code")
    if reference is not None and reference.kind == "id" and UUID(reference.value).version != 7:
        detail = "A dossier's id is a UUIDv7 (RFC 9562). Omit it to get one."
        raise InvalidContentError(detail, pointer="/dossier/id")


def _is_visible(reference: Reference, actor: Actor, dossier: Dossier, context: DecisionContext) -> bool:
    """Return whether the actor may see the dossier, and so gets no DossierNotFoundError.

    True for an officer who names the dossier by its id, even if another department is competent, which the officer then
    learns. Ids cannot be guessed, unlike codes.
    """
    if actor.role == "officer" and reference.kind == "id":
        return True
    return context.scope(actor).sees(department=dossier.department, submitted_by=dossier.submitted_by)


@dataclass(slots=True)
class _DecidedAct:
    """An accepted act, to be written with its event drafts. `place` is the index of its outcome in the block."""

    place: int
    act: ParsedAct
    key_id: str
    actor: Actor
    row: DossierRow
    drafts: list[EventDraft]


class Block:
    """The acts of one transaction: decided in order on locked dossiers, then numbered and written in order.

    `known` are the stored idempotency keys among those of the acts. `failed` are the names of dossiers whose later acts
    are refused; a refusal adds the names of its dossier, except for an importer.
    """

    def __init__(
        self,
        actor: Actor,
        trace: Trace,
        context: DecisionContext,
        unit: Unit[DossierRow],
        known: Mapping[str, KeyRow],
        failed: set[str],
    ) -> None:
        self._actor = actor
        self._trace = trace
        self._context = context
        self._unit = unit
        self._known = known
        self._failed = failed
        self._outcomes: list[Outcome | int] = []
        self.decided: list[_DecidedAct] = []
        self._first: dict[str, tuple[str, int]] = {}
        self._applicants: dict[UUID, ApplicantRecord] = {}
        self._corrections: dict[UUID, dict[str, Any]] = {}

    def decide(self, act: ParsedAct, target: UUID | None) -> None:
        """Decide one act on the dossier `target` (None if unknown) and store the outcome in the block.

        A refusal is stored, not raised. A known key is answered before any other check.
        """
        owned = key_id(self._actor, act.key)
        names = act.names if target is None else act.names | {f"id/{target}"}
        outcome: Outcome | int | None
        try:
            outcome = self._known_answer(act, owned) if act.key else None
            if outcome is None:
                if act.refusal is not None:
                    raise act.refusal
                if not self._failed.isdisjoint(names):
                    raise EarlierLineFailedError
                actor = actor_of(self._actor, act, is_simulated=self._context.accepts_until is not None)
                row = None if target is None else self._unit.find(target)
                drafts = decide(act, actor, row, partial(self._unit.row, target), self._context)
                outcome = len(self._outcomes)
                self.decided.append(_DecidedAct(outcome, act, owned, actor, self._unit.row(target), drafts))
                self._first[owned] = (act.fingerprint, outcome)
        except Refusal as refusal:
            if self._actor.role != "importer":  # an importer's lines are independent, however they are batched
                self._failed |= names
            outcome = refusal
        self._outcomes.append(outcome)

    def _known_answer(self, act: ParsedAct, owned: str) -> Outcome | int | None:
        stored = self._known.get(owned)
        if stored is not None:
            require_same(stored.fingerprint, act.fingerprint)
            return Answer(stored.answer["status"], {k: v for k, v in stored.answer.items() if k != "status"})
        if owned not in self._first:
            return None
        fingerprint, place = self._first[owned]
        require_same(fingerprint, act.fingerprint)
        return place

    def serials_needed(self) -> Counter[SerialKey]:
        """Return how many serials of each key the decided acts need."""
        return Counter(draft.serial for one in self.decided for draft in one.drafts if draft.serial)

    def write(self, serials: Serials) -> None:
        """Number the forms, publish the events and add all records to the unit of work, in the order of the acts.

        The answers become the outcomes of the decided acts. The unit, not this method, writes to the database.
        """
        # in this order of tables in every transaction, so that no two of them wait for each other
        records: dict[RecordTable[Any], list[Any]] = {FOREIGN_CODES: [], DOCUMENTS: [], DETAILS: [], KEYS: []}
        for one in self.decided:
            row = one.row
            # an act without an instant of its own may follow one that a replica with a faster clock recorded
            recorded_at = max(self._context.now, *(draft.time for draft in one.drafts))
            cause = act_cause(one.key_id, one.actor, self._trace, recorded_at)
            forms: list[dict[str, str]] = []
            for draft in one.drafts:
                if draft.serial is not None:
                    forms.append(_number(row, draft, serials.draw(draft.serial)))
                sequence = publish(self._unit, row, draft, cause)
                records[DOCUMENTS] += [
                    DocumentRecord(row.key, sequence, place, **document.model_dump())
                    for place, document in enumerate(draft.documents, 1)
                ]
                if draft.details:
                    records[DETAILS].append(DetailsRecord(row.key, sequence, draft.details))
                if draft.applicant is not None:
                    self._applicants[row.key] = ApplicantRecord(row.key, **draft.applicant.model_dump())
                if draft.corrections:
                    self._corrections.setdefault(row.key, {}).update(draft.corrections)
                records[FOREIGN_CODES] += [
                    ForeignCodeRecord(code.id, code.system, code.code, row.key) for code in draft.foreign_codes
                ]
            answer = Answer(201 if one.act.act == "submit" else 200, _content(row, one.drafts[-1], forms))
            self._outcomes[one.place] = answer
            stored = {"status": answer.status, **answer.content}
            records[KEYS].append(KeyRow(one.key_id, one.act.fingerprint, row.key, stored))
        for table, rows in records.items():
            for record in rows:
                self._unit.add(table, record)

    def corrected(self) -> set[UUID]:
        """Return the dossiers whose stored applicants the block corrects; load these under the dossiers' locks.

        Call after write(). The dossiers that the block submits are not included.
        """
        return self._corrections.keys() - self._applicants.keys()

    def applicants(self, stored: Mapping[UUID, ApplicantRecord]) -> list[ApplicantRecord]:
        """Return the applicants to save, one per dossier: submitted or corrected by the block.

        Call after write(). `stored` are the applicants of the dossiers that corrected() returned, before the
        correction.
        """
        known = {**stored, **self._applicants}
        return [replace(record, **self._corrections.get(key, {})) for key, record in known.items()]

    def outcomes(self) -> list[Outcome]:
        """Return the outcomes in the order of the acts; a key that is repeated in the block gets its first answer."""
        resolved = [self._outcomes[outcome] if isinstance(outcome, int) else outcome for outcome in self._outcomes]
        return [outcome for outcome in resolved if not isinstance(outcome, int)]


def _number(row: DossierRow, draft: EventDraft, serial: int) -> dict[str, str]:
    """Set the number of the draft's form, and return the form for the answer.

    The number of a receipt is also set as the dossier's code.
    """
    assert draft.serial is not None, "only a draft with a serial has a form"
    number = form_number(draft.serial, serial)
    update: dict[str, Any] = {"form": Form(kind=draft.serial.form, number=number)}
    if isinstance(draft.event, DossierReceivedV1):
        row.assign_code(number)
        update["code"] = number
    draft.event = draft.event.model_copy(update=update)
    return {"kind": draft.serial.form, "number": number}


def _content(row: DossierRow, last: EventDraft, forms: list[dict[str, str]]) -> dict[str, Any]:
    content: dict[str, Any] = {
        "dossier_id": str(row.key),
        "code": row.code,
        "sequence": row.sequence,
        "state": last.event.state,
        "occurred_at": iso(last.time),
    }
    return content | {"forms": forms} if forms else content


def act_cause(owned_key: str, actor: Actor, trace: Trace, recorded_at: datetime) -> Cause:
    """Return the cause that an act's events record: its actor, request and instant of recording.

    The events have an id derived from `owned_key`, not the idempotency key itself, which may contain personal data.
    """
    return Cause(
        id=owned_key,
        actor=actor,
        recorded_at=recorded_at,
        correlation=trace.correlation,
        causation=str(derived_id(owned_key, "act", 0)),
        traceparent=trace.traceparent,
    )


def publish(unit: Unit[DossierRow], row: DossierRow, draft: EventDraft, cause: Cause) -> int:
    """Publish the draft's event in the unit of work and record its sequence in the dossier; return the sequence.

    The event is stored and sent only with the unit's transaction.
    """
    sequence = unit.publish(row, draft.event, time=draft.time, cause=cause).sequence
    row.record(sequence, touches_clock=draft.effect.touches_clock, sends_papers=draft.effect.sends_papers)
    return sequence
