"""SIGKILL of every service while it has a backlog: no event is lost, duplicated or reordered."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg
import pytest

from motcua.local.centre import LocalCentre
from motcua.local.embedded.kafka import Toolchain
from motcua.local.sinks.inbox import read_inbox
from shared.contracts.topics import DEADLINES, DOSSIERS, Topic
from tests.support import eventually, free_port
from tests.support.http import get_async
from tests.support.whole import patient_client, play, scenarios, verified, whole_centre

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def local(toolchain: Toolchain) -> Iterator[LocalCentre]:
    """One centre for all tests, because its start takes most of the time."""
    with whole_centre(toolchain) as centre:
        yield centre


async def _connect(local: LocalCentre) -> asyncpg.Connection:
    return await asyncpg.connect(local.site.databases["intake"].replace("motcua_intake", "postgres"))


@asynccontextmanager
async def _partitions_locked(local: LocalCentre, service: str, topic: Topic, *partitions: int) -> AsyncIterator[None]:
    """Inside the context the service cannot apply records of these partitions, because their rows are locked."""
    connection = await _connect(local)
    try:
        async with connection.transaction():
            locked = await connection.fetch(
                f"select from {service}.stored_offsets where consumer_group = $1 and topic = $2 "
                "and partition = any($3::integer[]) for update",
                service,
                topic.name,
                list(partitions),
            )
            assert len(locked) == len(partitions)
            yield
    finally:
        await connection.close()


async def _lag(connection: asyncpg.Connection, service: str, topic: Topic) -> int:
    """The number of events of `topic` in its owner's history that the service has not applied."""
    published = await connection.fetchval(f"select count(*) from {topic.owner}.events where topic = $1", topic.name)
    applied = await connection.fetchval(
        f"select coalesce(sum((fences -> $1 ->> 0)::bigint), 0)::bigint from {service}.dossiers", topic.name
    )
    return int(published - applied)


async def _play_new(local: LocalCentre, count: int, *ports: int) -> None:
    """Play scenarios with new numbers, at one or several replicas of intake."""
    ledger = local.home / "ledger.jsonl"
    played = len(ledger.read_text().splitlines()) if ledger.exists() else 0
    async with patient_client(local, ledger, *ports) as client:
        await play(
            client,
            [replace(scenario, number=scenario.number + 10_000 * played) for scenario in scenarios(local, count)],
        )


async def _no_message_pending(connection: asyncpg.Connection) -> bool:
    """Whether no message has a next step.

    Messages that a kill left in doubt are due at once instead of after their receipt window of a quarter of an hour.
    """
    await connection.execute(
        "update notify.messages set next_at = clock_timestamp() "
        "where in_doubt and next_step = 'send' and next_at > clock_timestamp()"
    )
    return not await connection.fetchval("select exists (select from notify.messages where next_step is not null)")


async def _check_centre(local: LocalCentre, connection: asyncpg.Connection) -> None:
    await eventually(lambda: _no_message_pending(connection), within=150)
    report = await verified(local, ledger=local.home / "ledger.jsonl", quiescence_seconds=90)
    assert report.passed, report
    assert report.answers > 0
    sent = Counter(message.message_id for message in read_inbox(local.home))
    assert sent
    twice = {message_id for message_id, times in sent.items() if times > 1}
    rows = await connection.fetch("select message_id from notify.messages where possibly_doubled")
    marked = {str(row["message_id"]) for row in rows}
    assert twice <= marked, "an applicant received a message twice without `possibly_doubled`"


@pytest.mark.parametrize(
    ("service", "topic"), [("routing", DOSSIERS), ("sla", DOSSIERS), ("notify", DOSSIERS), ("intake", DEADLINES)]
)
async def test_service_killed_with_backlog_loses_no_event(local: LocalCentre, service: str, topic: Topic) -> None:
    """A service that is killed with part of its backlog applied and a transaction open continues after its restart."""
    connection = await _connect(local)
    playing = asyncio.create_task(_play_new(local, 60))
    try:
        async with _partitions_locked(local, service, topic, 0, 3):
            before = await _published_events(connection, service)
            await eventually(lambda: _stuck(connection, service, topic), within=60)
            await eventually(lambda: _has_published_more(connection, service, before), within=30)
            assert local.parts[service].kill() == -9
        local.start_service(service)
        await playing
        await _check_centre(local, connection)
    finally:
        playing.cancel()
        await connection.close()


async def _published_events(connection: asyncpg.Connection, service: str) -> int:
    return int(await connection.fetchval(f"select count(*) from {service}.events"))


async def _has_published_more(connection: asyncpg.Connection, service: str, before: int) -> bool:
    """Whether the service has published more events, from the partitions that are not locked."""
    return await _published_events(connection, service) > before


async def _stuck(connection: asyncpg.Connection, service: str, topic: Topic) -> bool:
    """Whether the service has a backlog, and a transaction of it waits for the lock."""
    waiting = await connection.fetchval(
        "select count(*) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'",
        f"motcua {service}",
    )
    return waiting > 0 and await _lag(connection, service, topic) > 20


@pytest.mark.parametrize(("service", "topic"), [("routing", DOSSIERS), ("intake", DEADLINES)])
async def test_two_replicas_killed_with_backlog_lose_no_event(local: LocalCentre, service: str, topic: Topic) -> None:
    """Two replicas that are killed after each has applied at least a fifth continue after their restart."""
    second = free_port()
    local.start_service(service, replica=1, port=second)
    ports = [local.site.http_ports[service], second]
    await eventually(lambda: local.reason_not_advancing(f"{service}-1") is None, within=30)
    client_ports = ports if service == "intake" else []
    connection = await _connect(local)
    before = await _applied(ports, topic)
    playing = asyncio.create_task(_play_new(local, 110, *client_ports))

    async def shares() -> list[int]:
        return [now - then for now, then in zip(await _applied(ports, topic), before, strict=True)]

    async def each_has_worked() -> bool:
        return min(await shares()) >= 60

    try:
        await eventually(each_has_worked, within=90)
        async with _partitions_locked(local, service, topic, *range(topic.partitions)):
            await eventually(lambda: _stuck(connection, service, topic), within=60)
            done = await shares()
            assert min(done) >= sum(done) / 5, done
            local.parts[service].kill()
            local.parts[f"{service}-1"].kill()
        local.start_service(service)
        local.start_service(service, replica=1, port=second)
        await playing
        await _check_centre(local, connection)
    finally:
        playing.cancel()
        local.parts.pop(f"{service}-1").stop()
        await connection.close()


async def _applied(ports: list[int], topic: Topic) -> list[int]:
    """The number of records of `topic` that each replica reports as applied."""
    counts = []
    for port in ports:
        text = (await get_async(f"http://127.0.0.1:{port}/metrics")).text
        found = re.search(rf'^motcua_consumer_applied_total{{topic="{re.escape(topic.name)}"}} (\S+)$', text, re.M)
        counts.append(int(float(found[1])) if found else 0)
    return counts
