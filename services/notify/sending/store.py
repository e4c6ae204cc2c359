"""SQL of the sender: leasing due messages, and locking messages for an update."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.notify.domain.message import Message
from services.notify.tables import MESSAGES
from shared.contracts.topics import DEADLINES
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.postgres.pool import Connection

_DUE = """
channel = $1 and next_step is not null and next_at <= clock_timestamp() and not_before <= $2
        and (leased_until is null or leased_until <= clock_timestamp())
"""
_NOTHING_QUARANTINED = f"""
not coalesce((fences -> '{DOSSIERS_TOPIC.name}' ->> 2)::boolean, false)
            and not coalesce((fences -> '{DEADLINES.name}' ->> 2)::boolean, false)
"""

# Partitions of up to $3 due messages, in no order: to detect a backlog, it need not be sorted.
_DUE_PARTITIONS = f"""
with due as (select dossier_id, next_step from messages where {_DUE} limit $3)
select distinct case when next_step = 'send' and {_NOTHING_QUARANTINED} then partition end as partition
from due join dossiers using (dossier_id)
"""


async def due_partitions(pool: asyncpg.Pool, *, channel: str, now: datetime, limit: int) -> frozenset[int] | None:
    """The partitions of the dossiers, without quarantined records, of up to `limit` due messages of a channel.

    `now` is centre time. None if no message is due; empty if none of the due messages can be sent now.
    """
    rows = await pool.fetch(_DUE_PARTITIONS, channel, now, limit)
    return frozenset(row["partition"] for row in rows if row["partition"] is not None) if rows else None


# Oldest first; rows that another sender has locked are skipped. Leases are machine time, by the database's clock, which
# all senders share; only `not_before` is centre time. A message is sent only if every event of its dossier on Kafka has
# been handled: an unread or quarantined event may be the one that overtakes it. A message that the provider may have is
# queried or closed in any case.
_LEASE = f"""
with due as (
    select message_id from messages join dossiers using (dossier_id)
    where {_DUE} and (next_step <> 'send' or partition = any($5::integer[]) and {_NOTHING_QUARANTINED})
    order by next_at
    limit $3
    for update of messages skip locked
)
update messages set leased_until = clock_timestamp() + $4, lease_token = lease_token + 1
from due where messages.message_id = due.message_id
returning {", ".join(f"messages.{column}" for column in MESSAGES.columns)}
"""


async def lease_due(
    pool: asyncpg.Pool, *, channel: str, now: datetime, limit: int, lease: timedelta, partitions: Collection[int]
) -> Sequence[Message]:
    """Lease up to `limit` messages of a channel that are due at the centre time `now`; commits.

    Messages to send are limited to dossiers in `partitions` without quarantined records. No other sender gets a leased
    message until the lease ends. `lease_token` is the fencing token of the lease.
    """
    return MESSAGES.records(await pool.fetch(_LEASE, channel, now, limit, lease, list(partitions)))


_LOCK = f"""
select {", ".join(MESSAGES.columns)}, clock_timestamp() as machine_at
from messages where message_id = any($1::uuid[]) order by message_id for update
"""


async def lock_messages(connection: Connection, message_ids: Collection[UUID]) -> dict[UUID, tuple[Message, datetime]]:
    """Lock and read the messages that exist, in the order of their ids. Lock their dossiers first.

    Each comes with machine time by the database's clock, which all senders share, for leases and retries.
    """
    rows = await connection.fetch(_LOCK, list(message_ids))
    return {
        row["message_id"]: (message, row["machine_at"])
        for row, message in zip(rows, MESSAGES.records(rows), strict=True)
    }


_DOSSIERS_OF = "select message_id, dossier_id from messages where message_id = any($1::uuid[])"


async def dossiers_of(pool: asyncpg.Pool, message_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The dossier of each of these messages that exists. It never changes, so no lock is needed."""
    rows = await pool.fetch(_DOSSIERS_OF, list(message_ids))
    return {row["message_id"]: row["dossier_id"] for row in rows}
