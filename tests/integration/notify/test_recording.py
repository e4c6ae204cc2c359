"""Changes of messages that share a transaction: none waits for a group, none suffers for another."""

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
from services.notify.outcomes import record
from services.notify.recording import OUTCOMES, Recorder
from services.notify.store import MESSAGES, DossierRow, Message
from shared.kernel.errors import Refusal
from shared.kernel.ids import uuid7
from shared.postgres.unit_of_work import Unit
from shared.runtime.clock import machine_now
from shared.service.process import Context
from tests.integration.notify.office import Office, life_now, office
from tests.support import Databases, ServiceDatabase, eventually

LOCKED = (
    "select from dossiers where dossier_id in (select dossier_id from messages where message_id = any($1)) for update"
)


@asynccontextmanager
async def planned(database: ServiceDatabase, home: Path, count: int) -> AsyncIterator[tuple[Office, list[UUID]]]:
    """That many messages, each of its own dossier, that no sender takes since nothing counts as heard."""
    async with office(database, home) as it:
        it.heard.partitions = set()
        ids = []
        for _ in range(count):
            life = life_now(reach=("sms",))
            life.withdrawn()
            await it.hear(life.events)
            ids.append((await it.messages(life))[0]["message_id"])
        yield it, ids


@asynccontextmanager
async def impatient(it: Office, url: str) -> AsyncIterator[Context]:
    """The office's context with connections that wait but shortly for a lock."""
    settings = {"search_path": "notify", "lock_timeout": "300ms"}
    async with asyncpg.create_pool(url, min_size=1, server_settings=settings) as pool:
        yield replace(it.context, pool=pool)


def attempted(message: Message, unit: Unit[DossierRow], _: datetime) -> int:
    message.attempts += 1
    unit.change(MESSAGES, message)
    return message.attempts


def dropped(message: Message, unit: Unit[DossierRow], machine: datetime) -> None:
    record(Dropped("overtaken"), message, unit, now=machine, machine=machine)


def value(counter: Counter) -> float:
    (metric,) = counter.collect()
    return float(metric.samples[0].value)


async def told(it: Office, ids: list[UUID], column: str) -> list[Any]:
    rows = await it.pool.fetch(f"select message_id, {column}::text as value from messages")
    values = {row["message_id"]: row["value"] for row in rows}
    return [values[message_id] for message_id in ids]


async def test_what_is_asked_for_during_a_commit_shares_the_next(database: Databases, tmp_path: Path) -> None:
    """The first one goes alone and at once; those that come meanwhile are one transaction."""
    async with planned(database.fresh("notify"), tmp_path, 5) as (it, ids):
        recorder = Recorder(it.context)
        async with it.pool.acquire() as holder, holder.transaction():
            await holder.execute(LOCKED, ids)
            first = asyncio.ensure_future(recorder.record(ids[0], attempted))
            await eventually(lambda: waiting(it.pool), within=10)
            later = [asyncio.ensure_future(recorder.record(message_id, attempted)) for message_id in ids[1:]]
        assert await asyncio.gather(first, *later) == [1] * 5
        transactions = await told(it, ids, "xmin")
        assert len(set(transactions[1:])) == 1
        assert transactions[0] != transactions[1]


async def test_a_dossier_is_written_only_where_something_is_told_of_it(database: Databases, tmp_path: Path) -> None:
    """Its row is locked for every change of a message, and stays as it is where no event draws a sequence from it."""
    async with planned(database.fresh("notify"), tmp_path, 2) as (it, ids):
        recorder = Recorder(it.context)
        versions = "select dossiers.xmin::text from dossiers join messages using (dossier_id) where message_id = $1"
        before = [await it.pool.fetchval(versions, message_id) for message_id in ids]
        await asyncio.gather(recorder.record(ids[0], attempted), recorder.record(ids[1], dropped))
        after = [await it.pool.fetchval(versions, message_id) for message_id in ids]
        assert [one == other for one, other in zip(before, after, strict=True)] == [True, False]


async def test_what_was_planned_stays_as_it_was_planned(database: Databases, tmp_path: Path) -> None:
    """A change writes what becomes of a message, never what it says or about whom."""

    def rewritten(message: Message, unit: Unit[DossierRow], machine: datetime) -> int:
        message.moment, message.content = "returned", {}
        return attempted(message, unit, machine)

    async with planned(database.fresh("notify"), tmp_path, 1) as (it, ids):
        before = await told(it, ids, "content")
        assert await Recorder(it.context).record(ids[0], rewritten) == 1
        assert await told(it, ids, "content") == before
        assert await told(it, ids, "moment") == ["withdrawn"]
        assert await told(it, ids, "attempts") == ["1"]


async def test_a_change_that_fails_fails_alone(database: Databases, tmp_path: Path) -> None:
    """By its own decision or by what the database thinks of it: the others of its group are made, each once."""
    async with planned(database.fresh("notify"), tmp_path, 4) as (it, ids):

        def confused(message: Message, unit: Unit[DossierRow], machine: datetime) -> int:
            raise LookupError("no such text")

        await it.pool.execute(f"alter table messages add check (message_id <> '{ids[1]}' or attempts = 0)")
        recorder = Recorder(it.context)
        changes = [attempted, attempted, confused, attempted]
        outcomes = await asyncio.gather(
            *(recorder.record(message_id, change) for message_id, change in zip(ids, changes, strict=True)),
            return_exceptions=True,
        )
        assert [outcomes[0], outcomes[3]] == [1, 1]
        assert isinstance(outcomes[1], asyncpg.CheckViolationError)
        assert isinstance(outcomes[2], LookupError)
        assert await told(it, ids, "attempts") == ["1", "0", "0", "1"]


async def test_a_dossier_that_stays_locked_holds_up_no_other(database: Databases, tmp_path: Path) -> None:
    """Its holder froze, say: after the time-out those beside it are made, and the one is told."""
    fresh = database.fresh("notify")
    async with planned(fresh, tmp_path, 3) as (it, ids), impatient(it, fresh.url("notify")) as context:
        recorder = Recorder(context)
        async with it.pool.acquire() as holder, holder.transaction():
            await holder.execute(LOCKED, [ids[1]])
            changes = [recorder.record(message_id, attempted) for message_id in ids]
            outcomes = await asyncio.gather(*changes, return_exceptions=True)
        assert [outcomes[0], outcomes[2]] == [1, 1]
        assert isinstance(outcomes[1], asyncpg.LockNotAvailableError)


async def test_an_outcome_is_counted_once_it_is_committed(database: Databases, tmp_path: Path) -> None:
    """A group that failed was decided twice, and is counted once."""
    async with planned(database.fresh("notify"), tmp_path, 3) as (it, ids):
        await it.pool.execute(f"alter table messages add check (message_id <> '{ids[1]}' or state = 'planned')")
        counter = OUTCOMES.labels("sms", "dropped")
        before = value(counter)
        recorder = Recorder(it.context)
        await asyncio.gather(*(recorder.record(message_id, dropped) for message_id in ids), return_exceptions=True)
        assert value(counter) - before == 2


async def test_a_message_that_nobody_planned_is_refused_alone(database: Databases, tmp_path: Path) -> None:
    """A stranger's receipt, say; those beside it are recorded with it."""
    async with planned(database.fresh("notify"), tmp_path, 2) as (it, ids):
        recorder = Recorder(it.context)
        wanted = [ids[0], uuid7(machine_now()), ids[1]]
        outcomes = await asyncio.gather(*(recorder.record(one, attempted) for one in wanted), return_exceptions=True)
        assert [outcomes[0], outcomes[2]] == [1, 1]
        assert isinstance(outcomes[1], Refusal)
        assert len(set(await told(it, ids, "xmin"))) == 1


async def test_two_changes_of_one_message_see_each_other(database: Databases, tmp_path: Path) -> None:
    """A receipt beside the answer to the sending: decided in the order asked, on the same locked message."""
    async with planned(database.fresh("notify"), tmp_path, 1) as (it, ids):
        recorder = Recorder(it.context)
        assert await asyncio.gather(*(recorder.record(ids[0], attempted) for _ in range(3))) == [1, 2, 3]
        assert await told(it, ids, "attempts") == ["3"]


async def test_who_is_cut_off_cuts_off_no_other(database: Databases, tmp_path: Path) -> None:
    """Its change may be made or not; those that share its transaction are."""
    async with planned(database.fresh("notify"), tmp_path, 3) as (it, ids):
        recorder = Recorder(it.context)
        async with it.pool.acquire() as holder, holder.transaction():
            await holder.execute(LOCKED, ids)
            changes = [asyncio.ensure_future(recorder.record(message_id, attempted)) for message_id in ids]
            await eventually(lambda: waiting(it.pool), within=10)
            changes[0].cancel()
        assert await asyncio.gather(*changes[1:]) == [1, 1]


async def test_what_nobody_waits_for_is_not_begun(database: Databases, tmp_path: Path) -> None:
    """A sender that is stopped hands nothing over any more, so no message of its may be marked as under way."""
    async with planned(database.fresh("notify"), tmp_path, 2) as (it, ids):
        recorder = Recorder(it.context)
        async with it.pool.acquire() as holder, holder.transaction():
            await holder.execute(LOCKED, ids)
            first = asyncio.ensure_future(recorder.record(ids[0], attempted))
            await eventually(lambda: waiting(it.pool), within=10)
            second = asyncio.ensure_future(recorder.record(ids[1], attempted))
            await asyncio.wait([second], timeout=0)
            second.cancel()
        assert await first == 1
        assert await recorder.record(ids[0], attempted) == 2
        assert await told(it, ids, "attempts") == ["2", "0"]


async def test_while_the_database_is_away_everybody_is_told(
    database: Databases, postgres: Postgres, tmp_path: Path
) -> None:
    """So that each may try again as long as its own patience lasts; afterwards all goes on."""
    async with planned(database.fresh("notify"), tmp_path, 3) as (it, ids):
        recorder = Recorder(it.context)
        await asyncio.to_thread(postgres.stop_immediately)
        failed = await asyncio.gather(*(recorder.record(one, attempted) for one in ids), return_exceptions=True)
        assert [isinstance(error, OSError | asyncpg.PostgresError | asyncpg.InterfaceError) for error in failed] == [
            True
        ] * 3
        await asyncio.to_thread(postgres.start)
        assert await asyncio.gather(*(recorder.record(message_id, attempted) for message_id in ids)) == [1] * 3


async def waiting(pool: asyncpg.Pool) -> bool:
    """Whether a transaction of this database waits for a lock."""
    found: bool = await pool.fetchval(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
    )
    return found
