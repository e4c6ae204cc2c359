"""SQL of assignments: one row per dossier, a department's queue, and the waiting dossiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from services.routing.domain.assignment import Assignment
from shared.postgres.rows import Row, Table


@dataclass(slots=True, kw_only=True)
class AssignmentRow(Assignment, Row):
    """The row of a dossier's assignment. It may exist before the submission.

    `published` is the data of the last event that was published about it, as plain JSON.
    """

    published: dict[str, Any] | None = None


DOSSIERS = Table(
    AssignmentRow,
    name="dossiers",
    columns={
        "procedure": "text",
        "named_department": "text",
        "submitted_at": "timestamptz",
        "channel": "text",
        "state": "text",
        "code": "text",
        "received_at": "timestamptz",
        "dossier_sequence": "bigint",
        "step": "integer",
        "passed_on_to": "text",
        "department": "text",
        "receiving_place": "text",
        "waiting_for": "text",
        "published": "jsonb",
    },
)

# The condition of the index dossiers_open: the planner uses the index only if the query repeats it.
_OPEN = "state not in ('refused', 'withdrawn', 'stopped', 'returned')"
_AFTER = "dossier_id > coalesce({}::uuid, '00000000-0000-0000-0000-000000000000')"

_QUEUE = f"""
select dossier_id, code, procedure, channel, state, submitted_at, received_at, receiving_place from dossiers
where department = $1 and {_OPEN} and {_AFTER.format("$2")}
  and ($3::text[] is null or state = any($3))
  and ($4::text is null or receiving_place = $4)
order by dossier_id limit $5
"""


async def read_queue(
    pool: asyncpg.Pool,
    department: str,
    *,
    after: UUID | None,
    states: Sequence[str] | None,
    receiving_place: str | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Open dossiers for which the department is competent, in key order: at most `limit` after the key `after`."""
    return list(await pool.fetch(_QUEUE, department, after, states, receiving_place, limit))


_WAITING_KEYS = f"""
select dossier_id from dossiers where waiting_for is not null and {_AFTER.format("$1")} order by dossier_id limit $2
"""


async def waiting_keys(pool: asyncpg.Pool, *, after: UUID | None, limit: int) -> list[UUID]:
    """Every dossier without an assignment, ended ones included, in key order: at most `limit` after the key `after`."""
    return [record["dossier_id"] for record in await pool.fetch(_WAITING_KEYS, after, limit)]


_IS_WAITING = f"waiting_for is not null and {_OPEN}"
_WAITING = f"""
select dossier_id, code, procedure, state, submitted_at, waiting_for, published -> 'reason' ->> 'text' as reason
from dossiers where {_IS_WAITING} and {_AFTER.format("$1")} order by dossier_id limit $2
"""


async def read_waiting(pool: asyncpg.Pool, *, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """Open dossiers without an assignment, in key order: at most `limit` after the key `after`."""
    return list(await pool.fetch(_WAITING, after, limit))


async def count_waiting(pool: asyncpg.Pool) -> int:
    """The number of open dossiers without an assignment."""
    return int(await pool.fetchval(f"select count(*) from dossiers where {_IS_WAITING}"))


_ASSIGNMENT = "select department, waiting_for, published from dossiers where dossier_id = $1 and published is not null"


async def read_assignment(pool: asyncpg.Pool, dossier_id: UUID) -> asyncpg.Record | None:
    """The dossier's department (None while it waits) and the last event's data as JSON text; None if unknown."""
    return await pool.fetchrow(_ASSIGNMENT, dossier_id)
