"""Read samples of the lag: stored offsets and backlogs from the database, end offsets and timestamps from Kafka."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from services.ops.domain.progress import OffsetSample
from services.ops.lag.store import Backlog, GroupPartition, StoredOffset, load_backlogs
from shared.kernel.errors import StartError
from shared.messaging.offsets import EndOffsets, PartitionId, RecordTimestamps
from shared.postgres.errors import CONNECTION_ERRORS
from shared.runtime.clock import machine_now

SERVICES = ("intake", "routing", "sla", "notify")
"""The services with stored offsets and an outbox; each is a consumer group of its own."""
BROKER_TIMEOUT_SECONDS = 10.0
DATABASE_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LagSample:
    """The offsets of every consumer group, and the backlog of every service, at one instant (machine time).

    A service whose schema does not exist yet is absent from `backlogs`. If Kafka did not answer, `kafka_error` is the
    reason and `offsets` is empty.
    """

    read_at: datetime
    offsets: Mapping[GroupPartition, OffsetSample]
    backlogs: Mapping[str, Backlog]
    kafka_error: str | None = None


class LagReader:
    """Reads samples of the lag over its own connections to the database and to Kafka.

    `read` opens the connections when needed, and again after an error. The owner calls `close` at the end.
    """

    def __init__(self, bootstrap: str, database_url: str, services: Sequence[str] = SERVICES) -> None:
        self._bootstrap = bootstrap
        self._database_url = database_url
        self._services = services
        self._connection: asyncpg.Connection | None = None
        self._ends: EndOffsets | None = None
        self._stamps: RecordTimestamps | None = None

    async def read(self, own_offsets: Mapping[GroupPartition, StoredOffset] | None = None) -> LagSample:
        """Read one sample of the offsets in the database and of `own_offsets`, which are not in the database.

        If Kafka does not answer within BROKER_TIMEOUT_SECONDS, the sample has a `kafka_error` instead of offsets.
        Raises StartError if the database does not answer, or is of an older release.
        """
        try:
            offsets, backlogs = await asyncio.wait_for(self._load(), DATABASE_TIMEOUT_SECONDS)
        except (asyncpg.UndefinedColumnError, asyncpg.InsufficientPrivilegeError, TimeoutError) as error:
            self._close_database()
            raise _database_error(error) from error
        except CONNECTION_ERRORS as error:
            self._close_database()
            raise StartError(
                f"The database does not answer ({' '.join(str(error).split())}). Start it, or correct the setting."
            ) from error
        offsets |= own_offsets or {}
        read_at = machine_now()
        try:
            compared = await asyncio.wait_for(self._compare(offsets, read_at), BROKER_TIMEOUT_SECONDS)
        except (StartError, TimeoutError) as error:
            await self._close_broker()
            reason = str(error) or (
                f"Kafka at {self._bootstrap} has not answered within {BROKER_TIMEOUT_SECONDS:.0f} s. "
                "Check that it is running and reachable."
            )
            return LagSample(read_at, {}, backlogs, reason)
        return LagSample(read_at, compared, backlogs)

    async def close(self) -> None:
        """Close the connections to the database and to Kafka."""
        self._close_database()
        await self._close_broker()

    async def _load(self) -> tuple[dict[GroupPartition, StoredOffset], dict[str, Backlog]]:
        if self._connection is None:
            self._connection = await asyncpg.connect(
                self._database_url, timeout=DATABASE_TIMEOUT_SECONDS, server_settings={"application_name": "motcua ops"}
            )
        return await load_backlogs(self._connection, self._services)

    async def _compare(
        self, offsets: Mapping[GroupPartition, StoredOffset], read_at: datetime
    ) -> dict[GroupPartition, OffsetSample]:
        """Read the end offsets and timestamps from Kafka, and return them together with the stored offsets.

        The end offsets are read after the stored ones, so the lag is never too small.
        """
        if not offsets:
            return {}
        if self._ends is None or self._stamps is None:
            self._ends, self._stamps = EndOffsets(self._bootstrap), RecordTimestamps(self._bootstrap)
        ends = await self._ends.read({_place(group) for group in offsets})
        pending = {
            (_place(group), next_offset)
            for group, (next_offset, _) in offsets.items()
            if next_offset < ends[_place(group)]
        }
        stamps = await self._stamps.read(pending)
        return {
            group: OffsetSample(
                read_at, next_offset, ends[_place(group)], stamps.get((_place(group), next_offset)), moved_at
            )
            for group, (next_offset, moved_at) in sorted(offsets.items())
        }

    def _close_database(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _close_broker(self) -> None:
        clients, self._ends, self._stamps = (self._ends, self._stamps), None, None
        for client in clients:
            if client is not None:
                await client.close()


def _place(group: GroupPartition) -> PartitionId:
    return group[1], group[2]


def _database_error(error: Exception) -> StartError:
    if isinstance(error, TimeoutError):
        return StartError(
            f"The database has not answered within {DATABASE_TIMEOUT_SECONDS:.0f} s. "
            "Check that it is running and reachable."
        )
    return StartError(f"The database is of an older release ({error}). Run `motcua prepare` to update it.")
