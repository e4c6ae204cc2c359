"""kill -9 of every service, with backlog at the moment of the kill: nothing lost, doubled or reordered."""

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
from tests.support.asking import asked
from tests.support.whole import patient_client, play, scenarios, verified, whole_centre

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def local(toolchain: Toolchain) -> Iterator[LocalCentre]:
    """One centre for all of it: it must bear one death after the other, and starting it is most of the time."""
    with whole_centre(toolchain) as centre:
        yield centre


async def _connect(local: LocalCentre) -> asyncpg.Connection:
    return await asyncpg.connect(local.site.databases["intake"].replace("motcua_intake", "postgres"))


@asynccontextmanager
async def _partitions_held(local: LocalCentre, service: str, topic: Topic, *partitions: int) -> AsyncIterator[None]:
    """While inside, the service cannot apply anything of these partitions: their mutexes are taken."""
    connection = await _connect(local)
    try:
        async with connection.transaction():
            held = await connection.fetch(
                f"select from {service}.stored_offsets where consumer_group = $1 and topic = $2 "
                "and partition = any($3::integer[]) for update",
                service,
                topic.name,
                list(partitions),
            )
            assert len(held) == len(partitions)
            yield
    finally:
        await connection.close()


async def _behind(connection: asyncpg.Connection, service: str, topic: Topic) -> int:
    """Events of `topic` in its owner's history that the service has not applied (first copies alone)."""
    published = await connection.fetchval(f"select count(*) from {topic.owner}.events where topic = $1", topic.name)
    applied = await connection.fetchval(
        f"select coalesce(sum((fences -> $1 ->> 0)::bigint), 0)::bigint from {service}.dossiers", topic.name
    )
    return int(published - applied)


async def _play_new(local: LocalCentre, count: int, *ports: int) -> None:
    """Dossiers that were not submitted yet, at one intake or at several."""
    ledger = local.home / "ledger.jsonl"
    lived = len(ledger.read_text().splitlines()) if ledger.exists() else 0
    async with patient_client(local, ledger, *ports) as client:
        await play(
            client, [replace(scenario, number=scenario.number + 10_000 * lived) for scenario in scenarios(local, count)]
        )


async def _nothing_under_way(connection: asyncpg.Connection) -> bool:
    """No message waits any more. What a death left in doubt is sent again as if its receipt window, a quarter of an
    hour, had passed at once."""
    await connection.execute(
        "update notify.messages set next_at = clock_timestamp() "
        "where in_doubt and next_step = 'send' and next_at > clock_timestamp()"
    )
    return not await connection.fetchval("select exists (select from notify.messages where next_step is not null)")


async def _all_is_well(local: LocalCentre, connection: asyncpg.Connection) -> None:
    await eventually(lambda: _nothing_under_way(connection), within=150)
    report = await verified(local, ledger=local.home / "ledger.jsonl", quiescence_seconds=90)
    assert report.passed, report
    assert report.answers > 0
    sent = Counter(message.message_id for message in read_inbox(local.home))
    assert sent
    twice = {message_id for message_id, times in sent.items() if times > 1}
    rows = await connection.fetch("select message_id from notify.messages where possibly_doubled")
    published = {str(row["message_id"]) for row in rows}
    assert twice <= published, "an applicant got a message twice and no event reports it"


@pytest.mark.parametrize(
    ("service", "topic"), [("routing", DOSSIERS), ("sla", DOSSIERS), ("notify", DOSSIERS), ("intake", DEADLINES)]
)
async def test_a_service_killed_over_its_backlog_loses_nothing(local: LocalCentre, service: str, topic: Topic) -> None:
    """The service dies having applied part of what waited, with a transaction open on the rest; then it comes back."""
    connection = await _connect(local)
    playing = asyncio.create_task(_play_new(local, 60))
    try:
        async with _partitions_held(local, service, topic, 0, 3):
            before = await _published_events(connection, service)
            await eventually(lambda: _stuck(connection, service, topic), within=60)
            await eventually(lambda: _has_published_more(connection, service, before), within=30)
            assert local.parts[service].kill() == -9
        local.start_service(service)
        await playing
        await _all_is_well(local, connection)
    finally:
        playing.cancel()
        await connection.close()


async def _published_events(connection: asyncpg.Connection, service: str) -> int:
    return int(await connection.fetchval(f"select count(*) from {service}.events"))


async def _has_published_more(connection: asyncpg.Connection, service: str, before: int) -> bool:
    """The service continues with records that are not quarantined."""
    return await _published_events(connection, service) > before


async def _stuck(connection: asyncpg.Connection, service: str, topic: Topic) -> bool:
    """Something waits, and a transaction of the service waits for the mutex."""
    waiting = await connection.fetchval(
        "select count(*) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'",
        f"motcua {service}",
    )
    return waiting > 0 and await _behind(connection, service, topic) > 20


@pytest.mark.parametrize(("service", "topic"), [("routing", DOSSIERS), ("intake", DEADLINES)])
async def test_two_replicas_killed_over_their_backlog_lose_nothing(
    local: LocalCentre, service: str, topic: Topic
) -> None:
    """Both replicas have done at least a fifth of the work, both die over what is left, both come back."""
    second = free_port()
    local.start_service(service, replica=1, port=second)
    ports = [local.site.http_ports[service], second]
    await eventually(lambda: local.reason_not_ready(f"{service}-1") is None, within=30)
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
        async with _partitions_held(local, service, topic, *range(topic.partitions)):
            await eventually(lambda: _stuck(connection, service, topic), within=60)
            done = await shares()
            assert min(done) >= sum(done) / 5, done
            local.parts[service].kill()
            local.parts[f"{service}-1"].kill()
        local.start_service(service)
        local.start_service(service, replica=1, port=second)
        await playing
        await _all_is_well(local, connection)
    finally:
        playing.cancel()
        local.parts.pop(f"{service}-1").stop()
        await connection.close()


async def _applied(ports: list[int], topic: Topic) -> list[int]:
    """Records of `topic` that each replica reports as applied."""
    counts = []
    for port in ports:
        text = (await asked(f"http://127.0.0.1:{port}/metrics")).text
        found = re.search(rf'^motcua_consumer_applied_total{{topic="{re.escape(topic.name)}"}} (\S+)$', text, re.M)
        counts.append(int(float(found[1])) if found else 0)
    return counts
