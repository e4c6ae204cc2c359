"""Routing's row per dossier, and the lists that people read. `columns` and the migrations go together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.postgres.rows import Row, Table


@dataclass(slots=True, kw_only=True)
class RoutedDossier(Row):
    """What routing knows of a dossier. A row may exist before the submission: then everything below is empty.

    `passed_on_to` is the department of the present `step` from the second on. `assignment` is the data of the last
    event
    told about it, as plain JSON.
    """

    procedure: str | None = None
    named_department: str | None = None
    submitted_at: datetime | None = None
    channel: str | None = None
    state: str | None = None
    code: str | None = None
    received_at: datetime | None = None
    dossier_sequence: int = 0
    step: int = 1
    passed_on_to: str | None = None
    department: str | None = None
    receiving_place: str | None = None
    waiting_for: str | None = None
    assignment: dict[str, Any] | None = None


DOSSIERS = Table(
    RoutedDossier,
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
        "assignment": "jsonb",
    },
)

_LISTED = "dossier_id, code, procedure, channel, state, submitted_at, received_at, receiving_place"

# Repeats the condition of the index dossiers_open, so that the planner may use it.
_OPEN = "state not in ('refused', 'withdrawn', 'stopped', 'returned')"

_QUEUE = f"""
select {_LISTED} from dossiers
where department = $1 and {_OPEN}
  and dossier_id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
  and ($3::text[] is null or state = any($3))
  and ($4::text is null or receiving_place = $4)
order by dossier_id limit $5
"""

_UNDECIDED = """
select dossier_id from dossiers
where waiting_for is not null and dossier_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
order by dossier_id limit $2
"""

_IS_WAITING = f"waiting_for is not null and {_OPEN}"

_WAITING = f"""
select dossier_id, code, procedure, state, submitted_at, waiting_for, assignment -> 'reason' ->> 'text' as reason
from dossiers where {_IS_WAITING} and dossier_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
order by dossier_id limit $2
"""


async def queue_of(
    pool: asyncpg.Pool,
    department: str,
    *,
    after: UUID | None,
    states: Sequence[str] | None,
    receiving_place: str | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Open dossiers that the department is competent for, by id, at most `limit` after the key `after`."""
    return list(await pool.fetch(_QUEUE, department, after, states, receiving_place, limit))


async def undecided(pool: asyncpg.Pool, *, after: UUID | None, limit: int) -> list[UUID]:
    """Every dossier without an assignment, ended ones included, by id, at most `limit` after the key `after`."""
    return [record["dossier_id"] for record in await pool.fetch(_UNDECIDED, after, limit)]


async def waiting(pool: asyncpg.Pool, *, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """Open dossiers without an assignment, for people to look after, by id, at most `limit` after the key `after`."""
    return list(await pool.fetch(_WAITING, after, limit))


async def count_waiting(pool: asyncpg.Pool) -> int:
    """How many there are."""
    return int(await pool.fetchval(f"select count(*) from dossiers where {_IS_WAITING}"))


async def assignment_of(pool: asyncpg.Pool, dossier_id: UUID) -> asyncpg.Record | None:
    """The dossier's department (None while it waits) and the last event's data as JSON text."""
    return await pool.fetchrow(
        "select department, waiting_for, assignment from dossiers where dossier_id = $1 and assignment is not null",
        dossier_id,
    )
