"""Unit of work: the rows, records and events of one transaction, in memory from the locks until the writes."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar

import asyncpg

from shared.contracts.envelope import AnyEnvelope, EventData
from shared.kernel.clock import Clock
from shared.postgres.clock import refresh
from shared.postgres.outbox import Cause, Publisher, store_events
from shared.postgres.pool import Connection
from shared.postgres.rows import RecordTable, Row, Table

R = TypeVar("R", bound=Row)
T = TypeVar("T")


class Unit(Generic[R]):
    """The locked rows of one transaction, and the records and events to write with them, all in memory until `save`.

    Handlers change a unit without SQL and without await. `save` writes every row, changed or not; with
    `only_published`, only rows about which an event was published.
    """

    def __init__(
        self,
        table: Table[R],
        rows: dict[Any, R],
        publisher: Publisher,
        recorded_at: datetime,
        *,
        only_published: bool = False,
    ) -> None:
        self.table = table
        self.recorded_at = recorded_at
        self.events: list[AnyEnvelope] = []
        self._publisher = publisher
        self._rows = rows
        self._existing = frozenset(rows)
        self._only_published = only_published
        self._places: Counter[tuple[str, str]] = Counter()
        self._added: dict[RecordTable[Any], list[Any]] = {}
        self._changed: dict[RecordTable[Any], list[Any]] = {}

    def row(self, key: Any) -> R:
        """Return the locked row of `key`; if there is none, add a new row that `save` inserts."""
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = self.table.new(key)
        return found

    @property
    def rows(self) -> list[R]:
        """The rows of this unit, in the order in which they were locked or added."""
        return list(self._rows.values())

    def find(self, key: Any) -> R | None:
        """Return the row of `key` if it is in the unit, otherwise None. Adds no row."""
        return self._rows.get(key)

    def cause_of(self, event: AnyEnvelope) -> Cause:
        """Build the cause of the events that this service publishes because it consumed `event`."""
        return Cause.of(event, service=self._publisher.service, recorded_at=self.recorded_at)

    def publish(self, row: R, data: EventData, *, time: datetime, cause: Cause) -> AnyEnvelope:
        """Add an event about the row's key to the unit, and return the event. Nothing is stored or sent yet.

        The event takes the row's next sequence, and its id is derived from the cause. `save` stores the event; the
        relay sends it to Kafka after the commit.
        """
        place = self._places[cause.id, data.TYPE]
        self._places[cause.id, data.TYPE] += 1
        row.sequence += 1
        event = self._publisher.event(
            data, subject=str(row.key), sequence=row.sequence, time=time, cause=cause, place=place
        )
        self.events.append(event)
        return event

    def add(self, table: RecordTable[T], record: T) -> None:
        """Add a record of another table, which `save` inserts."""
        self._added.setdefault(table, []).append(record)

    def change(self, table: RecordTable[T], record: T) -> None:
        """Add a changed record of another table, which `save` updates. It or its dossier's row must be locked."""
        self._changed.setdefault(table, []).append(record)

    async def save(self, connection: Connection) -> None:
        """Write rows, records of other tables and events, in this order, in the open transaction. Does not commit.

        Raises asyncpg.UniqueViolationError if a new row, record or event exists already.
        """
        rows = self._rows
        if self._only_published:
            subjects = {event.subject for event in self.events}
            rows = {key: row for key, row in rows.items() if str(key) in subjects}
        await self.table.insert(connection, [row for key, row in rows.items() if key not in self._existing])
        await self.table.update(connection, [row for key, row in rows.items() if key in self._existing])
        for table, records in self._added.items():
            await table.insert(connection, records)
        for table, records in self._changed.items():
            await table.update(connection, records)
        await store_events(connection, self.events)


Claim = Callable[[Connection], Awaitable[dict[Any, R]]]
"""A function that selects and locks rows within the open transaction, and returns them by key."""


def unit_of_work(
    pool: asyncpg.Pool,
    table: Table[R],
    keys: Iterable[Any],
    *,
    publisher: Publisher,
    clock: Clock,
    on_publish: Callable[[], None],
    only_published: bool = False,
) -> AbstractAsyncContextManager[tuple[Connection, Unit[R]]]:
    """Async context manager: one transaction on the rows of `keys`, saved and committed when the block ends normally.

    It locks the existing rows of `keys`. The block gets the connection, for further reads under the same locks, and the
    unit; `clock` is refreshed before. After the commit, `on_publish` is called if events were published, to wake the
    relay. `only_published` limits which rows are saved: see Unit. Raises
    asyncpg.UniqueViolationError if another transaction inserted a new row first; the caller then decides again.
    """

    def begin(rows: dict[Any, R]) -> Unit[R]:
        return Unit(table, rows, publisher, clock.now(), only_published=only_published)

    return _transaction(pool, partial(table.lock, keys=keys), begin, clock, on_publish)


def claimed_unit_of_work(
    pool: asyncpg.Pool,
    table: Table[R],
    claim: Claim[R],
    *,
    publisher: Publisher,
    clock: Clock,
    on_publish: Callable[[], None],
) -> AbstractAsyncContextManager[tuple[Connection, Unit[R]]]:
    """Async context manager: one transaction on the rows that `claim` selects and locks; otherwise as `unit_of_work`.

    Claimed rows are work that fell due at instants of their own, so their events are recorded from the clock's earliest
    instant on.
    """

    def begin(rows: dict[Any, R]) -> Unit[R]:
        return Unit(table, rows, publisher, clock.recorded_from())

    return _transaction(pool, claim, begin, clock, on_publish)


@asynccontextmanager
async def _transaction(
    pool: asyncpg.Pool,
    lock: Claim[R],
    begin: Callable[[dict[Any, R]], Unit[R]],
    clock: Clock,
    on_publish: Callable[[], None],
) -> AsyncIterator[tuple[Connection, Unit[R]]]:
    async with pool.acquire() as connection, connection.transaction():
        rows = await lock(connection)
        await refresh(clock, connection)  # after the locks: the events of a dossier are recorded in order
        unit = begin(rows)
        yield connection, unit
        await unit.save(connection)
    if unit.events:
        on_publish()
