"""`motcua verify` finds every kind of damage, and names the dossier."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from motcua.local.centre import LocalCentre
from motcua.local.embedded.kafka import Toolchain
from shared.contracts.registry import decode
from shared.contracts.topics import DOSSIERS
from shared.messaging.records import headers_of
from shared.postgres.outbox import MAX_VALUE_BYTES
from tests.support.whole import patient_client, play, scenarios, verified, whole_centre

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def finished(toolchain: Toolchain) -> Iterator[LocalCentre]:
    """A centre with forty finished dossiers, without findings."""
    with whole_centre(toolchain) as local:
        asyncio.run(_played(local))
        yield local


async def _played(local: LocalCentre) -> None:
    async with patient_client(local, local.home / "ledger.jsonl") as client:
        await play(client, scenarios(local, 40))
    report = await verified(local, ledger=local.home / "ledger.jsonl")
    assert report.passed, report
    assert report.dossiers == 40
    assert report.alerts > 40


@pytest.fixture
async def admin(finished: LocalCentre) -> AsyncIterator[asyncpg.Connection]:
    """A superuser connection, which can damage data."""
    url = finished.site.databases["intake"].replace("motcua_intake", "postgres")
    connection = await asyncpg.connect(url)
    await connection.execute("set session_replication_role = replica")  # disables foreign keys
    yield connection
    await connection.close()


async def _finds(local: LocalCentre, dossier: UUID | str, check: str) -> None:
    findings = (await verified(local, quiescence_seconds=3)).findings
    assert [each for each in findings if each.subject == str(dossier) and each.check == check], findings


async def _finds_nothing(local: LocalCentre) -> None:
    report = await verified(local, quiescence_seconds=15)
    assert report.passed, report


@asynccontextmanager
async def _without(admin: asyncpg.Connection, table: str, column: str, key: UUID) -> AsyncIterator[None]:
    """Inside the context a row is deleted."""
    await admin.execute(f"create table public.saved as select * from {table} where {column} = '{key}'")
    await admin.execute(f"delete from {table} where {column} = $1", key)
    try:
        yield
    finally:
        await admin.execute(f"insert into {table} select * from public.saved")
        await admin.execute("drop table public.saved")


@pytest.mark.parametrize("service", ["intake", "routing", "sla", "notify"])
async def test_deleted_row_is_found(finished: LocalCentre, admin: asyncpg.Connection, service: str) -> None:
    """Without a dossier's row, a service has neither its fence nor its sequence."""
    row = await admin.fetchrow(f"select * from {service}.dossiers where sequence > 0 limit 1")
    assert row is not None
    async with _without(admin, f"{service}.dossiers", "dossier_id", row["dossier_id"]):
        await _finds(finished, row["dossier_id"], "state")
    await _finds_nothing(finished)


async def test_changed_due_date_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """A due date that differs from the events is found."""
    dossier = await admin.fetchval("select dossier_id from sla.dossiers where due_at is not null limit 1")
    change = "update sla.dossiers set due_at = due_at + interval '{} day' where dossier_id = $1"
    await admin.execute(change.format(1), dossier)
    try:
        await _finds(finished, dossier, "deadline")
    finally:
        await admin.execute(change.format(-1), dossier)
    await _finds_nothing(finished)


async def test_row_that_is_set_aside_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """No worker claims the row until an operator releases it."""
    dossier = await admin.fetchval("select dossier_id from sla.dossiers limit 1")
    await admin.execute("insert into sla.set_aside_rows values ('dossiers', $1, 'ticker', 'KeyError')", dossier)
    try:
        await _finds(finished, dossier, "set aside")
    finally:
        await admin.execute("delete from sla.set_aside_rows")
    await _finds_nothing(finished)


async def test_threshold_without_next_instant_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """An open dossier without a next threshold would get no warning."""
    row = await admin.fetchrow(
        "select dossier_id, next_threshold_at from sla.dossiers where next_threshold_at is not null limit 1"
    )
    assert row is not None
    change = "update sla.dossiers set next_threshold_at = $2 where dossier_id = $1"
    await admin.execute(change, row["dossier_id"], None)
    try:
        await _finds(finished, row["dossier_id"], "threshold")
    finally:
        await admin.execute(change, row["dossier_id"], row["next_threshold_at"])
    await _finds_nothing(finished)


async def test_changed_state_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """A dossier is settled by intake's row, but returned by its events."""
    dossier = await admin.fetchval("select dossier_id from intake.dossiers where state = 'returned' limit 1")
    change = "update intake.dossiers set state = $2 where dossier_id = $1"
    await admin.execute(change, dossier, "settled")
    try:
        await _finds(finished, dossier, "dossier")
    finally:
        await admin.execute(change, dossier, "returned")
    await _finds_nothing(finished)


async def test_wrong_place_of_papers_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """The papers of a returned dossier are at the counter by intake's row, but not by its events."""
    dossier = await admin.fetchval("select dossier_id from intake.dossiers where state = 'returned' limit 1")
    change = "update intake.dossiers set papers_waiting_since = {} where dossier_id = $1"
    await admin.execute(change.format("received_at"), dossier)
    try:
        await _finds(finished, dossier, "papers")
    finally:
        await admin.execute(change.format("null"), dossier)
    await _finds_nothing(finished)


async def test_deleted_message_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """A planned message that is missing from notify's table is found."""
    row = await admin.fetchrow("select message_id, dossier_id from notify.messages limit 1")
    assert row is not None
    async with _without(admin, "notify.messages", "message_id", row["message_id"]):
        await _finds(finished, row["dossier_id"], "alert")
    await _finds_nothing(finished)


async def test_deleted_outbox_row_of_an_accepted_act_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """While the relay is stopped (its lock is taken), an act is accepted and its outbox row deleted.

    Putting the row back repairs it, since the history still has the event.
    """
    pid = await _holder_of_the_relay_lock(admin, "intake")
    thief = await asyncpg.connect(finished.site.databases["intake"])
    await admin.execute("select pg_terminate_backend($1)", pid)
    while not await thief.fetchval("select pg_try_advisory_lock(hashtext('motcua relay'), hashtext('intake'))"):
        await admin.execute("select pg_terminate_backend($1)", await _holder_of_the_relay_lock(admin, "intake"))
    try:
        async with patient_client(finished, finished.home / "late.jsonl") as client:
            late = replace(scenarios(finished, 1)[0], number=9000)
            await client.step(late, 0, late.steps[0])
            dossier = client.dossier_ids[9000]
        events = [row["event_id"] for row in await admin.fetch("delete from intake.outbox returning event_id")]
        assert events
        await _finds(finished, dossier, "wire")
        for event in events:
            await admin.execute("insert into intake.outbox (event_id) values ($1)", event)
    finally:
        await thief.close()
    await _finds_nothing(finished)


async def _holder_of_the_relay_lock(admin: asyncpg.Connection, service: str) -> int | None:
    pid: int | None = await admin.fetchval(
        "select l.pid from pg_locks l where l.locktype = 'advisory' and l.granted "
        "and l.classid = (hashtext('motcua relay')::bigint & 4294967295)::oid "
        "and l.objid = (hashtext($1)::bigint & 4294967295)::oid",
        service,
    )
    return pid


async def test_forged_record_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """A copy of an event with another sequence and id is not in the history. Last, since Kafka keeps the record."""
    row: Any = await admin.fetchrow(
        "select * from intake.events where topic = $1 order by recorded_at, sequence limit 1", DOSSIERS.name
    )
    last = await admin.fetchval("select max(sequence) from intake.events where key = $1", row["key"])
    event = decode(row["type"], row["version"], row["value"].encode())
    forged = event.model_copy(update={"sequence": last + 1, "id": UUID(int=event.id.int ^ 1)})
    assert len(forged.to_json()) < MAX_VALUE_BYTES
    producer = AIOKafkaProducer(bootstrap_servers=finished.site.kafka)
    await producer.start()
    await producer.send_and_wait(
        DOSSIERS.name, key=row["key"].encode(), value=forged.to_json(), headers=headers_of(forged)
    )
    await producer.stop()
    await _finds(finished, row["key"], "wire")
