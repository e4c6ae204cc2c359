"""The SQL of papers' way: batches by number and by key, and the two lists of what is missing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.intake.tables import HAND_OVERS, HandOverRecord
from shared.postgres.pool import Connection


async def hand_over_of_key(connection: Connection, key_id: str) -> HandOverRecord | None:
    """The batch that was asked for by this key. Read under the dossiers' locks, which equal requests share."""
    number = await connection.fetchval("select number from hand_overs where id = $1", key_id)
    return None if number is None else await HAND_OVERS.read(connection, number)


async def documents_of(pool: asyncpg.Pool, dossiers: Collection[UUID]) -> dict[str, list[asyncpg.Record]]:
    """What was handed in, by dossier and in order, each with the event that brought it."""
    rows = await pool.fetch(
        "select dossier_id, sequence, requirement, title, media_type from documents "
        "where dossier_id = any($1::uuid[]) order by dossier_id, sequence, place",
        list(dossiers),
    )
    found: dict[str, list[asyncpg.Record]] = {}
    for row in rows:
        found.setdefault(str(row["dossier_id"]), []).append(row)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list: of a department, of some counters (None: all), after a dossier, at most `limit`."""

    department: str | None
    counters: Collection[int] | None
    after: UUID | None
    limit: int


# The columns stand in the index `dossiers_papers_wait`, all of them.
_PAPERS_WAIT = """
select dossier_id, code, procedure, department, channel, papers_counter as counter, papers_since, received_at
from dossiers
where papers_since is not null
    and ($1 or papers_since < case when papers_counter = any($2::integer[]) then $3::timestamptz else $4 end)
    and ($5::text is null or department = $5)
    and ($6::integer[] is null or papers_counter = any($6))
    and ($7::uuid is null or dossier_id > $7)
order by dossier_id limit $8
"""


async def papers_waiting(
    pool: asyncpg.Pool,
    page: Page,
    *,
    of_departments: Collection[int],
    before: tuple[datetime | None, datetime | None] | None,
) -> list[asyncpg.Record]:
    """Dossiers whose papers wait at a counter, in key order.

    `before`: those alone that came before these instants, one for papers at counters `of_departments` and one for
    papers elsewhere, of which None leaves all out.
    """
    own, other = before or (None, None)
    return list(
        await pool.fetch(
            _PAPERS_WAIT,
            before is None,
            list(of_departments),
            own,
            other,
            page.department,
            None if page.counters is None else list(page.counters),
            page.after,
            page.limit,
        )
    )


# The columns stand in the index `dossiers_results_miss`, all of them.
_RESULTS_MISS = """
select dossier_id, code, procedure, department, counter, settled_at
from dossiers
where settled_at is not null and result_at is null
    and ($1::text is null or department = $1)
    and ($2::integer[] is null or counter = any($2))
    and ($3::uuid is null or dossier_id > $3)
order by dossier_id limit $4
"""


async def results_missing(pool: asyncpg.Pool, page: Page) -> list[asyncpg.Record]:
    """Settled dossiers whose result has not come, in key order."""
    counters = None if page.counters is None else list(page.counters)
    return list(await pool.fetch(_RESULTS_MISS, page.department, counters, page.after, page.limit))
