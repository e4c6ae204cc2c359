"""What a reader gets of a dossier: what its role may see, and the bounded wait for its due date."""

import asyncio
import time
from typing import Any
from uuid import UUID

import asyncpg

from services.intake import store
from services.intake.domain import papers, roles
from services.intake.domain.acts import NATIONAL_STATUS, allowed_in
from services.intake.domain.codes import parse_code
from services.intake.tables import DossierRow
from shared.contracts.envelope import Actor
from shared.kernel.centre import Centre
from shared.kernel.errors import ExpectedError, Refusal

POLL_SECONDS = 0.1


def no_such_dossier() -> Refusal:
    """The one answer for what does not exist and for what is not the caller's to know."""
    return ExpectedError("no-such-dossier", "there is no such dossier, or it is not this key's to know", status=404)


async def read_dossier(pool: asyncpg.Pool, centre: Centre, dossier_id: UUID, actor: Actor) -> dict[str, Any]:
    """The dossier with its history, personal data only for those who may see it. Raises Refusal (404)."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        row = await store.load_dossier(connection, dossier_id)
        if row is None or not roles.sees(actor, department=row.department, submitted_by=row.submitted_by):
            raise no_such_dossier()
        history = await store.load_history(connection, dossier_id)
        foreign_codes = await store.load_foreign_codes(connection, dossier_id)
        applicant, documents, details = await store.load_private(connection, dossier_id)
    shows_personal_data = roles.sees_personal_data(actor.role)
    found = _document(row) | {
        "foreign_codes": foreign_codes,
        "papers": _papers(row, centre, documents, shows_personal_data),
        "history": [_entry(event, details.get(event["sequence"], {}), actor) for event in history],
    }
    return found | {"applicant": applicant} if shows_personal_data else found


async def wait_for_due(pool: asyncpg.Pool, dossier_id: UUID, actor: Actor, *, reflecting: int, seconds: float) -> bool:
    """Wait until sla has told what the clock is after event `reflecting`; False when `seconds` ended first.

    `reflecting` is lowered to the dossier's last act that touched the clock, so any act's sequence will do. No
    connection is held while waiting. Raises Refusal (404).
    """
    deadline = time.monotonic() + seconds
    while True:
        async with pool.acquire() as connection:
            row = await store.load_dossier(connection, dossier_id)
        if row is None or not roles.sees(actor, department=row.department, submitted_by=row.submitted_by):
            raise no_such_dossier()
        if (row.due or {}).get("reflects", 0) >= min(reflecting, row.clock_sequence):
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(POLL_SECONDS)


async def find_by_code(pool: asyncpg.Pool, code: str, system: str | None, actor: Actor) -> UUID:
    """The dossier of a code: our own, or another system's. For staff; raises Refusal (403, 404, 409)."""
    if actor.role not in roles.STAFF:
        raise ExpectedError("role-may-not", "a code alone shows nothing; name the dossier by its id", status=403)
    if system is None:
        own = await _own_code(pool, code)
        if own is not None:
            return own
    found = await store.find_by_foreign_code(pool, code.strip(), system)
    if not found:
        raise no_such_dossier()
    if len(found) > 1:
        raise ExpectedError("ambiguous-code", "several systems have this code for different dossiers: name the system")
    return found[0]


async def _own_code(pool: asyncpg.Pool, code: str) -> UUID | None:
    try:
        own = str(parse_code(code))
    except Refusal:
        return None  # another system's code may look like anything
    dossier_id: UUID | None = await pool.fetchval("select dossier_id from dossiers where code = $1", own)
    return dossier_id


def _document(row: DossierRow) -> dict[str, Any]:
    assert row.state is not None
    return {
        "dossier_id": str(row.key),
        "code": row.code,
        "state": row.state,
        "national_status": NATIONAL_STATUS[row.state],
        "allowed": list(allowed_in(row.state)),
        "procedure": row.procedure,
        "department": row.department,
        "step": row.step,
        "channel": row.channel,
        "counter": row.counter,
        "incomplete": row.incomplete,
        "reach": row.reach,
        "reachable": bool(row.reach),
        "submitted_at": _z(row.submitted_at),
        "received_at": _z(row.received_at),
        "last_act_at": _z(row.last_act_at),
        "sequence": row.sequence,
        "due": _due(row),
        "assignment": row.assignment,
    }


def _due(row: DossierRow) -> dict[str, Any]:
    """What sla told last, and whether it reflects the last act that touched the clock."""
    if not row.clock_sequence:
        return {"status": "no_clock", "reflects": 0, "up_to_date": True}
    told = row.due or {"status": "not_yet", "reflects": 0}
    return told | {"up_to_date": told["reflects"] >= row.clock_sequence}


def _papers(
    row: DossierRow, centre: Centre, documents: list[dict[str, Any]], shows_personal_data: bool
) -> dict[str, Any]:
    assert row.submitted_at is not None
    requirements = centre.requirements_of(row.procedure, centre.local_date(row.submitted_at))
    written = requirements is None and not shows_personal_data  # then names of papers are what somebody wrote
    hidden = () if shows_personal_data else ("title", "reference", *(("requirement",) if written else ()))
    return {
        "requirements": papers.NOT_ENTERED
        if requirements is None
        else [
            {
                "requirement": need.key,
                "name": need.name_vi,
                "form": need.form,
                "copies": need.copies,
                "mandatory": need.mandatory,
                "handed_in": need.key in row.handed_in,
            }
            for need in requirements
        ],
        "documents": [
            {name: value for name, value in document.items() if name not in hidden} for document in documents
        ],
        "asked_for": [] if written else row.asked_papers,
    }


def _entry(event: dict[str, Any], details: dict[str, Any], reader: Actor) -> dict[str, Any]:
    """One event of the history, with the free text that belongs to it as far as the reader is shown it."""
    shown = roles.shown_details(reader.role, details)
    actor = {
        name: event[f"actor{name}"]
        for name in ("kind", "id", "role", "department", "counter")
        if f"actor{name}" in event
    }
    entry = {
        "sequence": event["sequence"],
        "type": event["type"],
        "occurred_at": event["time"],
        "recorded_at": event["recordedtime"],
        "actor": actor,
        "data": event["data"],
    }
    return entry | {"details": shown} if shown else entry


def _z(instant: Any) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")
