"""The lines of one transaction: judged in order against locked dossiers, then numbered and written in order."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from services.intake import tables
from services.intake.cases import Draft, Setting
from services.intake.deciding import acting, decide
from services.intake.domain.codes import SerialKey, Serials, form_number
from services.intake.requests import ActLine
from services.intake.tables import DossierRow
from shared.contracts.dossiers import DossierReceivedV1, Form
from shared.contracts.envelope import Actor
from shared.kernel.errors import ExpectedError, Refusal
from shared.kernel.ids import derived_id
from shared.postgres.outbox import Cause
from shared.postgres.unit_of_work import Unit
from shared.service.idempotency import KEYS, KeyRow, require_same
from shared.service.idempotency import key_id as id_of_key


@dataclass(frozen=True, slots=True)
class Trail:
    """Where a request came from: what its events carry so that they can be followed."""

    correlation: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An act that took effect. `content` is what the client gets, now and whenever it sends the key again."""

    status: int
    content: dict[str, Any]


Outcome = Answer | Refusal


class Block:
    """Decides on the rows of a unit that holds the locks; `failed` are the dossiers whose later lines are refused."""

    def __init__(
        self,
        actor: Actor,
        trail: Trail,
        setting: Setting,
        unit: Unit[DossierRow],
        known: dict[str, KeyRow],
        failed: set[str],
    ) -> None:
        self._actor = actor
        self._trail = trail
        self._setting = setting
        self._unit = unit
        self._known = known
        self._failed = failed
        self._outcomes: list[Outcome | int] = []
        self.decided: list[tuple[int, ActLine, str, Actor, list[Draft]]] = []
        self._first: dict[str, tuple[str, int]] = {}
        self._applicants: dict[UUID, tables.ApplicantRecord] = {}
        self._corrections: dict[UUID, dict[str, Any]] = {}

    def judge(self, line: ActLine, target: UUID | None) -> None:
        """Decide one line. A known key comes before every other check."""
        owned = key_id(self._actor, line)
        marks = line.marks if target is None else line.marks | {f"id/{target}"}
        outcome: Outcome | int | None
        try:
            outcome = self._known_answer(line, owned) if line.key else None
            if outcome is None:
                if line.fault is not None:
                    raise line.fault
                if not self._failed.isdisjoint(marks):
                    raise ExpectedError(
                        "earlier-line-failed", "an earlier line of this dossier failed in this request", status=424
                    )
                actor = acting(self._actor, line, played=self._setting.accepts_until is not None)
                drafts = decide(
                    line,
                    actor,
                    None if target is None else self._unit.find(target),
                    partial(self._unit.row, target),
                    self._setting,
                )
                outcome = len(self._outcomes)
                self.decided.append((outcome, line, owned, actor, drafts))
                self._first[owned] = (line.fingerprint, outcome)
        except Refusal as refusal:
            if self._actor.role != "importer":  # a log's acts are each judged alone, however they are cut into requests
                self._failed |= marks
            outcome = refusal
        self._outcomes.append(outcome)

    def _known_answer(self, line: ActLine, owned: str) -> Outcome | int | None:
        kept = self._known.get(owned)
        first = self._first.get(owned)
        fingerprint = kept.fingerprint if kept else first[0] if first else line.fingerprint
        require_same(fingerprint, line.fingerprint)
        if kept is not None:
            return Answer(kept.answer["status"], {k: v for k, v in kept.answer.items() if k != "status"})
        return first[1] if first else None

    def serials_wanted(self) -> Counter[SerialKey]:
        """How many serials the decided acts need."""
        return Counter(draft.serial for *_, drafts in self.decided for draft in drafts if draft.serial)

    def write(self, serials: Serials) -> None:
        """Number the events and put everything into the unit, in the order of the lines."""
        keys: list[KeyRow] = []
        documents: list[tables.DocumentRecord] = []
        details: list[tables.DetailsRecord] = []
        foreign: list[tables.ForeignCodeRecord] = []
        for place, line, owned, actor, drafts in self.decided:
            cause = Cause(
                id=owned,
                actor=actor,
                # an act without an instant of its own may follow one that a replica with a faster clock recorded
                recorded_at=max(self._setting.now, *(draft.time for draft in drafts)),
                correlation=self._trail.correlation,
                causation=str(act_id(owned)),
                traceparent=self._trail.traceparent,
            )
            forms: list[dict[str, str]] = []
            for draft in drafts:
                row, event = draft.row, draft.event
                if draft.serial is not None:
                    number = form_number(draft.serial, serials.draw(draft.serial))
                    forms.append({"kind": draft.serial.form, "number": number})
                    form: dict[str, Any] = {"form": Form(kind=draft.serial.form, number=number)}
                    if isinstance(event, DossierReceivedV1):
                        row.code = form["code"] = number
                    event = event.model_copy(update=form)
                envelope = self._unit.publish(row, event, time=draft.time, cause=cause)
                if draft.touches_clock:
                    row.clock_sequence = envelope.sequence
                if draft.papers_went:
                    row.papers_sequence = envelope.sequence
                documents += [
                    tables.DocumentRecord(row.key, envelope.sequence, n, **document.model_dump())
                    for n, document in enumerate(draft.documents, 1)
                ]
                if draft.details:
                    details.append(tables.DetailsRecord(row.key, envelope.sequence, draft.details))
                if draft.applicant is not None:
                    self._applicants[row.key] = draft.applicant
                if draft.corrected:
                    self._corrections.setdefault(row.key, {}).update(draft.corrected)
                foreign += [
                    tables.ForeignCodeRecord(code.id, code.system, code.code, row.key) for code in draft.foreign_codes
                ]
            content = _content(drafts[-1], forms)
            answer = Answer(201 if line.act == "submit" else 200, content)
            self._outcomes[place] = answer
            keys.append(KeyRow(owned, line.fingerprint, drafts[-1].row.key, {"status": answer.status, **content}))
        # always in this order of tables, so that no two transactions wait for each other
        for code in foreign:
            self._unit.add(tables.FOREIGN_CODES, code)
        for document in documents:
            self._unit.add(tables.DOCUMENTS, document)
        for detail in details:
            self._unit.add(tables.DETAILS, detail)
        for key in keys:
            self._unit.add(KEYS, key)

    def corrected(self) -> set[UUID]:
        """The dossiers whose applicant is corrected: what is known of them must be read, under the dossiers' locks."""
        return self._corrections.keys() - self._applicants.keys()

    def applicants(self, known: Mapping[UUID, tables.ApplicantRecord]) -> list[tables.ApplicantRecord]:
        """What is to be kept of applicants, one record a dossier; `known` are the records of `corrected`."""
        learnt = {**known, **self._applicants}
        return [replace(record, **self._corrections.get(key, {})) for key, record in learnt.items()]

    def outcomes(self) -> list[Outcome]:
        """The answers in the order of the lines; a key sent twice in the block gets its answer twice."""
        settled = [self._outcomes[outcome] if isinstance(outcome, int) else outcome for outcome in self._outcomes]
        return [outcome for outcome in settled if not isinstance(outcome, int)]


def _content(last: Draft, forms: list[dict[str, str]]) -> dict[str, Any]:
    row = last.row
    content: dict[str, Any] = {
        "dossier_id": str(row.key),
        "code": row.code,
        "sequence": row.sequence,
        "state": last.event.state,
        "occurred_at": last.time.isoformat().replace("+00:00", "Z"),
    }
    return content | {"forms": forms} if forms else content


def act_id(owned: str) -> UUID:
    """What the events of an act name as their cause: the client's key itself stays here, whatever stands in it."""
    return derived_id(owned, "act", 0)


def key_id(actor: Actor, line: ActLine) -> str:
    """Keys belong to the API key that sent them: two clients may use the same words."""
    return id_of_key(actor, line.key or "")
