"""`motcua verify` finds each thing that can go wrong, and names the dossier."""

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
    """A centre in which forty lives were played, and which verify finds good."""
    with whole_centre(toolchain) as local:
        asyncio.run(_played(local))
        yield local


async def _played(local: LocalCentre) -> None:
    async with patient_client(local, local.home / "ledger.jsonl") as client:
        await play(client, scenarios(local, 40))
    report = await verified(local, ledger=local.home / "ledger.jsonl")
    assert report.holds, report
    assert report.dossiers == 40
    assert report.alerts > 40


@pytest.fixture
async def admin(finished: LocalCentre) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may do harm."""
    url = finished.site.databases["intake"].replace("motcua_intake", "postgres")
    connection = await asyncpg.connect(url)
    await connection.execute("set session_replication_role = replica")  # foreign keys do not protect from this hand
    yield connection
    await connection.close()


async def _finds(local: LocalCentre, dossier: UUID | str, check: str) -> None:
    findings = (await verified(local, quiet_seconds=3)).findings
    assert [each for each in findings if each.subject == str(dossier) and each.check == check], findings


async def _finds_nothing(local: LocalCentre) -> None:
    report = await verified(local, quiet_seconds=15)
    assert report.holds, report


@asynccontextmanager
async def _without(admin: asyncpg.Connection, table: str, column: str, key: UUID) -> AsyncIterator[None]:
    """A row is gone while inside, and back afterwards."""
    await admin.execute(f"create table public.saved as select * from {table} where {column} = '{key}'")
    await admin.execute(f"delete from {table} where {column} = $1", key)
    try:
        yield
    finally:
        await admin.execute(f"insert into {table} select * from public.saved")
        await admin.execute("drop table public.saved")


@pytest.mark.parametrize("service", ["intake", "routing", "sla", "notify"])
async def test_a_deleted_state_row_is_found(finished: LocalCentre, admin: asyncpg.Connection, service: str) -> None:
    """A service that lost a dossier's row has lost its fence and its sequence."""
    row = await admin.fetchrow(f"select * from {service}.dossiers where sequence > 0 limit 1")
    assert row is not None
    async with _without(admin, f"{service}.dossiers", "dossier_id", row["dossier_id"]):
        await _finds(finished, row["dossier_id"], "state")
    await _finds_nothing(finished)


async def test_a_changed_due_date_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """A due date that the events do not give."""
    dossier = await admin.fetchval("select dossier_id from sla.dossiers where due_at is not null limit 1")
    change = "update sla.dossiers set due_at = due_at + interval '{} day' where dossier_id = $1"
    await admin.execute(change.format(1), dossier)
    try:
        await _finds(finished, dossier, "deadline")
    finally:
        await admin.execute(change.format(-1), dossier)
    await _finds_nothing(finished)


async def test_a_threshold_that_would_never_be_told_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """An open dossier whose row waits for no instant any more: nobody would be warned of its due date."""
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


async def test_a_changed_state_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """A dossier that stands settled in intake's row, and by its events is returned."""
    dossier = await admin.fetchval("select dossier_id from intake.dossiers where state = 'returned' limit 1")
    change = "update intake.dossiers set state = $2 where dossier_id = $1"
    await admin.execute(change, dossier, "settled")
    try:
        await _finds(finished, dossier, "dossier")
    finally:
        await admin.execute(change, dossier, "returned")
    await _finds_nothing(finished)


async def test_papers_that_are_said_to_wait_are_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """A returned dossier whose papers still lie at the counter by intake's row, and by its events do not."""
    dossier = await admin.fetchval("select dossier_id from intake.dossiers where state = 'returned' limit 1")
    change = "update intake.dossiers set papers_since = {} where dossier_id = $1"
    await admin.execute(change.format("received_at"), dossier)
    try:
        await _finds(finished, dossier, "papers")
    finally:
        await admin.execute(change.format("null"), dossier)
    await _finds_nothing(finished)


async def test_a_deleted_alert_is_found(finished: LocalCentre, admin: asyncpg.Connection) -> None:
    """A planned alert that notify does not keep any more."""
    row = await admin.fetchrow("select message_id, dossier_id from notify.messages limit 1")
    assert row is not None
    async with _without(admin, "notify.messages", "message_id", row["message_id"]):
        await _finds(finished, row["dossier_id"], "alert")
    await _finds_nothing(finished)


async def test_an_accepted_act_whose_outbox_row_vanished_is_found(
    finished: LocalCentre, admin: asyncpg.Connection
) -> None:
    """The relay stands still (its lock is elsewhere), an act is accepted, its outbox row deleted: never on Kafka.

    Putting the row back heals it, since the history still has the event.
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


async def test_a_record_repeated_under_a_new_sequence_is_found(
    finished: LocalCentre, admin: asyncpg.Connection
) -> None:
    """Last, since Kafka forgets nothing: a copy of an event with another sequence and id is in nobody's history."""
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
