"""Read the stored offsets, outboxes and quarantined records of the services from the database.

The role of ops may read these columns and nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

GroupPartition = tuple[str, str, int]
"""A consumer group, a topic and one of its partitions."""

StoredOffset = tuple[int, datetime | None]
"""The next offset to apply, and when it last changed."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The number of records that a service quarantined for one reason (parked, gap, fork, ...), and since when.

    `oldest_at` is the machine time of the oldest quarantine.
    """

    records: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """Backlog of one service: `outbox` events that Kafka has not acknowledged, and quarantined records by reason.

    `outbox_oldest_at` is the machine time at which the oldest event entered the outbox; None if it is empty.
    """

    outbox: int = 0
    outbox_oldest_at: datetime | None = None
    quarantined: Mapping[str, Quarantined] = field(default_factory=dict)


_PRESENT = "select s from unnest($1::text[]) s where to_regclass(quote_ident(s) || '.stored_offsets') is not null"
_OFFSETS = "select consumer_group, topic, partition, next_offset, moved_at from {}.stored_offsets"
_OUTBOX = "select '{0}', count(*), (select queued_at from {0}.outbox order by id limit 1) from {0}.outbox"
_QUARANTINED = "select '{0}', reason, count(*), min(quarantined_at) from {0}.quarantined_records group by reason"


async def load_backlogs(
    connection: asyncpg.Connection, services: Sequence[str]
) -> tuple[dict[GroupPartition, StoredOffset], dict[str, Backlog]]:
    """Return the stored offsets of every consumer group, and the backlog of every service by name.

    A service whose schema does not exist yet is absent. Raises asyncpg errors.
    """
    present = [row[0] for row in await connection.fetch(_PRESENT, list(services))]
    if not present:
        return {}, {}
    offsets = await connection.fetch(" union all ".join(_OFFSETS.format(service) for service in present))
    outboxes = await connection.fetch(" union all ".join(_OUTBOX.format(service) for service in present))
    reasons = await connection.fetch(" union all ".join(_QUARANTINED.format(service) for service in present))
    quarantined: dict[str, dict[str, Quarantined]] = {}
    for service, reason, records, oldest_at in reasons:
        quarantined.setdefault(service, {})[reason] = Quarantined(records, oldest_at)
    return (
        {(group, topic, number): (next_offset, moved_at) for group, topic, number, next_offset, moved_at in offsets},
        {name: Backlog(count, oldest_at, quarantined.get(name, {})) for name, count, oldest_at in outboxes},
    )
