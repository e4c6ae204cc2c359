"""Stores hand-over batches, and reads the lists of waiting papers and missing results."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.postgres.rows import RecordTable


@dataclass(frozen=True, slots=True)
class HandOverRecord:
    """A numbered hand-over batch with its signatures.

    `dossiers` has one object per dossier, in key order: `dossier_id`, `code`, `procedure`, `sequence` (of the
    hand-over's event) and `previous` (the sequence of the last event before it that sent papers to the department, 0
    for none).
    """

    number: str
    counter: int
    department: str
    given_by: str
    taken_by: str
    handed_over_at: datetime
    dossiers: list[dict[str, Any]]


HAND_OVERS = RecordTable(
    HandOverRecord,
    name="hand_overs",
    key="number",
    columns={
        "number": "text",
        "counter": "integer",
        "department": "text",
        "given_by": "text",
        "taken_by": "text",
        "handed_over_at": "timestamptz",
        "dossiers": "jsonb",
    },
)

_DOCUMENTS = """
select dossier_id, sequence, requirement, title, media_type from documents
where dossier_id = any($1::uuid[]) order by dossier_id, sequence, place
"""


async def load_documents(pool: asyncpg.Pool, dossiers: Collection[UUID]) -> dict[str, list[asyncpg.Record]]:
    """Return all documents of each dossier, by the dossier's id as text, in the order of their events.

    Each has the sequence of its event. A dossier without documents is absent.
    """
    found: dict[str, list[asyncpg.Record]] = {}
    for row in await pool.fetch(_DOCUMENTS, list(dossiers)):
        found.setdefault(str(row["dossier_id"]), []).append(row)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """Which rows a list has: of one department and of some counters (None: all), after a dossier, at most `limit`."""

    department: str | None
    counters: Collection[int] | None
    after: UUID | None
    limit: int


# The index dossiers_papers_waiting has all of these columns.
_WAITING_PAPERS = """
select dossier_id, code, procedure, department, channel, papers_counter as counter, papers_waiting_since, received_at
from dossiers
where papers_waiting_since is not null
    and ($1 or papers_waiting_since < case when papers_counter = any($2::integer[]) then $3::timestamptz else $4 end)
    and ($5::text is null or department = $5)
    and ($6::integer[] is null or papers_counter = any($6))
    and ($7::uuid is null or dossier_id > $7)
order by dossier_id limit $8
"""


async def waiting_papers(
    pool: asyncpg.Pool,
    which: ListFilter,
    *,
    department_counters: Collection[int],
    before: tuple[datetime | None, datetime | None] | None,
) -> list[asyncpg.Record]:
    """Return dossiers with papers that wait at a counter, in key order, limited by `which`.

    With `before`, only papers that came before an instant are included: its first instant applies to
    `department_counters`, its second to all other counters. No papers are included where that instant is None.
    """
    at_departments, elsewhere = before or (None, None)
    return list(
        await pool.fetch(
            _WAITING_PAPERS,
            before is None,
            list(department_counters),
            at_departments,
            elsewhere,
            which.department,
            None if which.counters is None else list(which.counters),
            which.after,
            which.limit,
        )
    )


# The index dossiers_results_missing has all of these columns.
_MISSING_RESULTS = """
select dossier_id, code, procedure, department, counter, settled_at
from dossiers
where settled_at is not null and result_at is null
    and ($1::text is null or department = $1)
    and ($2::integer[] is null or counter = any($2))
    and ($3::uuid is null or dossier_id > $3)
order by dossier_id limit $4
"""


async def missing_results(pool: asyncpg.Pool, which: ListFilter) -> list[asyncpg.Record]:
    """Return settled dossiers whose result is not available yet, in key order, limited by `which`."""
    counters = None if which.counters is None else list(which.counters)
    return list(await pool.fetch(_MISSING_RESULTS, which.department, counters, which.after, which.limit))
