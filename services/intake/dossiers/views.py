"""A dossier as a reader sees it, by the reader's role, and the bounded wait for its due date."""

import asyncio
import time
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.intake.domain import papers, roles
from services.intake.domain.codes import parse_code
from services.intake.domain.errors import AmbiguousCodeError, InvalidCodeError
from services.intake.domain.instants import iso
from services.intake.domain.life_cycle import NATIONAL_STATUS
from services.intake.dossiers import store
from services.intake.dossiers.registry import allowed_in
from services.intake.dossiers.store import DossierRow
from shared.contracts.envelope import Actor
from shared.kernel.centre import Centre
from shared.kernel.errors import DossierNotFoundError, ForbiddenError
from shared.postgres.pool import Connection
from shared.service.scope import Scope

POLL_SECONDS = 0.1


async def read_dossier(pool: asyncpg.Pool, centre: Centre, dossier_id: UUID, scope: Scope) -> dict[str, Any]:
    """Return the dossier with its history as JSON; personal data only for roles that may see it.

    Raises DossierNotFoundError if it does not exist, is not submitted, or is out of scope.
    """
    actor = scope.actor
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        row = await _load(connection, dossier_id, scope)
        history = await store.load_history(connection, dossier_id)
        foreign_codes = await store.load_foreign_codes(connection, dossier_id)
        applicant, documents, details = await store.load_private(connection, dossier_id)
    sees_personal_data = roles.sees_personal_data(actor.role)
    found = _document(row) | {
        "foreign_codes": foreign_codes,
        "papers": _papers(row, centre, documents, sees_personal_data),
        "history": [_entry(event, details.get(event["sequence"], {}), actor) for event in history],
    }
    return found | {"applicant": applicant} if sees_personal_data else found


async def wait_for_due_date(
    pool: asyncpg.Pool, dossier_id: UUID, scope: Scope, *, reflecting: int, seconds: float
) -> bool:
    """Wait until sla's last event about the clock reflects the event `reflecting`; False if `seconds` end first.

    `reflecting` may be the sequence of any event: if later than the dossier's last event that touched the clock, that
    one is waited for. Holds no connection between polls. Raises DossierNotFoundError.
    """
    give_up_at = time.monotonic() + seconds
    while True:
        async with pool.acquire() as connection:
            row = await _load(connection, dossier_id, scope)
        if (row.due or {}).get("reflects", 0) >= min(reflecting, row.clock_sequence):
            return True
        if time.monotonic() >= give_up_at:
            return False
        await asyncio.sleep(POLL_SECONDS)


async def _load(connection: Connection, dossier_id: UUID, scope: Scope) -> DossierRow:
    row = await store.load_dossier(connection, dossier_id)
    if row is None or not scope.sees(department=row.department, submitted_by=row.submitted_by):
        raise DossierNotFoundError
    return row


async def find_by_code(pool: asyncpg.Pool, code: str, system: str | None, actor: Actor) -> UUID:
    """Return the id of the dossier that has this code, which is of another system if `system` is given.

    Without `system`, a code of this centre is looked up first, then one of any other system. Raises ForbiddenError
    unless the actor is staff, DossierNotFoundError, or AmbiguousCodeError.
    """
    if actor.role not in roles.STAFF:
        raise ForbiddenError("A code alone shows nothing. Name the dossier by its id.")
    if system is None:
        own = await _find_own(pool, code)
        if own is not None:
            return own
    found = await store.find_by_foreign_code(pool, code.strip(), system)
    if not found:
        raise DossierNotFoundError
    if len(found) > 1:
        raise AmbiguousCodeError
    return found[0]


async def _find_own(pool: asyncpg.Pool, code: str) -> UUID | None:
    try:
        own = str(parse_code(code))
    except InvalidCodeError:
        return None  # another system's code may have any form
    return await store.find_by_code(pool, own)


def _document(row: DossierRow) -> dict[str, Any]:
    assert row.state is not None, "a stored dossier without a state is not loaded"
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
        "submitted_at": _iso_or_none(row.submitted_at),
        "received_at": _iso_or_none(row.received_at),
        "last_act_at": _iso_or_none(row.last_act_at),
        "sequence": row.sequence,
        "due": _due(row),
        "assignment": row.assignment,
    }


def _due(row: DossierRow) -> dict[str, Any]:
    """Return the clock as sla published it last, with `up_to_date`: whether it reflects the last act that touched it.

    Before such an act, the status is `no_clock`; after it, but before sla's first event, `not_yet`.
    """
    if not row.clock_sequence:
        return {"status": "no_clock", "reflects": 0, "up_to_date": True}
    due = row.due or {"status": "not_yet", "reflects": 0}
    return due | {"up_to_date": row.is_due_current}


def _papers(
    row: DossierRow, centre: Centre, documents: list[dict[str, Any]], sees_personal_data: bool
) -> dict[str, Any]:
    assert row.submitted_at is not None, "a submitted dossier has its instant"
    requirements = centre.requirements_of(row.procedure, centre.local_date(row.submitted_at))
    hides_free_text = requirements is None and not sees_personal_data  # names of papers are free text then
    hidden = () if sees_personal_data else ("title", "reference", *(("requirement",) if hides_free_text else ()))
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
        "asked_for": [] if hides_free_text else row.requested_papers,
    }


def _entry(event: dict[str, Any], details: dict[str, Any], reader: Actor) -> dict[str, Any]:
    """Return one event of the history, with the part of its free text that the reader may see."""
    visible = roles.visible_details(reader.role, details)
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
    return entry | {"details": visible} if visible else entry


def _iso_or_none(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
