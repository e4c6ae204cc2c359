"""The topics of one service as it has written them, compared with Kafka: one writer, so both must agree.

A topic has one writer, the active relay of its service. It stores the end offset and the last event of each partition
in the transaction that deletes acknowledged rows from the outbox. A shorter log has lost acknowledged records. Further
records are copies of its own events whose acknowledgement was lost, or, with an unknown id, those of a commit that the
database has lost, or of another writer.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from shared.contracts.topics import Topic
from shared.kernel.errors import MotcuaError
from shared.messaging.offsets import EndOffsets, PartitionId
from shared.messaging.topic_log import cluster_id, read_event_ids

ENDS_SECONDS = 1.0
"""The end offsets of an idle relay's partitions are compared this often."""
RECORDS_SECONDS = 60.0
"""The last record of each partition, and the cluster, are compared this often."""


class LogDiffersError(MotcuaError):
    """Kafka's log differs from what this service has published. The message is the reason, for operators."""


@dataclass(frozen=True, slots=True)
class _Written:
    """The offset after the last acknowledged record of a partition, and the id of its event; None for an empty one."""

    end: int = 0
    last_id: UUID | None = None


_READ = "select topic, partition, end_offset, last_id from produced_offsets"
STORE_ENDS = (
    "insert into produced_offsets (topic, partition, end_offset, last_id) "
    "select * from unnest($1::text[], $2::integer[], $3::bigint[], $4::uuid[]) on conflict (topic, partition) "
    "do update set end_offset = excluded.end_offset, last_id = excluded.last_id"
)
STORE_AND_DELETE = f"with stored as ({STORE_ENDS}) delete from outbox where id = any($5::bigint[])"
"""Stores what `WrittenLog.accept` returns, and deletes outbox rows, in one statement."""
_UNKNOWN = "select id from unnest($1::uuid[]) as id where not exists (select from events e where e.id = id.id)"
_CLUSTER = (
    "update service_state set cluster_id = coalesce(cluster_id, $1) returning cluster_id"  # set at the first comparison
)


class WrittenLog:
    """The written ends of the partitions of `topics`, for one active relay. Call `compare` first and `close` last.

    `connection` is the relay's; the caller must not use it at the same time.
    """

    def __init__(self, connection: asyncpg.Connection, bootstrap: str, topics: Sequence[Topic]) -> None:
        self._connection = connection
        self._bootstrap = bootstrap
        self._ends = EndOffsets(bootstrap)
        self._partitions = [(topic.name, number) for topic in topics for number in range(topic.partitions)]
        self._written: dict[PartitionId, _Written] = {}
        self._interrupted = False
        self._ends_at = self._records_at = 0.0

    @property
    def interrupted(self) -> bool:
        """Whether the broker was away since the last comparison, so that offsets alone prove nothing."""
        return self._interrupted

    async def watch(self) -> None:
        """Notice, until cancelled, when the broker is away: it may come back without its last records."""
        probe = EndOffsets(self._bootstrap)
        try:
            while True:
                await asyncio.sleep(1)
                if not await probe.are_available(self._partitions):
                    self._interrupted = True
        finally:
            await probe.close()

    async def compare_if_due(self) -> None:
        """Compare the records after an outage or RECORDS_SECONDS, or the ends after ENDS_SECONDS. Raises as `compare`.

        Nothing that was sent may be unacknowledged.
        """
        now = time.monotonic()
        if self._interrupted or now - self._records_at > RECORDS_SECONDS:
            await self.compare()
        elif now - self._ends_at > ENDS_SECONDS:
            self._ends_at = now
            ends = await self._ends.read(self._partitions)
            if any(end != self._of(place).end for place, end in ends.items()):
                await self.compare()

    async def compare(self) -> None:
        """Compare cluster, ends and last records of all partitions with Kafka; store the ends of own further records.

        Raises LogDiffersError if they differ, StartError if the broker does not answer.
        """
        self._interrupted = False
        started = time.monotonic()
        cluster = await cluster_id(self._bootstrap)
        if (stored := await self._connection.fetchval(_CLUSTER, cluster)) != cluster:
            raise LogDiffersError(
                f"Kafka at {self._bootstrap} is cluster {cluster}, but this service publishes to cluster {stored}."
            )
        for row in await self._connection.fetch(_READ):
            self._written[row["topic"], row["partition"]] = _Written(row["end_offset"], row["last_id"])
        ends = await self._ends.read(self._partitions)
        for place, end in ends.items():
            self._require_end(place, end)
        spans = {place: (max(self._of(place).end - 1, 0), end) for place, end in ends.items() if end}
        ids = await read_event_ids(self._bootstrap, spans)
        further = {place: self._further(place, found) for place, found in ids.items()}
        await self._require_known(further)
        changed = {place: _Written(ends[place], UUID(found[-1])) for place, found in further.items() if found}
        self._written |= changed
        if changed:
            await self._connection.execute(STORE_ENDS, *self._columns(changed))
        self._ends_at = self._records_at = started

    async def accept(self, batches: Mapping[PartitionId, tuple[int, Sequence[UUID]]]) -> list[Sequence[object]]:
        """Compare acknowledged batches (base offset, event ids) with the written ends, and move these.

        Returns the first four parameters of STORE_AND_DELETE. Raises as `compare`.
        """
        bases = {place: base for place, (base, _) in batches.items()}
        if not self._interrupted and all(base == self._of(place).end for place, base in bases.items()):
            for place, (base, ids) in batches.items():
                self._written[place] = _Written(base + len(ids), ids[-1])
        else:
            for place, base in bases.items():
                if base >= 0:  # aiokafka does not know the offset of a batch that the broker had already
                    self._require_end(place, base)
            await self.compare()
        return self._columns({place: self._of(place) for place in batches})

    async def close(self) -> None:
        """Close the connections to Kafka."""
        await self._ends.close()

    def _of(self, place: PartitionId) -> _Written:
        return self._written.get(place, _Written())

    def _require_end(self, place: PartitionId, end: int) -> None:
        written = self._of(place).end
        if end < written:
            raise LogDiffersError(
                f"Kafka lost records of {place[0]} partition {place[1]}: offsets {end} to {written - 1} were "
                "acknowledged and are missing."
            )

    def _further(self, place: PartitionId, ids: Sequence[str]) -> Sequence[str]:
        """Return the ids of the records after the written end. Raises LogDiffersError if the last written one differs.

        `ids` begins with the last written record, if there is one.
        """
        written = self._of(place)
        if not written.end:
            return ids
        if ids[0] != str(written.last_id):
            raise LogDiffersError(
                f"Kafka's record at offset {written.end - 1} of {place[0]} partition {place[1]} is not the one that "
                "was acknowledged: records were lost, and others were written instead."
            )
        return ids[1:]

    async def _require_known(self, ids: Mapping[PartitionId, Sequence[str]]) -> None:
        for (topic, partition), found in ids.items():
            known = [UUID(each) for each in found if _is_uuid(each)]
            unknown = len(found) - len(known) + len(await self._connection.fetch(_UNKNOWN, known))
            if unknown:
                raise LogDiffersError(
                    f"{topic} partition {partition} has {unknown} records that this database does not know: it lost "
                    "a commit, or another system writes to the topic."
                )

    @staticmethod
    def _columns(written: Mapping[PartitionId, _Written]) -> list[Sequence[object]]:
        return [
            [topic for topic, _ in written],
            [partition for _, partition in written],
            [each.end for each in written.values()],
            [each.last_id for each in written.values()],
        ]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
