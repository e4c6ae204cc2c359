"""Rows and records of notify, and the claim by which a sender leases messages."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import asyncpg

from services.notify.domain.planning import Known
from shared.contracts.topics import DEADLINES
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.postgres.pool import Connection
from shared.postgres.rows import RecordTable, Row, Table


@dataclass(kw_only=True)
class DossierRow(Known, Row):
    """One dossier: the fences, what is known of it, and the competent department (whose officers may look)."""

    department: str | None = None


DOSSIERS = Table(
    DossierRow,
    name="dossiers",
    columns={
        "heard": "bigint",
        "state": "text",
        "state_since": "bigint",
        "code": "text",
        "department": "text",
        "submitted_at": "timestamptz",
        "reach": "jsonb",
        "received": "jsonb",
        "received_told": "boolean",
        "result_arrived": "boolean",
        "result_told": "boolean",
        "paused": "boolean",
        "due_at": "timestamptz",
        "early": "jsonb",
        "place": "jsonb",
        "course": "jsonb",
    },
)

State = Literal["planned", "sent", "delivered", "failed", "unknown", "dropped"]


@dataclass(slots=True, kw_only=True)
class Message:
    """A plan and what became of it; the columns are explained in the migration."""

    message_id: UUID
    dossier_id: UUID
    dossier_sequence: int
    moment: str
    channel: Literal["sms", "email", "none"]
    template: str
    template_version: int
    content: dict[str, Any]
    planned_event: UUID
    correlation: str
    planned_at: datetime
    not_before: datetime
    expires_at: datetime
    next_at: datetime
    place: dict[str, Any] | None = None
    state: State = "planned"
    reason: str | None = None
    next_step: Literal["send", "ask", "answer"] | None = "send"
    attempts: int = 0
    in_doubt: bool = False
    doubled: bool = False
    parts: int = 1
    reference: str | None = None
    leased_until: datetime | None = None
    claims: int = 0

    @property
    def due_at(self) -> datetime | None:
        """The due date that it names, if it names one."""
        due_at = self.content.get("due_at")
        return datetime.fromisoformat(due_at) if due_at else None


MESSAGES = RecordTable(
    Message,
    name="messages",
    key="message_id",
    columns={
        "message_id": "uuid",
        "dossier_id": "uuid",
        "dossier_sequence": "bigint",
        "moment": "text",
        "channel": "text",
        "template": "text",
        "template_version": "integer",
        "content": "jsonb",
        "planned_event": "uuid",
        "correlation": "text",
        "planned_at": "timestamptz",
        "not_before": "timestamptz",
        "expires_at": "timestamptz",
        "next_at": "timestamptz",
        "place": "jsonb",
        "state": "text",
        "reason": "text",
        "next_step": "text",
        "attempts": "integer",
        "in_doubt": "boolean",
        "doubled": "boolean",
        "parts": "integer",
        "reference": "text",
        "leased_until": "timestamptz",
        "claims": "bigint",
    },
    fixed={
        "dossier_id",
        "dossier_sequence",
        "moment",
        "channel",
        "template",
        "template_version",
        "content",
        "planned_event",
        "correlation",
        "planned_at",
        "not_before",
        "expires_at",
    },
)

_DUE = """
channel = $1 and next_step is not null and next_at <= clock_timestamp() and not_before <= $2
        and (leased_until is null or leased_until <= clock_timestamp())
"""
_NOTHING_HELD = f"""
not coalesce((fences -> '{DOSSIERS_TOPIC.name}' ->> 2)::boolean, false)
            and not coalesce((fences -> '{DEADLINES.name}' ->> 2)::boolean, false)
"""

# Of some that are due, without an order: a backlog need not be sorted to see that it is one.
_PARTITIONS_DUE = f"""
with due as (select dossier_id, next_step from messages where {_DUE} limit $3)
select distinct case when next_step = 'send' and {_NOTHING_HELD} then partition end as partition
from due join dossiers using (dossier_id)
"""

# Oldest first; what another sender holds is skipped, not waited for. The lease and its end are machine time, the
# database's, which all senders share; only `not_before` is centre time. A message may go only while everything on Kafka
# about its dossier has been heard: what has not been read, or is quarantined, may be the state that overtakes it.
# What was handed to a provider already is asked about, and closed, in any case.
_CLAIM = f"""
with due as (
    select message_id from messages join dossiers using (dossier_id)
    where {_DUE} and (next_step <> 'send' or partition = any($5::integer[]) and {_NOTHING_HELD})
    order by next_at
    limit $3
    for update of messages skip locked
)
update messages set leased_until = clock_timestamp() + $4, claims = claims + 1
from due where messages.message_id = due.message_id
returning {", ".join(f"messages.{column}" for column in MESSAGES.columns)}
"""


async def partitions_due(pool: asyncpg.Pool, *, channel: str, now: datetime, limit: int) -> frozenset[int] | None:
    """The partitions of the dossiers of up to `limit` messages that a channel has to send at the centre time `now`,
    with nothing quarantined.

    None where nothing is due at all; empty where what was looked at is not to be sent now, or not to be sent.
    """
    rows = await pool.fetch(_PARTITIONS_DUE, channel, now, limit)
    return frozenset(row["partition"] for row in rows if row["partition"] is not None) if rows else None


async def claim(
    pool: asyncpg.Pool, *, channel: str, now: datetime, limit: int, lease: timedelta, partitions: Collection[int]
) -> Sequence[Message]:
    """Lease up to `limit` messages of a channel that are due at the centre time `now`; commits.

    To be sent are those of dossiers in `partitions` alone, with nothing quarantined. Nobody else gets them until
    the lease ends, and each carries its `claims` as a token.
    """
    return MESSAGES.records(await pool.fetch(_CLAIM, channel, now, limit, lease, list(partitions)))


_LOCK = f"""
select {", ".join(MESSAGES.columns)}, clock_timestamp() as machine_at
from messages where message_id = any($1::uuid[]) order by message_id for update
"""


async def lock_messages(connection: Connection, message_ids: Collection[UUID]) -> dict[UUID, tuple[Message, datetime]]:
    """Lock and read the messages that exist, in the order of their ids, after their dossiers.

    With machine time by the database's clock, which all senders share: for leases and for when to try again.
    """
    rows = await connection.fetch(_LOCK, list(message_ids))
    return {
        row["message_id"]: (message, row["machine_at"])
        for row, message in zip(rows, MESSAGES.records(rows), strict=True)
    }


async def dossiers_of(pool: asyncpg.Pool, message_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Which dossier each of these messages is about; those that do not exist are absent. It never changes."""
    rows = await pool.fetch(
        "select message_id, dossier_id from messages where message_id = any($1::uuid[])", list(message_ids)
    )
    return {row["message_id"]: row["dossier_id"] for row in rows}


_LIST = """
select m.message_id, m.dossier_id, d.code, m.dossier_sequence, m.moment, m.channel, m.template, m.template_version,
    m.state, m.reason, m.attempts, m.parts, m.doubled, m.planned_at, m.expires_at
from messages m join dossiers d using (dossier_id)
where ($1::uuid is null or m.dossier_id = $1) and ($2::text is null or m.state = $2)
    and ($3::text is null or m.reason = $3) and ($4::uuid is null or m.message_id > $4)
    and ($5::text is null or d.department = $5)
"""


async def list_messages(
    pool: asyncpg.Pool,
    *,
    dossier_id: UUID | None = None,
    state: str | None = None,
    reason: str | None = None,
    after: UUID | None = None,
    department: str | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """Messages that fit every filter given: a dossier's by the event told, others by id."""
    order = "m.message_id" if dossier_id is None else "m.dossier_sequence, m.planned_at, m.message_id"
    query = f"{_LIST} order by {order} limit $6"
    rows = await pool.fetch(query, dossier_id, state, reason, after, department, limit)
    return [dict(row) for row in rows]
