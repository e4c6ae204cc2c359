"""SQL of the message lists."""

from typing import Any
from uuid import UUID

import asyncpg

MAX_OF_DOSSIER = 1000

_SELECT = """
select m.message_id, m.dossier_id, d.code, m.dossier_sequence, m.moment, m.channel, m.template, m.template_version,
    m.state, m.reason, m.attempts, m.parts, m.possibly_doubled, m.planned_at, m.expires_at
from messages m join dossiers d using (dossier_id)
"""

_OF_DOSSIER = f"""
{_SELECT} where m.dossier_id = $1 and ($2::text is null or d.department = $2)
order by m.dossier_sequence, m.planned_at, m.message_id limit {MAX_OF_DOSSIER}
"""


async def messages_of_dossier(pool: asyncpg.Pool, dossier_id: UUID, *, department: str | None) -> list[dict[str, Any]]:
    """Read up to MAX_OF_DOSSIER messages of a dossier, oldest event first.

    Empty if the dossier is not one of `department`; None is every department.
    """
    return [dict(row) for row in await pool.fetch(_OF_DOSSIER, dossier_id, department)]


_BY_STATE = f"""
{_SELECT} where m.state = $1 and ($2::text is null or m.reason = $2) and ($3::uuid is null or m.message_id > $3)
    and ($4::text is null or d.department = $4)
order by m.message_id limit $5
"""


async def messages_by_state(
    pool: asyncpg.Pool, state: str, *, reason: str | None, after: UUID | None, department: str | None, limit: int
) -> list[dict[str, Any]]:
    """Read up to `limit` messages in a state, ordered by id, with ids greater than `after`.

    Only those with `reason`, and of dossiers of `department`; None means any.
    """
    return [dict(row) for row in await pool.fetch(_BY_STATE, state, reason, after, department, limit)]
