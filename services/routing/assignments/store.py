"""SQL of assignments: one row per dossier, a department's queue, and the waiting dossiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from services.routing.domain.assignment import Assignment
from shared.postgres.rows import Row, Table
from shared.postgres.set_aside import not_set_aside


@dataclass(slots=True, kw_only=True)
class AssignmentRow(Assignment, Row):
    """The row of a dossier's assignment. The row may exist before the submission is consumed.

    `published` is the data of the last event that routing published about the dossier, as plain JSON.
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
    """Read the open dossiers for which the department is competent, at most `limit`, in key order after key `after`."""
    return list(await pool.fetch(_QUEUE, department, after, states, receiving_place, limit))


_WAITING_KEYS = f"""
select dossier_id from dossiers
where waiting_for is not null and {_AFTER.format("$1")} and {not_set_aside("dossiers", "dossier_id")}
order by dossier_id limit $2
"""


async def waiting_keys(pool: asyncpg.Pool, *, after: UUID | None, limit: int) -> list[UUID]:
    """Read the ids of dossiers that wait for an assignment, at most `limit`, in order after the id `after`.

    Dossiers that ended without an assignment are included, those that are set aside are not.
    """
    return [record["dossier_id"] for record in await pool.fetch(_WAITING_KEYS, after, limit)]


_IS_WAITING = f"waiting_for is not null and {_OPEN}"
_WAITING = f"""
select dossier_id, code, procedure, state, submitted_at, waiting_for, published -> 'reason' ->> 'text' as reason
from dossiers where {_IS_WAITING} and {_AFTER.format("$1")} order by dossier_id limit $2
"""


async def read_waiting(pool: asyncpg.Pool, *, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """Read the open dossiers that wait for an assignment, at most `limit`, in key order after the key `after`."""
    return list(await pool.fetch(_WAITING, after, limit))


async def count_waiting(pool: asyncpg.Pool) -> int:
    """Count the open dossiers that wait for an assignment."""
    return int(await pool.fetchval(f"select count(*) from dossiers where {_IS_WAITING}"))


_ASSIGNMENT = "select department, waiting_for, published from dossiers where dossier_id = $1 and published is not null"


async def read_assignment(pool: asyncpg.Pool, dossier_id: UUID) -> asyncpg.Record | None:
    """Read `department`, `waiting_for` and `published` of a dossier; None if routing published nothing about it.

    `department` is None while the dossier waits. `published` is the last event's data as JSON text.
    """
    return await pool.fetchrow(_ASSIGNMENT, dossier_id)
