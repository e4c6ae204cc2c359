"""Alarms of the consumer: partitions that stopped because of their content, and quarantined records."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg
import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.kernel.errors import MotcuaError, public_text
from shared.messaging import metrics
from shared.messaging.quarantine import REASONS
from shared.postgres.errors import is_fault_of_content
from shared.postgres.pool import end_frozen_sessions

log = structlog.get_logger()

GAP_ALARM_SECONDS = 60
STOPPED_ALARM_SECONDS = 60.0

PARTITION_STOPPED = "partition_stopped"
RECORDS_QUARANTINED = "records_quarantined"
FROZEN_SESSIONS_ENDED = "frozen_sessions_ended"

_STORE_REASON = "update stored_offsets set stopped = $4 where consumer_group = $1 and topic = $2 and partition = $3"
_QUARANTINED = (
    "select reason, count(*) as n, extract(epoch from now() - min(quarantined_at)) as age "
    "from quarantined_records group by 1"
)


def stops_alone(error: BaseException) -> bool:
    """Whether an error that ended a partition concerns that partition only, so that the others continue.

    True for an event version of a later release, lost records, too many parked dossiers, a row that cannot be read, and
    any other fault of the content or of the code that handles it. False for errors of the database or broker as a
    whole, such as a missing table: they would stop every partition, and the process ends with the reason.
    """
    return not isinstance(error, KafkaError) and is_fault_of_content(error)


class StoppedPartitions:
    """The partitions of one consumer that stopped, with the reasons.

    A stopped partition stays assigned, so that no other replica repeats the failure, and is retried at the next start.
    Its reason is stored with its offset: no replica regards the partition as caught up.
    """

    def __init__(self, group: str, pool: asyncpg.Pool) -> None:
        self._group = group
        self._pool = pool
        self._reasons: dict[TopicPartition, str] = {}
        self._alarm_at = 0.0

    def __contains__(self, tp: object) -> bool:
        return tp in self._reasons

    @property
    def reasons(self) -> Mapping[str, str]:
        """The reason for each stopped partition, by topic/partition."""
        return {f"{tp.topic}/{tp.partition}": reason for tp, reason in sorted(self._reasons.items())}

    def add(self, tp: TopicPartition, position: int, error: BaseException) -> None:
        """Record and log that a partition stopped before the offset `position`."""
        why = public_text(error)
        self._reasons[tp] = f"stopped at offset {position}: {why}" if position >= 0 else f"stopped: {why}"
        metrics.STOPPED.labels(tp.topic, tp.partition).set(1)
        unexpected = None if isinstance(error, MotcuaError) else error
        log.error(PARTITION_STOPPED, topic=tp.topic, partition=tp.partition, reason=why, exc_info=unexpected)
        self._alarm_at = time.monotonic() + STOPPED_ALARM_SECONDS

    def discard(self, tps: Iterable[TopicPartition]) -> None:
        """Forget partitions that another replica may own now; it finds out itself whether it can continue."""
        for tp in tps:
            if self._reasons.pop(tp, None) is not None:
                metrics.STOPPED.remove(tp.topic, str(tp.partition))

    async def report(self, stored: Mapping[TopicPartition, str | None]) -> None:
        """Correct the reasons `stored` with the offsets of the owned partitions. Commits.

        Log the reasons again every STOPPED_ALARM_SECONDS.
        """
        for tp, reason in stored.items():
            if reason != self._reasons.get(tp):
                await self._pool.execute(_STORE_REASON, self._group, tp.topic, tp.partition, self._reasons.get(tp))
        if self._reasons and time.monotonic() >= self._alarm_at:
            self._alarm_at = time.monotonic() + STOPPED_ALARM_SECONDS
            for tp, reason in sorted(self._reasons.items()):
                log.error(PARTITION_STOPPED, topic=tp.topic, partition=tp.partition, reason=reason)


async def inspect_database(pool: asyncpg.Pool) -> None:
    """Count and log the quarantined records, and end the database sessions of frozen replicas."""
    async with pool.acquire() as connection:
        rows: list[Any] = await connection.fetch(_QUARANTINED)
        if ended := await end_frozen_sessions(connection):
            log.error(FROZEN_SESSIONS_ENDED, sessions=ended)
    counts = {row["reason"]: row["n"] for row in rows}
    for reason in REASONS:
        metrics.QUARANTINED.labels(reason).set(counts.get(reason, 0))
    for row in rows:
        if row["reason"] != "gap" or row["age"] > GAP_ALARM_SECONDS:
            log.error(RECORDS_QUARANTINED, reason=row["reason"], records=row["n"], oldest_seconds=int(row["age"]))
