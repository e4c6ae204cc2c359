"""Waiting until a centre has come to rest: nothing behind, nothing unsent, in two looks one after the other."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import psycopg

from motcua.local.database import SERVICES
from services.sla.clocks.store import OPEN
from shared.contracts.topics import TOPICS
from shared.kernel.errors import MotcuaError, StartError
from shared.messaging.lag import Ends, Place

_LOOK_SECONDS = 0.3

# What is at work in the services' own tables, in one statement and so in one snapshot.
_WAITING = " union all ".join(
    [
        "select 'sla', count(*), 'dossiers with thresholds to tell' from sla.dossiers"
        " where next_threshold_at <= %(now)s",
        f"select 'sla', count(*), 'clocks to derive by the calendar in force' from sla.dossiers where {OPEN}"
        " and calendar_version < (select max(version) from sla.calendars where seed is not null)",
        "select 'notify', count(*), 'messages without an outcome' from notify.messages"
        " where next_step is not null and (%(now)s::timestamptz is null or not_before <= %(now)s)",
        *(f"select '{service}', count(*), 'events to send to Kafka' from {service}.outbox" for service in SERVICES),
    ]
)
_APPLIED = " union all ".join(
    f"select consumer_group, topic, partition, next_offset from {service}.stored_offsets" for service in SERVICES
)

_PLACES = [(topic.name, number) for topic in TOPICS.values() for number in range(topic.partitions)]


class NotQuietError(MotcuaError):
    """The services did not come to rest in time; the message says who is behind."""


class Centre:
    """A whole centre as it is looked at from outside, through the role that only reads; close it at the end.

    Every look goes from where work comes from to where it goes: thresholds, messages and outboxes, end offsets, applied
    offsets; it ends where it finds work. So what one look misses between its readings moves an end before the next: two
    looks in a row that find nothing at work, at the same ends, prove that there was nothing after the first of them.
    """

    def __init__(self, bootstrap: str, verify_url: str) -> None:
        self._verify_url = verify_url
        self._connection: psycopg.AsyncConnection | None = None
        self._ends = Ends(bootstrap)

    async def at_rest(
        self,
        *,
        now: datetime | None = None,
        within_seconds: float,
        look_seconds: float = _LOOK_SECONDS,
        stop_asked: Callable[[], bool] = lambda: False,
    ) -> None:
        """Return once every outbox is empty, every group has applied all, and every message has its outcome.

        On a set centre, whose time is `now`: no threshold that has come by then is untold, and messages that are due
        later may wait. Returns, too, when a stop is asked for. Raises NotQuietError after `within_seconds`, StartError
        when database or broker does not answer.
        """
        deadline = time.monotonic() + within_seconds
        before: dict[Place, int] | None = None
        while not stop_asked():
            at_work, ends = await self._look(now)
            if not at_work and ends == before:
                return
            if time.monotonic() > deadline:
                raise NotQuietError(
                    f"after {within_seconds:.0f} s still at work: {'; '.join(at_work) or 'events keep coming'}"
                )
            before = None if at_work else ends
            await asyncio.sleep(look_seconds)

    async def close(self) -> None:
        """Give the connections back."""
        await self._ends.close()
        if self._connection is not None:
            await self._connection.close()

    async def _look(self, now: datetime | None) -> tuple[list[str], dict[Place, int]]:
        try:
            if self._connection is None:
                self._connection = await psycopg.AsyncConnection.connect(
                    self._verify_url, connect_timeout=5, autocommit=True
                )
            ask = self._connection.execute
            waiting = await (await ask(_WAITING, {"now": now})).fetchall()
            if at_work := [f"{service} has {count} {what}" for service, count, what in waiting if count]:
                return at_work, {}
            ends = await self._ends.read(_PLACES)
            applied = {(group, (topic, n)): at for group, topic, n, at in await (await ask(_APPLIED)).fetchall()}
        except psycopg.Error as error:
            raise StartError(f"The database does not answer: {' '.join(str(error).split())}") from error
        return _behind(ends, applied), ends


def _behind(ends: dict[Place, int], applied: dict[tuple[str, Place], int]) -> list[str]:
    behind: dict[tuple[str, str], int] = {}
    for topic in TOPICS.values():
        for group in topic.readers:
            for number in range(topic.partitions):
                place = (topic.name, number)
                lacking = ends[place] - applied.get((group, place), 0)
                behind[group, topic.name] = behind.get((group, topic.name), 0) + lacking
    return [f"{group} is {count} behind on {topic}" for (group, topic), count in behind.items() if count]


def wait_until_quiet(
    bootstrap: str, verify_url: str, *, within_seconds: float, stop_asked: Callable[[], bool] = lambda: False
) -> None:
    """Block until a centre of the present has come to rest: see Centre.at_rest."""

    async def wait() -> None:
        centre = Centre(bootstrap, verify_url)
        try:
            await centre.at_rest(within_seconds=within_seconds, stop_asked=stop_asked)
        finally:
            await centre.close()

    asyncio.run(wait())
