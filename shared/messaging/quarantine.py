"""The quarantine table: records that are parked or blocked, and the decisions that operators request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from uuid import UUID

import asyncpg

from shared.contracts.topics import TOPICS
from shared.kernel.errors import NotDecidableError, RecordNotQuarantinedError
from shared.messaging.records import Record
from shared.postgres.pool import Connection

Reason = Literal["parked", "gap", "fork", "behind", "unreadable"]
REASONS: tuple[Reason, ...] = get_args(Reason)
OperatorDecision = Literal["replay", "discard"]
NEEDS_DECISION = "reason in ('parked', 'fork', 'unreadable')"
"""SQL condition: the records that need an operator's decision. The others are released automatically."""


@dataclass(frozen=True, slots=True)
class QuarantinedRecord:
    """A row of the quarantine table: a record, why it is quarantined, and the decision that an operator requests.

    `request` is None until an operator requests a decision.
    """

    record: Record
    reason: Reason
    detail: str
    request: OperatorDecision | None = None

    @property
    def blocks(self) -> bool:
        """Whether later records of the same key and topic are blocked until an operator decides on this one.

        True for parked records and forks; false for gaps, and for unreadable records, whose key is unknown.
        """
        return self.reason in ("parked", "fork")


_COLUMNS = 'topic, partition, "offset", key, sequence, epoch, id, type, version, value, reason, detail'


def _from_row(row: asyncpg.Record) -> QuarantinedRecord:
    topic = TOPICS.get(row["topic"])
    key: Any = UUID(row["key"]) if topic and topic.key == "dossier" and row["reason"] != "unreadable" else row["key"]
    record = Record(
        row["topic"],
        row["partition"],
        row["offset"],
        key,
        row["sequence"],
        row["epoch"],
        row["id"],
        row["type"],
        row["version"],
        row["value"],
    )
    return QuarantinedRecord(record, row["reason"], row["detail"], row["request"])


async def load(connection: Connection, topic: str, keys: Sequence[Any]) -> list[QuarantinedRecord]:
    """Return the quarantined records of `keys` on `topic`, in offset order, without unreadable ones.

    Call it after the rows of `keys` are locked: an earlier snapshot could miss what another transaction committed.
    """
    if not keys:
        return []
    rows = await connection.fetch(
        f"select {_COLUMNS}, request from quarantined_records "
        "where topic = $1 and key = any($2::text[]) and reason <> 'unreadable' order by \"offset\"",
        topic,
        [str(key) for key in keys],
    )
    return [_from_row(row) for row in rows]


async def save(connection: Connection, quarantined: Iterable[QuarantinedRecord]) -> None:
    """Insert or update quarantined records.

    For an existing record, replace reason and detail and delete the operator's request.
    """
    rows = [
        (
            item.record.topic,
            item.record.partition,
            item.record.offset,
            str(item.record.key),
            item.record.sequence,
            item.record.epoch,
            item.record.id,
            item.record.type,
            item.record.version,
            item.record.value,
            item.reason,
            item.detail.replace("\0", "\ufffd")[:2000],
        )
        for item in quarantined
    ]
    if rows:
        await connection.executemany(
            f"insert into quarantined_records ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
            'on conflict (topic, partition, "offset") do update '
            "set reason = excluded.reason, detail = excluded.detail, request = null",
            rows,
        )


async def remove(connection: Connection, quarantined: Iterable[QuarantinedRecord]) -> None:
    """Delete records from the quarantine table; ignore those that are not in it."""
    rows = [(item.record.topic, item.record.partition, item.record.offset) for item in quarantined]
    if rows:
        await connection.executemany(
            'delete from quarantined_records where topic = $1 and partition = $2 and "offset" = $3', rows
        )


async def requested(connection: Connection, topic: str, partition: int) -> QuarantinedRecord | None:
    """Return the first record, by offset, of a partition for which an operator requests a decision; None if none."""
    row = await connection.fetchrow(
        f"select {_COLUMNS}, request from quarantined_records "
        'where topic = $1 and partition = $2 and request is not null order by "offset" limit 1',
        topic,
        partition,
    )
    return _from_row(row) if row else None


async def find(connection: Connection, topic: str, partition: int, offset: int) -> QuarantinedRecord | None:
    """Return the quarantined record at a topic, partition and offset; None if none is quarantined there."""
    row = await connection.fetchrow(
        f'select {_COLUMNS}, request from quarantined_records where topic = $1 and partition = $2 and "offset" = $3',
        topic,
        partition,
        offset,
    )
    return _from_row(row) if row else None


async def list_all(connection: Connection, *, limit: int = 200) -> list[asyncpg.Record]:
    """Return up to `limit` rows of the quarantine table for operators, with their age in `age_seconds`.

    Records that need a decision come first, each group with the oldest first.
    """
    return await connection.fetch(
        'select topic, partition, "offset", key, sequence, epoch, type, reason, detail, request, '
        "extract(epoch from now() - quarantined_at)::bigint as age_seconds from quarantined_records "
        f"order by not {NEEDS_DECISION}, quarantined_at limit $1",
        limit,
    )


_REQUEST = (
    "update quarantined_records set request = $4, requested_by = $5, requested_at = now() "
    'where topic = $1 and partition = $2 and "offset" = $3 '
    "and (reason in ('parked', 'fork') or reason = 'unreadable' and $4 = 'discard') returning true"
)


async def request(
    connection: Connection, topic: str, partition: int, offset: int, decision: OperatorDecision, *, by: str
) -> None:
    """Store an operator's request to replay or discard a quarantined record. The consumer executes it soon afterwards.

    Raises RecordNotQuarantinedError if the record is not quarantined. Raises NotDecidableError for a record that is
    blocked by another one or by a gap, and for the replay of an unreadable one. Commits unless a transaction is open.
    """
    if await connection.fetchval(_REQUEST, topic, partition, offset, decision, by) is not None:
        return
    quarantined = await find(connection, topic, partition, offset)
    where = f"{topic} partition {partition} offset {offset}"
    if quarantined is None:
        raise RecordNotQuarantinedError(where=where)
    if quarantined.reason in ("gap", "behind"):
        raise NotDecidableError(
            f"The record at {where} is blocked ({quarantined.reason}): {quarantined.detail}. "
            "Decide about the record that blocks it."
        )
    raise NotDecidableError(f"The record at {where} is unreadable. Discard it.", allowed=["discard"])
