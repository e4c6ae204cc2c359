"""Repair of a log that lost records: find the lost events, queue them again, and have readers read from the start.

A reader drops what it has applied by its fence, so reading a partition again is safe; no smaller step back is, because
a log can be cut again, and filled by a late request, before the repair.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from uuid import UUID

import asyncpg

from shared.contracts.topics import Topic
from shared.kernel.errors import MotcuaError
from shared.messaging.offsets import PartitionId
from shared.messaging.relay import LOCK, partition_of
from shared.messaging.topic_log import cluster_id, read_topic
from shared.messaging.written_log import STORE_ENDS
from shared.postgres.pool import connect

LOCK_SECONDS = 10.0
"""A halted relay holds the lock for a moment only, so it is free within this time."""

_READERS = (
    "select topic, partition, next_offset, last_id from stored_offsets "
    "where consumer_group = $1 and topic = any($2::text[])"
)
_LOST = (
    "select e.id, e.topic, e.key from events e where e.topic = any($1) "
    "and not exists (select from on_kafka k where k.id = e.id) "
    "and not exists (select from outbox o where o.event_id = e.id) order by e.epoch, e.sequence, e.id"
)
_UNKNOWN = "select count(*) from on_kafka k where k.id is null or not exists (select from events e where e.id = k.id)"
# before every other row: a later event of the same dossier may be queued already
_QUEUE = (
    "insert into outbox (id, event_id) overriding system value "
    "select least((select min(id) from outbox), 1) - cardinality($1::uuid[]) + place - 1, id "
    "from unnest($1::uuid[]) with ordinality as lost (id, place)"
)
_RESET = (
    "update stored_offsets set next_offset = 0, last_id = null, stopped = null, moved_at = clock_timestamp() "
    "where consumer_group = $1 and topic = $2 and partition = $3"
)
_RELEASE = "delete from quarantined_records where topic = $1 and partition = $2"


class RepairRefusedError(MotcuaError):
    """The log cannot be repaired in this way. The message is the reason and what to do."""


@dataclass(frozen=True, slots=True)
class ReaderGroup:
    """A consumer group of the topics, and the schema and address of its stored offsets."""

    name: str
    schema: str
    url: str


@dataclass(frozen=True, slots=True)
class Reader:
    """A partition of a reader that must be read again: its last applied record, or others, are not on Kafka."""

    group: str
    place: PartitionId
    next_offset: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a repair would do: why the service is halted, the events to publish again, and the readers to reset."""

    halted: str | None
    lost: Sequence[UUID]
    readers: Sequence[Reader]

    @property
    def is_empty(self) -> bool:
        """Whether the log needs no repair."""
        return self.halted is None and not self.lost and not self.readers


@dataclass(slots=True)
class _Log:
    """One partition on Kafka: its end, the last event, and the ids at the offsets of interest."""

    end: int = 0
    last_id: UUID | None = None
    at: dict[int, str] = field(default_factory=dict)


class LogRepair:
    """The repair of `topics`, which `service` writes. Use it as an async context manager; `plan`, then `execute`.

    The centre may run: while the service is halted, nothing can publish. `url` is the address of the service's schema.
    """

    def __init__(
        self, service: str, topics: Sequence[Topic], *, bootstrap: str, url: str, readers: Sequence[ReaderGroup]
    ) -> None:
        self._service = service
        self._topics = topics
        self._bootstrap = bootstrap
        self._url = url
        self._groups = readers
        self._stack = AsyncExitStack()
        self._connections: dict[str, asyncpg.Connection] = {}
        self._logs: dict[PartitionId, _Log] = {}

    async def __aenter__(self) -> Self:
        """Connect to the databases of the service and its readers."""
        self._own = await self._connect(self._url, self._service)
        for group in self._groups:
            self._connections[group.name] = await self._connect(group.url, group.schema)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections, and so release the relay's lock."""
        await self._stack.aclose()

    async def plan(self) -> Plan:
        """Read Kafka and the databases, and return what to do; changes nothing. Takes the relay's lock if it is free.

        Raises RepairRefusedError for another cluster, for records that the database does not know, and if events are
        lost while a relay is active; StartError if Kafka does not answer.
        """
        own = self._own
        state = await own.fetchrow("select cluster_id, halted from service_state")
        assert state is not None, "the migration inserts the row"
        cluster = await cluster_id(self._bootstrap)
        if state["cluster_id"] not in (None, cluster):
            raise RepairRefusedError(
                f"Kafka at {self._bootstrap} is cluster {cluster}, but {self._service} publishes to cluster "
                f"{state['cluster_id']}. Correct the address; a log of another cluster is never repaired."
            )
        locked = await self._lock(own)
        names = [topic.name for topic in self._topics]
        readers = [
            (group, row)
            for group, connection in self._connections.items()
            for row in await connection.fetch(_READERS, group, names)
        ]
        written = {(row["topic"], row["partition"]): row for row in await own.fetch("select * from produced_offsets")}
        wanted = {(row["topic"], row["partition"], row["next_offset"] - 1) for _, row in readers}
        wanted |= {(*place, row["end_offset"] - 1) for place, row in written.items()}
        await self._read_logs(own, wanted)
        if unknown := await own.fetchval(_UNKNOWN):
            raise RepairRefusedError(
                f"Kafka has {unknown} records of {self._service} that its database does not know. The database lost a "
                "commit, or another system writes to the topics: this command cannot repair that."
            )
        lost = await own.fetch(_LOST, names) if locked else []
        counts = {topic.name: topic.partitions for topic in self._topics}
        damaged = {(row["topic"], partition_of(row["key"].encode(), counts[row["topic"]])) for row in lost}
        damaged |= {place for place, row in written.items() if self._differs(place, row["end_offset"], row["last_id"])}
        return Plan(
            halted=state["halted"],
            lost=[row["id"] for row in lost],
            readers=[
                Reader(group, (row["topic"], row["partition"]), row["next_offset"])
                for group, row in readers
                if row["next_offset"]
                and (
                    (row["topic"], row["partition"]) in damaged
                    or self._differs((row["topic"], row["partition"]), row["next_offset"], row["last_id"])
                )
            ],
        )

    async def execute(self, plan: Plan) -> None:
        """Reset the readers, then queue the lost events and end the halt. Commits; may be run again after a failure."""
        for reader in plan.readers:
            connection = self._connections[reader.group]
            async with connection.transaction():
                await connection.execute(_RESET, reader.group, *reader.place)
                await connection.execute(_RELEASE, *reader.place)
        own = self._own
        if plan.halted is None and not plan.lost:
            return
        async with own.transaction():
            await own.execute("update service_state set halted = null, halted_at = null")
            await own.execute(_QUEUE, list(plan.lost))
            places = list(self._logs)
            await own.execute(
                STORE_ENDS,
                [topic for topic, _ in places],
                [partition for _, partition in places],
                [self._logs[place].end for place in places],
                [self._logs[place].last_id for place in places],
            )

    async def _connect(self, url: str, schema: str) -> asyncpg.Connection:
        connection = await connect(url, schema)
        self._stack.push_async_callback(connection.close)
        return connection

    async def _lock(self, connection: asyncpg.Connection) -> bool:
        """Take the relay's lock; return False if an active relay has it."""
        for _ in range(int(LOCK_SECONDS / 0.2)):
            if await connection.fetchval(LOCK):
                return True
            await asyncio.sleep(0.2)
        return False

    async def _read_logs(self, connection: asyncpg.Connection, wanted: Iterable[tuple[str, int, int]]) -> None:
        """Copy the ids of all records into a temporary table; remember ends, last ids and the ids at `wanted`."""
        at = set(wanted)
        await connection.execute("create temporary table if not exists on_kafka (id uuid)")
        await connection.execute("truncate on_kafka")
        self._logs = {(topic.name, n): _Log() for topic in self._topics for n in range(topic.partitions)}
        for topic in self._topics:
            async for records in read_topic(self._bootstrap, topic):
                ids = []
                for record in records:
                    log = self._logs[record.topic, record.partition]
                    text = record.headers.get("id", "")
                    ids.append(_uuid(text))
                    log.end, log.last_id = record.offset + 1, ids[-1]
                    if (record.topic, record.partition, record.offset) in at:
                        log.at[record.offset] = text
                await connection.copy_records_to_table("on_kafka", records=[(each,) for each in ids])

    def _differs(self, place: PartitionId, end: int, last_id: object) -> bool:
        """Whether Kafka has another record, or none, before `end`."""
        log = self._logs[place]
        return end > log.end or (end > 0 and last_id is not None and log.at.get(end - 1) != str(last_id))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
