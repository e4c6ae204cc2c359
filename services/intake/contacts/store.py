"""Reads contacts from the database; every access is recorded."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

# One statement, and so one transaction, finds the contacts and records the accesses.
_LOOK_UP = """
with requested as (
    select * from unnest($1::uuid[], $2::uuid[], $3::bigint[]) with ordinality
        as v (dossier_id, message_id, sequence, place)
), found as (
    select r.dossier_id, r.message_id, r.place, a.name, a.phone, a.email, t.content -> 'papers' as papers
    from requested r join dossiers d on d.dossier_id = r.dossier_id and d.state is not null
    left join applicants a on a.dossier_id = r.dossier_id
    left join details t on t.dossier_id = r.dossier_id and t.sequence = r.sequence
), recorded as (
    insert into contact_lookups (dossier_id, purpose, message_id, actor, looked_up_at)
    select dossier_id, $4, message_id, $5, $6 from found order by place
)
select place, name, phone, email, papers from found
"""


async def look_up(
    pool: asyncpg.Pool,
    requested: Sequence[tuple[UUID, UUID | None, int | None]],
    *,
    purpose: str,
    actor: str,
    at: datetime,
) -> list[dict[str, Any] | None]:
    """Return name, phone and e-mail of applicants, and the papers that an event asked for in free text.

    Each entry of `requested` is a dossier's id, the id of the message that uses the contact, and the event's sequence.
    The result has one entry for each, in the same order; None if the dossier does not exist or is not submitted. Every
    other entry is recorded as an access, in the same transaction, which commits.
    """
    rows = await pool.fetch(_LOOK_UP, *map(list, zip(*requested, strict=True)), purpose, actor, at)
    found = {
        row["place"]: {
            "name": row["name"],
            "phone": row["phone"],
            "email": row["email"],
            "papers": json.loads(row["papers"] or "[]"),
        }
        for row in rows
    }
    return [found.get(place) for place in range(1, len(requested) + 1)]
