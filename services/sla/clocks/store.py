"""Clocks in the database: the row of a clock, and the SQL that selects the rows to work on."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.sla.domain.clock import ClockChange, Deadline, State, WaitingFor
from services.sla.domain.thresholds import Threshold
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.postgres.pool import Connection
from shared.postgres.rows import Row, Table
from shared.postgres.set_aside import not_set_aside


@dataclass(slots=True, kw_only=True)
class ClockRow(Row):
    """A dossier's row, with its clock. `changes` and `fired`, the published thresholds, are JSON.

    A dossier that is not received has a row without a clock: no procedure and no changes. `state`, `waiting_for`,
    `due_at` and `next_threshold_at` are derived from `changes` and `fired`; `rules_digest` and `calendar_version`
    identify the rules of the derivation. `published_digest` is the digest of the deadline event that was published
    last, and `result_at` is when the result was available.
    """

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
    next_threshold_at: datetime | None = None
    rules_digest: str | None = None
    calendar_version: int = 0
    published_digest: str | None = None
    result_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the clock ended and its outcome is final: rules that change later do not apply to it."""
        return self.state == "ended" and self.waiting_for is None

    def receive(self, *, procedure: str, department: str, code: str | None, at: datetime) -> None:
        """Record in this row that the dossier was received: its procedure, department, code and instant."""
        self.procedure, self.department, self.code, self.received_at = procedure, department, code, at

    def add_change(self, change: ClockChange, dossier_sequence: int) -> None:
        """Append to this row a clock change by the dossier's event of this sequence; increments `generation`."""
        document = {
            "kind": change.kind,
            "at": change.at.isoformat(),
            "recorded_at": change.recorded_at.isoformat(),
            "ground": change.ground,
            "working_days": change.working_days,
            "to_date": None if change.to_date is None else change.to_date.isoformat(),
            "step": change.step,
        }
        self.changes = [*self.changes, {name: value for name, value in document.items() if value is not None}]
        self.dossier_sequence = dossier_sequence
        self.generation += 1

    def clock_changes(self) -> tuple[ClockChange, ...]:
        """Return the clock's changes as domain objects, in the order of their events; empty before the receipt."""
        return changes_of(self.changes)

    def recorded_at(self) -> datetime:
        """Return the latest instant at which one of the clock's changes was recorded. The dossier must be received."""
        return max(datetime.fromisoformat(each["recorded_at"]) for each in self.changes)

    def fired_thresholds(self) -> tuple[Threshold, ...]:
        """Return the clock's thresholds that were published and not retracted."""
        return fired_of(self.fired)

    def set_fired(self, fired: Collection[Threshold]) -> None:
        """Set this row's list of thresholds that were published and not retracted. Publishes nothing."""
        self.fired = [
            {"level": each.level, "step": each.step, "anchor_at": each.anchor_at.isoformat(), "at": each.at.isoformat()}
            for each in fired
        ]

    def set_derived(
        self, deadline: Deadline, *, next_threshold_at: datetime | None, rules_digest: str, calendar_version: int
    ) -> None:
        """Set the columns that lists and the ticker read from a derived deadline, and the rules that it was derived by.

        The caller saves the row.
        """
        self.state, self.waiting_for, self.due_at = deadline.state, deadline.waiting_for, deadline.due_at
        self.next_threshold_at = next_threshold_at
        self.rules_digest, self.calendar_version = rules_digest, calendar_version


def changes_of(documents: Iterable[Mapping[str, Any]]) -> tuple[ClockChange, ...]:
    """Convert the JSON in `changes` of a clock's row to domain objects, in the same order."""
    return tuple(
        ClockChange(
            each["kind"],
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
    """Convert the JSON in `fired` of a clock's row to thresholds, in the same order."""
    return tuple(
        Threshold(
            each["level"],
            datetime.fromisoformat(each["anchor_at"]),
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
    "next_threshold_at": "timestamptz",
    "rules_digest": "text",
    "calendar_version": "integer",
    "published_digest": "text",
    "result_at": "timestamptz",
}
_SET_BY_ACTS = (
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

_NOT_SET_ASIDE = not_set_aside("dossiers", "dossier_id")

CLOCKS = Table(ClockRow, name="dossiers", columns=_COLUMNS)
DERIVED = Table(ClockRow, name="dossiers", columns=_COLUMNS, fixed=_SET_BY_ACTS)
"""The same rows for workers, which do not write the columns that only acts change."""


OPEN = "(waiting_for is not null or state <> 'ended')"
"""The clocks that other rules apply to: not ended, or ended with their outcome still to be derived."""

# in key order within a version
_OUTDATED = f"""
from dossiers
where {OPEN} and calendar_version < $1 and (calendar_version, dossier_id) > ($2, $3) and {_NOT_SET_ASIDE}
order by calendar_version, dossier_id limit $4
"""
_OUTDATED_KEYS = f"select dossier_id {_OUTDATED}"
# rows that another transaction has locked are skipped; a later pass finds them
_CLAIM_OUTDATED = f"select {', '.join(DERIVED.columns)} {_OUTDATED} for update skip locked"


async def claim_outdated(
    connection: Connection, version: int, *, after: tuple[int, UUID], limit: int
) -> dict[UUID, ClockRow]:
    """Lock and return at most `limit` open clocks that were derived by an older calendar version than `version`.

    They are in order of calendar version and key, after the pair `after`. Skips rows that are set aside, or that
    another transaction has locked.
    """
    return DERIVED.by_key(await connection.fetch(_CLAIM_OUTDATED, version, *after, limit))


async def outdated_keys(pool: asyncpg.Pool, version: int, *, after: tuple[int, UUID], limit: int) -> list[UUID]:
    """Read the keys of the clocks that `claim_outdated` would lock, with those that another transaction has locked."""
    return [row["dossier_id"] for row in await pool.fetch(_OUTDATED_KEYS, version, *after, limit)]


# Skips rows that another transaction has locked. Examines each row once; the others are derived one by one.
_ADVANCE_UNAFFECTED = f"""
with seen as (
    select dossier_id, rules_digest = $3 and (
        received_at >= $5 or coalesce(state = 'running' and waiting_for is null and due_at < $4, false)
            and not changes @? '$[*] ? (@.kind == "extended")'
    ) as unaffected
    from dossiers where {OPEN} and calendar_version = $1 and dossier_id > $6
    order by dossier_id limit $7 for update skip locked
), advanced as (
    update dossiers set calendar_version = $2 from seen
    where dossiers.dossier_id = seen.dossier_id and seen.unaffected
    returning 1
)
select (select max(dossier_id::text) from seen) as last, (select count(*) from advanced) as advanced
"""


async def advance_unaffected(
    pool: asyncpg.Pool,
    version: int,
    to: int,
    rules_digest: str,
    *,
    due_before: datetime | None,
    received_from: datetime,
    after: UUID,
    limit: int,
) -> tuple[UUID | None, int]:
    """Set the calendar version `to` on open clocks that a change does not affect, without deriving them. Commits.

    Examines the next `limit` open clocks of `version` after the key `after`, in key order, and skips rows that another
    transaction has locked. Of those derived by the catalogue `rules_digest`, it advances the running clocks due before
    `due_before` that were never extended, and all clocks received at or after `received_from` (see
    `unaffected_clocks`).

    Returns the last key examined (None: no more rows) and the number of rows advanced.
    """
    row = await pool.fetchrow(_ADVANCE_UNAFFECTED, version, to, rules_digest, due_before, received_from, after, limit)
    assert row is not None  # an aggregate
    return (None if row["last"] is None else UUID(row["last"])), row["advanced"]


_ANY_OUTDATED = f"select exists (select from dossiers where {OPEN} and calendar_version < $1)"


async def any_outdated(pool: asyncpg.Pool, version: int) -> bool:
    """Whether any open clock was derived by an older calendar version than `version`."""
    return bool(await pool.fetchval(_ANY_OUTDATED, version))


_VERSION_IN_FORCE = "select coalesce(max(version), 0) from calendars where seed is not null"
_COUNT_OUTDATED = f"select count(*) from dossiers where {OPEN} and calendar_version < $1"


async def count_outdated(pool: asyncpg.Pool) -> int:
    """Count the open clocks that were derived by an older calendar version than the one in force."""
    return int(await pool.fetchval(_COUNT_OUTDATED, await pool.fetchval(_VERSION_IN_FORCE)))


# By the first entry of the index: for an existence test, the planner may read a table of millions instead.
_ANY_DUE = (
    "select coalesce((select min(next_threshold_at) from dossiers) <= greatest($1, (select now_at from clock)), false)"
)


async def any_due(pool: asyncpg.Pool, until: datetime) -> bool:
    """Whether any clock's next threshold has come by `until`, or by the time of a simulated clock if that is later."""
    return bool(await pool.fetchval(_ANY_DUE, until))


# Rows that cannot fire are excluded here, before the limit: a batch of them would starve the others.
_DUE = f"""
select dossier_id from dossiers
where next_threshold_at <= $1 and partition = any($2::integer[])
    and not coalesce((fences -> '{DOSSIERS_TOPIC.name}' ->> 2)::boolean, false)
    and {_NOT_SET_ASIDE}
order by next_threshold_at limit $3
"""

# Claims in key order, like every lock on dossiers. Skips rows that another transaction has locked.
_CLAIM_DUE = f"""
with due as ({_DUE})
select {", ".join(DERIVED.columns)} from dossiers
where dossier_id in (select dossier_id from due) and next_threshold_at <= $1
order by dossier_id for update skip locked
"""


async def claim_due(
    connection: Connection, until: datetime, partitions: Collection[int], limit: int
) -> dict[UUID, ClockRow]:
    """Lock and return at most `limit` clocks of these partitions whose next threshold is at or before `until`.

    Locks in key order. Skips rows that another transaction has locked or that are set aside, and dossiers with a
    quarantined record: that record may be the act that prevents the threshold.
    """
    return DERIVED.by_key(await connection.fetch(_CLAIM_DUE, until, list(partitions), limit))


async def due_keys(pool: asyncpg.Pool, until: datetime, partitions: Collection[int], limit: int) -> list[UUID]:
    """Read the keys of the clocks that `claim_due` would lock, with those that another transaction has locked."""
    return [row["dossier_id"] for row in await pool.fetch(_DUE, until, list(partitions), limit)]


_OTHER_RULES = f"""
select dossier_id from dossiers
where rules_digest is distinct from $1 and {OPEN}
    and dossier_id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid) and {_NOT_SET_ASIDE}
order by dossier_id limit $3
"""


async def derived_by_other_rules(
    pool: asyncpg.Pool, rules_digest: str, *, after: UUID | None, limit: int
) -> list[UUID]:
    """Read at most `limit` keys of open clocks that another catalogue derived, in key order, after the key `after`.

    `rules_digest` identifies the present catalogue. Leaves out rows that are set aside.
    """
    rows = await pool.fetch(_OTHER_RULES, rules_digest, after, limit)
    return [row["dossier_id"] for row in rows]


_WAITING = """
select dossier_id, procedure, department, state, received_at, waiting_for from dossiers
where waiting_for is not null and dossier_id > coalesce($1, '00000000-0000-0000-0000-000000000000'::uuid)
order by dossier_id limit $2
"""


async def waiting(pool: asyncpg.Pool, *, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """Read at most `limit` dossiers whose due date cannot be derived yet, in key order, after the key `after`."""
    return await pool.fetch(_WAITING, after, limit)


async def count_waiting(pool: asyncpg.Pool) -> int:
    """Count the dossiers whose due date cannot be derived yet."""
    return int(await pool.fetchval("select count(*) from dossiers where waiting_for is not null"))


async def find_clock(pool: asyncpg.Pool, dossier_id: UUID) -> ClockRow | None:
    """Read a dossier's row without a lock; None if the dossier is unknown. The dossier may not be received yet."""
    return await CLOCKS.read(pool, dossier_id)
