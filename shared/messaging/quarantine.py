"""The quarantine table: records that wait for a predecessor or for an operator, and the operator's requests."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

import asyncpg

from shared.contracts.topics import TOPICS
from shared.kernel.errors import ExpectedError
from shared.messaging.records import Record
from shared.postgres.pool import Connection

Reason = Literal["parked", "gap", "fork", "behind", "unreadable"]
OperatorDecision = Literal["replay", "discard"]
NEEDS_DECISION = "reason in ('parked', 'fork', 'unreadable')"
"""Of which records an operator decides, in SQL; the others follow by themselves."""


@dataclass(frozen=True, slots=True)
class QuarantinedRecord:
    """A record in the table, why it waits, and what an operator asks for."""

    record: Record
    reason: Reason
    detail: str
    request: OperatorDecision | None = None

    @property
    def blocks(self) -> bool:
        """Whether later records of the dossier on this topic wait for an operator's word on this one."""
        return self.reason in ("parked", "fork")

    def because(self, reason: Reason, detail: str) -> "QuarantinedRecord":
        """The same record, waiting for another reason."""
        return replace(self, reason=reason, detail=detail)


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
    """The quarantined records of `keys` on `topic`, in offset order; read after the rows' locks, in a statement of
    its own."""
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
    """Keep records, or the new reason why they wait."""
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
    """Records that took effect or were discarded."""
    rows = [(item.record.topic, item.record.partition, item.record.offset) for item in quarantined]
    if rows:
        await connection.executemany(
            'delete from quarantined_records where topic = $1 and partition = $2 and "offset" = $3', rows
        )


async def requested(connection: Connection, topic: str, partition: int) -> QuarantinedRecord | None:
    """The oldest record of the partition that an operator decided about."""
    row = await connection.fetchrow(
        f"select {_COLUMNS}, request from quarantined_records "
        'where topic = $1 and partition = $2 and request is not null order by "offset" limit 1',
        topic,
        partition,
    )
    return _from_row(row) if row else None


async def find(connection: Connection, topic: str, partition: int, offset: int) -> QuarantinedRecord | None:
    """One quarantined record, by its place."""
    row = await connection.fetchrow(
        f'select {_COLUMNS}, request from quarantined_records where topic = $1 and partition = $2 and "offset" = $3',
        topic,
        partition,
        offset,
    )
    return _from_row(row) if row else None


async def list_all(connection: Connection, *, limit: int = 200) -> list[asyncpg.Record]:
    """What waits, blocking records first, with age in seconds (`age_seconds`); for operators."""
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
    """Ask for a replay or a discard; the consumer executes it under the fence's lock, usually within seconds.

    Raises Refusal when there is no such record, or when it only waits behind another.
    """
    asked = await connection.fetchval(_REQUEST, topic, partition, offset, decision, by)
    if asked is not None:
        return
    quarantined = await find(connection, topic, partition, offset)
    where = f"{topic} partition {partition} offset {offset}"
    if quarantined is None:
        raise ExpectedError(
            "record-not-quarantined", f"no quarantined record at {where}: it may have been executed already", status=404
        )
    if quarantined.reason in ("gap", "behind"):
        raise ExpectedError(
            "not-decidable",
            f"the record at {where} waits ({quarantined.reason}): {quarantined.detail}. Decide about what blocks it",
        )
    raise ExpectedError(
        "not-decidable", f"the record at {where} cannot be read by anybody: discard it", allowed=["discard"]
    )
