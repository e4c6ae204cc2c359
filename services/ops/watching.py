"""Reads what waits where: stored offsets, outboxes and quarantined records in the database, ends and stamps on Kafka.

Through the role that sees nothing else. One reader serves as many lookers as there are.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg

from services.ops.domain.pace import Standing
from shared.kernel.errors import StartError
from shared.messaging.lag import Ends, Place, Stamps
from shared.postgres.errors import CONNECTION_ERRORS
from shared.runtime.clock import machine_now

WATCHED = ("intake", "routing", "sla", "notify")
"""The services that keep stored offsets and an outbox; each is its own consumer group."""
BROKER_SECONDS = 10.0
DATABASE_SECONDS = 5.0

Reader = tuple[str, str, int]
"""A group on a topic's partition."""

Stored = tuple[int, datetime | None]
"""The next offset to apply, and when it last moved."""

_PRESENT = "select s from unnest($1::text[]) s where to_regclass(quote_ident(s) || '.stored_offsets') is not null"
_OFFSETS = "select consumer_group, topic, partition, next_offset, moved_at from {}.stored_offsets"
_OUTBOX = "select '{0}', count(*), (select queued_at from {0}.outbox order by id limit 1) from {0}.outbox"
_QUARANTINED = "select '{0}', reason, count(*), min(quarantined_at) from {0}.quarantined_records group by reason"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Records of one kind (parked, gap, fork, behind, unreadable) that wait in a service."""

    records: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in one service besides its topics: events not yet on Kafka, records quarantined by reason (machine
    time)."""

    outbox: int = 0
    outbox_oldest_at: datetime | None = None
    quarantined: Mapping[str, Quarantined] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that waited at one moment; a service whose schema is not there yet is absent from `backlogs`.

    `broker_silent` says why `standings` is empty when Kafka did not answer: what waits in the services is told all the
    same.
    """

    read_at: datetime
    standings: Mapping[Reader, Standing]
    backlogs: Mapping[str, Backlog]
    broker_silent: str | None = None


class Watcher:
    """Looks through connections of its own, opened at the first look and again after an error; close it at the end."""

    def __init__(self, bootstrap: str, database_url: str, services: Sequence[str] = WATCHED) -> None:
        self._bootstrap = bootstrap
        self._database_url = database_url
        self._services = services
        self._connection: asyncpg.Connection | None = None
        self._ends: Ends | None = None
        self._stamps: Stamps | None = None

    async def look(self, also: Mapping[Reader, Stored] | None = None) -> Reading:
        """One reading, of other readers' offsets `also`; waits for Kafka at most BROKER_SECONDS. Raises StartError when
        the database does not answer."""
        try:
            offsets, backlogs = await asyncio.wait_for(self._stored(), DATABASE_SECONDS)
            offsets |= also or {}
        except (asyncpg.UndefinedColumnError, asyncpg.InsufficientPrivilegeError, TimeoutError) as error:
            await self._hang_up()
            raise _not_prepared(error) from error
        except CONNECTION_ERRORS as error:
            await self._hang_up()
            raise StartError(
                f"The database does not answer ({' '.join(str(error).split())}): start it, or correct the setting."
            ) from error
        read_at = machine_now()
        try:
            standings = await asyncio.wait_for(self._compared(offsets, read_at), BROKER_SECONDS)
        except (StartError, TimeoutError) as error:
            await self._hang_up_on_broker()
            silent = str(error) or (
                f"Kafka at {self._bootstrap} has not answered for {BROKER_SECONDS:.0f} s: it hangs, or is not there."
            )
            return Reading(read_at, {}, backlogs, silent)
        return Reading(read_at, standings, backlogs)

    async def close(self) -> None:
        """Give the connections back."""
        await self._hang_up()
        await self._hang_up_on_broker()

    async def _stored(self) -> tuple[dict[Reader, Stored], dict[str, Backlog]]:
        if self._connection is None:
            self._connection = await asyncpg.connect(
                self._database_url, timeout=DATABASE_SECONDS, server_settings={"application_name": "motcua ops"}
            )
        ask = self._connection.fetch
        present = [row[0] for row in await ask(_PRESENT, list(self._services))]
        if not present:
            return {}, {}
        offsets = await ask(" union all ".join(_OFFSETS.format(service) for service in present))
        outboxes = await ask(" union all ".join(_OUTBOX.format(service) for service in present))
        kinds = await ask(" union all ".join(_QUARANTINED.format(service) for service in present))
        quarantined: dict[str, dict[str, Quarantined]] = {}
        for service, reason, records, oldest_at in kinds:
            quarantined.setdefault(service, {})[reason] = Quarantined(records, oldest_at)
        return (
            {(group, topic, number): (next_, moved_at) for group, topic, number, next_, moved_at in offsets},
            {name: Backlog(count, oldest, quarantined.get(name, {})) for name, count, oldest in outboxes},
        )

    async def _compared(self, offsets: Mapping[Reader, Stored], read_at: datetime) -> dict[Reader, Standing]:
        """Ends are asked after the offsets, so what is behind is never told too small."""
        if not offsets:
            return {}
        if self._ends is None or self._stamps is None:
            self._ends, self._stamps = Ends(self._bootstrap), Stamps(self._bootstrap)
        ends = await self._ends.read({_place(reader) for reader in offsets})
        behind = {
            (_place(reader), next_offset)
            for reader, (next_offset, _) in offsets.items()
            if next_offset < ends[_place(reader)]
        }
        stamps = await self._stamps.read(behind)
        return {
            reader: Standing(
                read_at,
                next_offset,
                ends[_place(reader)],
                stamps.get((_place(reader), next_offset)),
                moved_at,
            )
            for reader, (next_offset, moved_at) in sorted(offsets.items())
        }

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _hang_up_on_broker(self) -> None:
        asked, self._ends, self._stamps = (self._ends, self._stamps), None, None
        for one in asked:
            if one is not None:
                await one.close()


def _place(reader: Reader) -> Place:
    return reader[1], reader[2]


def _not_prepared(error: Exception) -> StartError:
    if isinstance(error, TimeoutError):
        return StartError(f"The database has not answered for {DATABASE_SECONDS:.0f} s: it hangs, or is not there.")
    return StartError(f"The database is of an older release ({error}): `motcua prepare` brings it up to date.")
