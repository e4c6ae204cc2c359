"""The clocks that the report of honest pauses reads."""

from uuid import UUID

import asyncpg

_PAUSED_OR_SETTLED = """
select dossier_id, code, department, procedure, changes, result_at, state, calendar_version from dossiers
where changes @? '$[*] ? (@.kind == "paused" || @.kind == "settled")'
    and dossier_id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid)
    and ($2::text is null or department = $2)
order by dossier_id limit $3
"""


async def paused_or_settled(
    pool: asyncpg.Pool, *, department: str | None, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Read at most `limit` clocks that were ever paused or settled, in key order, after the key `after`.

    `department` None means all departments; `changes` of a record is JSON text.
    """
    return await pool.fetch(_PAUSED_OR_SETTLED, after, department, limit)
