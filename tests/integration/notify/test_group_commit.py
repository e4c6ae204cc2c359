"""Group commit of message updates: no update waits for a group, and none affects another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from prometheus_client import Counter

from motcua.local.embedded.postgres import Postgres
from services.notify.domain.delivery import Dropped
from services.notify.domain.message import Message
from services.notify.sending.group_commit import OUTCOMES, GroupCommit
from services.notify.sending.outcome_events import publish_outcome, store
from services.notify.tables import DossierRow
from shared.kernel.errors import Refusal
from shared.kernel.ids import uuid7
from shared.postgres.unit_of_work import Unit
from shared.runtime.clock import machine_now
from shared.service.process import Context
from tests.integration.notify.office import Office, office, recent_dossier
from tests.support import Databases, ServiceDatabase, eventually

LOCKED = (
    "select from dossiers where dossier_id in (select dossier_id from messages where message_id = any($1)) for update"
)


@asynccontextmanager
async def planned(database: ServiceDatabase, home: Path, count: int) -> AsyncIterator[tuple[Office, list[UUID]]]:
    """Messages of different dossiers that no sender leases, because no partition is caught up."""
    async with office(database, home) as it:
        it.consumer.partitions = set()
        ids = []
        for _ in range(count):
            dossier = recent_dossier(reach=("sms",))
            dossier.withdrawn()
            await it.handle(dossier.events)
            ids.append((await it.messages(dossier))[0]["message_id"])
        yield it, ids


@asynccontextmanager
async def impatient(it: Office, url: str) -> AsyncIterator[Context]:
    """The office's context with a short lock time-out."""
    settings = {"search_path": "notify", "lock_timeout": "300ms"}
    async with asyncpg.create_pool(url, min_size=1, server_settings=settings) as pool:
        yield replace(it.context, pool=pool)


def attempted(message: Message, unit: Unit[DossierRow], _: datetime) -> int:
    message.attempts += 1
    store(message, unit)
    return message.attempts


def dropped(message: Message, unit: Unit[DossierRow], machine: datetime) -> None:
    message.apply(Dropped("overtaken"), now=machine)
    store(message, unit)
    publish_outcome(message, unit, now=machine)


def value(counter: Counter) -> float:
    (metric,) = counter.collect()
    return float(metric.samples[0].value)


async def column_of(it: Office, ids: list[UUID], column: str) -> list[Any]:
    rows = await it.pool.fetch(f"select message_id, {column}::text as value from messages")
    values = {row["message_id"]: row["value"] for row in rows}
    return [values[message_id] for message_id in ids]


async def test_updates_during_a_commit_share_the_next(database: Databases, tmp_path: Path) -> None:
    """The first update is committed alone and at once; those that arrive during its commit are one transaction."""
    async with planned(database.fresh("notify"), tmp_path, 5) as (it, ids):
        group_commit = GroupCommit(it.context)
        async with it.pool.acquire() as holder, holder.transaction():
            await holder.execute(LOCKED, ids)
            first = asyncio.ensure_future(group_commit.update(ids[0], attempted))
            await eventually(lambda: waiting(it.pool), within=10)
            later = [asyncio.ensure_future(group_commit.update(message_id, attempted)) for message_id in ids[1:]]
        assert await asyncio.gather(first, *later) == [1] * 5
        transactions = await column_of(it, ids, "xmin")
        assert len(set(transactions[1:])) == 1
        assert transactions[0] != transactions[1]


async def test_dossier_without_event_is_not_written(database: Databases, tmp_path: Path) -> None:
    """Its row is locked for every update of a message, and written only if an event takes the next sequence."""
    async with planned(database.fresh("notify"), tmp_path, 2) as (it, ids):
        group_commit = GroupCommit(it.context)
        versions = "select dossiers.xmin::text from dossiers join messages using (dossier_id) where message_id = $1"
        before = [await it.pool.fetchval(versions, message_id) for message_id in ids]
        await asyncio.gather(group_commit.update(ids[0], attempted), group_commit.update(ids[1], dropped))
        after = [await it.pool.fetchval(versions, message_id) for message_id in ids]
        assert [one == other for one, other in zip(before, after, strict=True)] == [True, False]


async def test_planned_columns_do_not_change(database: Databases, tmp_path: Path) -> None:
    """An update writes the outcome of a message, never its text or its subject."""

    def rewritten(message: Message, unit: Unit[DossierRow], machine: datetime) -> int:
        message.moment, message.content = "returned", {}
        return attempted(message, unit, machine)

    async with planned(database.fresh("notify"), tmp_path, 1) as (it, ids):
        before = await column_of(it, ids, "content")
        assert await GroupCommit(it.context).update(ids[0], rewritten) == 1
        assert await column_of(it, ids, "content") == before
        assert await column_of(it, ids, "moment") == ["withdrawn"]
        assert await column_of(it, ids, "attempts") == ["1"]


async def test_failing_update_affects_no_other(database: Databases, tmp_path: Path) -> None:
    """An update may fail by its own decision or in the database: the others of its group are made, each once."""
    async with planned(database.fresh("notify"), tmp_path, 4) as (it, ids):

        def confused(message: Message, unit: Unit[DossierRow], machine: datetime) -> int:
            raise LookupError("no such text")

        await it.pool.execute(f"alter table messages add check (message_id <> '{ids[1]}' or attempts = 0)")
        group_commit = GroupCommit(it.context)
        changes = [attempted, attempted, confused, attempted]
        outcomes = await asyncio.gather(
            *(group_commit.update(message_id, change) for message_id, change in zip(ids, changes, strict=True)),
            return_exceptions=True,
        )
        assert [outcomes[0], outcomes[3]] == [1, 1]
        assert isinstance(outcomes[1], asyncpg.CheckViolationError)
        assert isinstance(outcomes[2], LookupError)
        assert await column_of(it, ids, "attempts") == ["1", "0", "0", "1"]


async def test_locked_dossier_delays_no_other(database: Databases, tmp_path: Path) -> None:
    """After the lock time-out the other updates are made, and this one raises the error."""
    fresh = database.fresh("notify")
    async with planned(fresh, tmp_path, 3) as (it, ids), impatient(it, fresh.url("notify")) as context:
        group_commit = GroupCommit(context)
        async with it.pool.acquire() as holder, holder.transaction():
            await holder.execute(LOCKED, [ids[1]])
            changes = [group_commit.update(message_id, attempted) for message_id in ids]
            outcomes = await asyncio.gather(*changes, return_exceptions=True)
        assert [outcomes[0], outcomes[2]] == [1, 1]
        assert isinstance(outcomes[1], asyncpg.LockNotAvailableError)


async def test_outcome_is_counted_after_its_commit(database: Databases, tmp_path: Path) -> None:
    """A group that failed is decided twice and counted once."""
    async with planned(database.fresh("notify"), tmp_path, 3) as (it, ids):
        await it.pool.execute(f"alter table messages add check (message_id <> '{ids[1]}' or state = 'planned')")
        counter = OUTCOMES.labels("sms", "dropped")
        before = value(counter)
        group_commit = GroupCommit(it.context)
        await asyncio.gather(*(group_commit.update(message_id, dropped) for message_id in ids), return_exceptions=True)
        assert value(counter) - before == 2


async def test_unknown_message_is_refused_alone(database: Databases, tmp_path: Path) -> None:
    """The other updates share one transaction."""
    async with planned(database.fresh("notify"), tmp_path, 2) as (it, ids):
        group_commit = GroupCommit(it.context)
        wanted = [ids[0], uuid7(machine_now()), ids[1]]
        outcomes = await asyncio.gather(
            *(group_commit.update(one, attempted) for one in wanted), return_exceptions=True
        )
        assert [outcomes[0], outcomes[2]] == [1, 1]
        assert isinstance(outcomes[1], Refusal)
        assert len(set(await column_of(it, ids, "xmin"))) == 1


async def test_updates_of_one_message_apply_in_order(database: Databases, tmp_path: Path) -> None:
    """Each update sees the previous one on the same locked message."""
    async with planned(database.fresh("notify"), tmp_path, 1) as (it, ids):
        group_commit = GroupCommit(it.context)
        assert await asyncio.gather(*(group_commit.update(ids[0], attempted) for _ in range(3))) == [1, 2, 3]
        assert await column_of(it, ids, "attempts") == ["3"]


async def test_cancelled_caller_affects_no_other(database: Databases, tmp_path: Path) -> None:
    """The update of a cancelled caller may be made or not; those that share its transaction are."""
    async with planned(database.fresh("notify"), tmp_path, 3) as (it, ids):
        group_commit = GroupCommit(it.context)
        async with it.pool.acquire() as holder, holder.transaction():
            await holder.execute(LOCKED, ids)
            changes = [asyncio.ensure_future(group_commit.update(message_id, attempted)) for message_id in ids]
            await eventually(lambda: waiting(it.pool), within=10)
            changes[0].cancel()
        assert await asyncio.gather(*changes[1:]) == [1, 1]


async def test_update_of_cancelled_caller_is_not_started(database: Databases, tmp_path: Path) -> None:
    """A stopped sender hands nothing over, so none of its messages may be recorded as under way."""
    async with planned(database.fresh("notify"), tmp_path, 2) as (it, ids):
        group_commit = GroupCommit(it.context)
        async with it.pool.acquire() as holder, holder.transaction():
            await holder.execute(LOCKED, ids)
            first = asyncio.ensure_future(group_commit.update(ids[0], attempted))
            await eventually(lambda: waiting(it.pool), within=10)
            second = asyncio.ensure_future(group_commit.update(ids[1], attempted))
            await asyncio.wait([second], timeout=0)
            second.cancel()
        assert await first == 1
        assert await group_commit.update(ids[0], attempted) == 2
        assert await column_of(it, ids, "attempts") == ["2", "0"]


async def test_unavailable_database_raises_in_every_caller(
    database: Databases, postgres: Postgres, tmp_path: Path
) -> None:
    """Each caller may retry as long as it wants; afterwards updates work again."""
    async with planned(database.fresh("notify"), tmp_path, 3) as (it, ids):
        group_commit = GroupCommit(it.context)
        await asyncio.to_thread(postgres.stop_immediately)
        failed = await asyncio.gather(*(group_commit.update(one, attempted) for one in ids), return_exceptions=True)
        assert [isinstance(error, OSError | asyncpg.PostgresError | asyncpg.InterfaceError) for error in failed] == [
            True
        ] * 3
        await asyncio.to_thread(postgres.start)
        assert await asyncio.gather(*(group_commit.update(message_id, attempted) for message_id in ids)) == [1] * 3


async def waiting(pool: asyncpg.Pool) -> bool:
    """Whether a transaction of this database waits for a lock."""
    found: bool = await pool.fetchval(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
    )
    return found
