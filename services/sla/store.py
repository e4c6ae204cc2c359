"""Sla's tables, and the SQL that finds what time, or a new configuration, sets going."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.sla.domain.clock import ClockChange, State, WaitingFor
from services.sla.domain.thresholds import Threshold
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.postgres.pool import Connection
from shared.postgres.rows import Row, Table


@dataclass(slots=True, kw_only=True)
class ClockRow(Row):
    """A dossier's clock. `changes` and `fired` hold JSON; everything below them is derived from them."""

    dossier_sequence: int = 0
    procedure: str | None = None
    department: str | None = None
    code: str | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    fired: list[dict[str, Any]] = field(default_factory=list)
    generation: int = 0
    state: State | None = None
    waiting_for: WaitingFor | None = None
    received_at: datetime | None = None
    due_at: datetime | None = None
    next_at: datetime | None = None
    rules: str | None = None
    calendar_version: int = 0
    told: str | None = None
    result_at: datetime | None = None

    def clock_changes(self) -> tuple[ClockChange, ...]:
        """The clock's changes as the domain has them; none before the receipt."""
        return changes_of(self.changes)

    def recorded_at(self) -> datetime:
        """When the last of them was recorded. The row has a clock."""
        return max(datetime.fromisoformat(each["recorded_at"]) for each in self.changes)

    def add(self, change: ClockChange) -> None:
        """Keep one more change of the clock."""
        kept = {
            "what": change.what,
            "at": change.at.isoformat(),
            "recorded_at": change.recorded_at.isoformat(),
            "ground": change.ground,
            "working_days": change.working_days,
            "to_date": None if change.to_date is None else change.to_date.isoformat(),
            "step": change.step,
        }
        self.changes = [*self.changes, {name: value for name, value in kept.items() if value is not None}]

    def fired_thresholds(self) -> tuple[Threshold, ...]:
        """What was told of this clock's due dates and pauses and still holds."""
        return fired_of(self.fired)

    def keep_fired(self, fired: Collection[Threshold]) -> None:
        """Replace what was told and still holds."""
        self.fired = [
            {"level": each.level, "step": each.step, "about": each.about.isoformat(), "at": each.at.isoformat()}
            for each in fired
        ]


def changes_of(documents: Iterable[Mapping[str, Any]]) -> tuple[ClockChange, ...]:
    """A clock's changes as the domain has them, from those that its row keeps."""
    return tuple(
        ClockChange(
            each["what"],
            datetime.fromisoformat(each["at"]),
            datetime.fromisoformat(each["recorded_at"]),
            each.get("ground"),
            each.get("working_days"),
            date.fromisoformat(each["to_date"]) if "to_date" in each else None,
            each.get("step"),
        )
        for each in documents
    )


def fired_of(documents: Iterable[Mapping[str, Any]]) -> tuple[Threshold, ...]:
    """The thresholds that a row keeps as told, as the domain has them."""
    return tuple(
        Threshold(
            each["level"],
            datetime.fromisoformat(each.get("about") or each["due_at"]),  # rows of before say due_at
            datetime.fromisoformat(each["at"]),
            each["step"],
        )
        for each in documents
    )


_COLUMNS = {
    "dossier_sequence": "bigint",
    "procedure": "text",
    "department": "text",
    "code": "text",
    "changes": "jsonb",
    "fired": "jsonb",
    "generation": "integer",
    "state": "text",
    "waiting_for": "text",
    "received_at": "timestamptz",
    "due_at": "timestamptz",
    "next_at": "timestamptz",
    "rules": "text",
    "calendar_version": "integer",
    "told": "text",
    "result_at": "timestamptz",
}
_OF_ACTS = (
    "fences",
    "partition",
    "dossier_sequence",
    "procedure",
    "department",
    "code",
    "changes",
    "received_at",
    "result_at",
)

DOSSIERS = Table(ClockRow, name="dossiers", columns=_COLUMNS)
DERIVED = Table(ClockRow, name="dossiers", columns=_COLUMNS, fixed=_OF_ACTS)
"""The same rows as time and other rules change them: what acts alone say is read, and not written again."""


OPEN = "(waiting_for is not null or state <> 'ended')"
"""Whose clock a change of rules concerns: a dossier that was received and did not end, or that waits for something."""

# In key order within a version. Nobody is waited for: a clock that another transaction holds comes at the next pass.
_CLAIM_OUTDATED = f"""
select {", ".join(DERIVED.columns)} from dossiers
where {OPEN} and calendar_version < $1 and (calendar_version, dossier_id) > ($2, $3)
order by calendar_version, dossier_id limit $4 for update skip locked
"""
_COUNT_OUTDATED = f"select count(*) from dossiers where {OPEN} and calendar_version < $1"
_ANY_OUTDATED = f"select exists (select from dossiers where {OPEN} and calendar_version < $1)"
_STANDS = "select coalesce(max(version), 0) from calendars where seed is not null"


async def claim_outdated(
    connection: Connection, version: int, *, after: tuple[int, UUID], limit: int
) -> dict[UUID, ClockRow]:
    """Lock and read, without waiting, open clocks derived by an older version of the calendar than this one, from
    `after` on (version and key), in that order."""
    return DERIVED.by_key(await connection.fetch(_CLAIM_OUTDATED, version, *after, limit))


# Nobody is waited for, and each is looked at once: those that it leaves are derived again one by one.
_RAISE = f"""
with seen as (
    select dossier_id, rules = $3 and (
        received_at >= $5 or coalesce(state = 'running' and waiting_for is null and due_at < $4, false)
            and not changes @? '$[*] ? (@.what == "extended")'
    ) as untouched
    from dossiers where {OPEN} and calendar_version = $1 and dossier_id > $6
    order by dossier_id limit $7 for update skip locked
), raised as (
    update dossiers set calendar_version = $2 from seen where dossiers.dossier_id = seen.dossier_id and seen.untouched
    returning 1
)
select (select max(dossier_id::text) from seen) as last, (select count(*) from raised) as raised
"""


async def raise_untouched(
    pool: asyncpg.Pool,
    version: int,
    to: int,
    rules: str,
    *,
    due_before: datetime | None,
    received_from: datetime,
    after: UUID,
    limit: int,
) -> tuple[UUID | None, int]:
    """Let the next `limit` open clocks of a calendar's version, in key order, count as derived by a later one, where
    they run, were never extended (up to a date that an earlier change may have overtaken) and are due before the one
    instant, or were received from the other on. Commits.

    Gives the last key looked at (None: there was none left) and how many were raised.
    """
    row = await pool.fetchrow(_RAISE, version, to, rules, due_before, received_from, after, limit)
    assert row is not None  # an aggregate
    return (None if row["last"] is None else UUID(row["last"])), row["raised"]


async def any_outdated(pool: asyncpg.Pool, version: int) -> bool:
    """Whether an open clock was derived by an older version of the calendar than this one."""
    return bool(await pool.fetchval(_ANY_OUTDATED, version))


async def count_outdated(pool: asyncpg.Pool) -> int:
    """How many open clocks are still to be derived by the calendar that stands."""
    return int(await pool.fetchval(_COUNT_OUTDATED, await pool.fetchval(_STANDS)))


async def outbox_is_long(pool: asyncpg.Pool, rows: int) -> bool:
    """Whether at least so many changes wait for Kafka."""
    # by the index, which soon forgets those that were sent; the table holds them until it is vacuumed
    return bool(await pool.fetchval("select exists (select from outbox order by id offset $1 limit 1)", rows - 1))


_OF_VERSION = f"""
{OPEN} and calendar_version = $1 and dossier_id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)
    and ($3::text is null or department = $3)
"""
_EXTENDED = """changes @? '$[*] ? (@.what != "received" && @.what != "paused" && @.what != "resumed")'"""
"""Something else has happened to a clock than its receipt and pauses."""
_OPEN_CLOCKS = f"""
select dossier_id, code, department, procedure, changes, due_at from dossiers
where {_OF_VERSION} and (not $5 or {_EXTENDED})
order by dossier_id limit $4
"""


async def open_clocks(
    pool: asyncpg.Pool,
    version: int,
    *,
    department: str | None,
    after: UUID | None,
    limit: int,
    beyond_pauses: bool = False,
) -> list[asyncpg.Record]:
    """Open clocks as they were derived by this version of the calendar, in key order; `changes` is JSON.

    With `beyond_pauses` only those to which more has happened than their receipt and pauses.
    """
    return await pool.fetch(_OPEN_CLOCKS, version, after, department, limit, beyond_pauses)


# Microseconds since 1970; a clock without a due date has $5.
_IN_COLUMNS = f"""
with page as (
    select dossier_id, department, procedure, received_at, due_at, changes from dossiers
    where {_OF_VERSION} and not {_EXTENDED}
    order by dossier_id limit $4
)
select department, procedure, max(dossier_id::text) as last,
    array_agg((extract(epoch from received_at) * 1000000)::bigint) as received,
    array_agg(coalesce((extract(epoch from due_at) * 1000000)::bigint, $5)) as due,
    array_agg(case when jsonb_array_length(changes) > 1 then changes::text end) as changes
from page group by department, procedure
"""


async def in_columns(
    pool: asyncpg.Pool, version: int, *, department: str | None, after: UUID | None, limit: int, no_due: int
) -> list[asyncpg.Record]:
    """Open clocks of this version to which nothing has happened but their receipt and pauses: the next `limit` of them
    in key order, as columns by department and procedure.

    `last` is a group's last key as text; `changes` are JSON, None for a receipt alone.
    """
    return await pool.fetch(_IN_COLUMNS, version, after, department, limit, no_due)


# Only clocks that were ever paused or settled have anything to look at.
_PAUSED_OR_SETTLED = """
select dossier_id, code, department, procedure, changes, result_at, state, calendar_version from dossiers
where changes @? '$[*] ? (@.what == "paused" || @.what == "settled")'
    and dossier_id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid)
    and ($2::text is null or department = $2)
order by dossier_id limit $3
"""


async def paused_or_settled(
    pool: asyncpg.Pool, *, department: str | None, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """Clocks that were paused or settled at least once, in key order; `changes` is JSON."""
    return await pool.fetch(_PAUSED_OR_SETTLED, after, department, limit)


# By the first of the index: asked whether there is one at all, the planner may read a table of millions instead.
_ANY_DUE = "select coalesce((select min(next_at) from dossiers) <= greatest($1, (select now_at from clock)), false)"

# The claim is in key order, as every lock on dossiers is; a row that another transaction holds is left to it.
_CLAIM = f"""
with due as (
    select dossier_id from dossiers
    where next_at <= $1 and partition = any($2::integer[])
        and not coalesce((fences -> '{DOSSIERS_TOPIC.name}' ->> 2)::boolean, false)
    order by next_at limit $3
)
select {", ".join(DERIVED.columns)} from dossiers
where dossier_id in (select dossier_id from due) and next_at <= $1
order by dossier_id for update skip locked
"""


async def any_due(pool: asyncpg.Pool, until: datetime) -> bool:
    """Whether a threshold waits to be told at `until`, or by where a set clock stands now, if that is later."""
    return bool(await pool.fetchval(_ANY_DUE, until))


async def claim_due(
    connection: Connection, until: datetime, partitions: Collection[int], limit: int
) -> dict[UUID, ClockRow]:
    """Lock and read, in key order and without waiting, dossiers of these partitions whose next threshold has come.

    Dossiers with a quarantined record are left out: what is held may be the very act that prevents it.
    """
    return DERIVED.by_key(await connection.fetch(_CLAIM, until, list(partitions), limit))


_OUTDATED = f"""
select dossier_id from dossiers
where rules is distinct from $1 and {OPEN}
    and dossier_id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)
order by dossier_id limit $3
"""


async def outdated(pool: asyncpg.Pool, rules: str, *, after: UUID | None, limit: int) -> list[UUID]:
    """Clocks that are open, or wait for something, and were derived by other rules than these; in key order."""
    rows = await pool.fetch(_OUTDATED, rules, after, limit)
    return [row["dossier_id"] for row in rows]


_WAITING = """
select dossier_id, procedure, department, state, received_at, waiting_for from dossiers
where waiting_for is not null and dossier_id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid)
order by dossier_id limit $2
"""


async def waiting(pool: asyncpg.Pool, *, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """Dossiers whose due date cannot be derived yet, in key order."""
    return await pool.fetch(_WAITING, after, limit)


async def count_waiting(pool: asyncpg.Pool) -> int:
    """How many there are."""
    return int(await pool.fetchval("select count(*) from dossiers where waiting_for is not null"))


async def clock_of(pool: asyncpg.Pool, dossier_id: UUID) -> ClockRow | None:
    """One dossier's clock as it stands; None where none is known. Locks nothing."""
    return await DOSSIERS.read(pool, dossier_id)
