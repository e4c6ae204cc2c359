"""SQL of the sender: lease due messages, and lock messages for an update."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from services.notify.domain.message import Message
from services.notify.tables import MESSAGES
from shared.contracts.topics import DEADLINES
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.postgres.pool import Connection
from shared.postgres.set_aside import not_set_aside

_DUE = f"""
{not_set_aside("messages", "message_id")}
        and channel = $1 and next_step is not null and next_at <= clock_timestamp() and not_before <= $2
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
    """Return the partitions of the dossiers of up to `limit` due messages of a channel; None if no message is due.

    The set may be empty: messages to query or close, and dossiers with quarantined records, do not count. `now` is
    centre time.
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
    """Lease up to `limit` messages of a channel that are due at the centre time `now`, commit, and return them.

    A message to send is leased only if its dossier is in `partitions` and has no quarantined record; a message to query
    or close is leased in any case, unless it is set aside. No other sender gets a leased message until the lease ends.
    Each lease has a greater `lease_token`, the fencing token.
    """
    return MESSAGES.records(await pool.fetch(_LEASE, channel, now, limit, lease, list(partitions)))


_LOCK = f"""
select {", ".join(MESSAGES.columns)}, clock_timestamp() as machine_at
from messages where message_id = any($1::uuid[]) order by message_id for update
"""


async def lock_messages(connection: Connection, message_ids: Collection[UUID]) -> dict[UUID, tuple[Message, datetime]]:
    """Lock and return the messages by id; unknown ids are missing. The caller must have locked their dossiers before.

    Each comes with the machine time of the database's clock, which all senders share, for leases and retries.
    """
    rows = await connection.fetch(_LOCK, list(message_ids))
    return {
        row["message_id"]: (message, row["machine_at"])
        for row, message in zip(rows, MESSAGES.records(rows), strict=True)
    }


_DOSSIERS_OF = "select message_id, dossier_id from messages where message_id = any($1::uuid[])"


async def dossiers_of(pool: asyncpg.Pool, message_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Map each existing message id to its dossier id. Reads without a lock, because the assignment never changes."""
    rows = await pool.fetch(_DOSSIERS_OF, list(message_ids))
    return {row["message_id"]: row["dossier_id"] for row in rows}
