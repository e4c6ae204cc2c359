"""After SIGKILL, answered acts are stored and unanswered ones can be repeated."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from motcua.local.embedded.kafka import Broker
from motcua.local.embedded.postgres import Postgres
from shared.contracts.topics import DOSSIERS, TOPICS
from shared.messaging.admin import create_topics
from shared.postgres.pool import create_pool
from tests.integration.intake.deployment import Deployment, IntakeClient, build_deployment, count, fresh_key
from tests.integration.intake.test_batch import line, new_id, walk_in
from tests.support import Databases, eventually, free_port
from tests.support.http import get_async
from tests.support.kafka import read_events
from tests.support.service_process import ServiceProcess


@pytest.fixture(scope="module")
def broker_deployment(
    postgres: Postgres, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Schema, keys and topics for this module; no replica runs yet."""
    asyncio.run(create_topics(broker.bootstrap, TOPICS.values(), replication=1))
    databases = Databases(postgres)
    yield build_deployment(databases.fresh(), tmp_path_factory.mktemp("intake"), broker.bootstrap)
    databases.drop_all()


@pytest.fixture(scope="module")
def running(broker_deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """One replica as a process; a test that kills it launches it again."""
    log = tmp_path_factory.mktemp("log") / "intake.log"
    process = ServiceProcess("intake", broker_deployment.environment(0, free_port()), log)
    process.launch()
    yield process
    process.stop()


async def answering(process: ServiceProcess) -> ServiceProcess:
    """Wait until the process answers; its consumer may still be joining the group."""

    async def alive() -> bool:
        try:
            return (await get_async(f"{process.url}/healthz")).status_code == 200
        except httpx.TransportError:
            return False

    await eventually(alive, within=40)
    return process


@asynccontextmanager
async def opened(deployment: Deployment, process: ServiceProcess) -> AsyncIterator[tuple[IntakeClient, asyncpg.Pool]]:
    """A client of the process, and a pool of its database."""
    pool = await create_pool(deployment.database, "intake", size=3)
    async with httpx.AsyncClient(timeout=60) as http:
        try:
            yield IntakeClient(process.url, deployment.tokens, http), pool
        finally:
            await pool.close()


async def test_act_killed_before_the_commit_has_no_effect(
    broker_deployment: Deployment, running: ServiceProcess
) -> None:
    """The process is killed while the act waits for a serial; the repetition takes effect once."""
    process = await answering(running)
    async with opened(broker_deployment, process) as (client, pool):
        first = await client.walk_in()
        events = await count(pool, "events")
        key = fresh_key()
        async with pool.acquire() as holder, holder.transaction():
            await holder.execute("select * from serials for update")
            asked = asyncio.create_task(client.walk_in(key=key))
            await eventually(lambda: _waits_for_a_lock(pool), within=10)
            process.kill()
            with pytest.raises(httpx.TransportError):
                await asked
        await eventually(lambda: _no_lock_is_awaited(pool), within=20)
        assert await count(pool, "events") == events
        process.launch()
        await answering(process)
        answer = await client.walk_in(key=key)
        assert _serial(answer) == _serial(first) + 1
        assert await count(pool, "events") == events + 2


async def test_act_killed_after_the_commit_gets_its_answer_again(
    broker_deployment: Deployment, running: ServiceProcess
) -> None:
    """The client read no answer; with the same key it gets the stored one."""
    process = await answering(running)
    async with opened(broker_deployment, process) as (client, pool):
        events = await count(pool, "events")
        key = fresh_key()
        body = json.dumps({"data": {"procedure": "2.000908", "receive": {}}}).encode()
        host, port = client.base.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        headers = client.headers("clerk", key) | {"Host": host, "Content-Type": "application/json"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST /dossiers HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await eventually(lambda: count(pool, "idempotency_keys", id=f"clerk/{key}"), within=10)
        process.kill()
        writer.close()
        process.launch()
        await answering(process)
        answer = await client.walk_in(key=key)
        stored = json.loads(await pool.fetchval("select answer from idempotency_keys where id = $1", f"clerk/{key}"))
        assert stored == {"status": 201, **answer}
        assert await count(pool, "events") == events + 2


async def test_batch_killed_and_repeated_publishes_every_event_once(
    broker_deployment: Deployment, running: ServiceProcess, broker: Broker
) -> None:
    """The process is killed with a backlog; afterwards each dossier has its two events, in sequence."""
    process = await answering(running)
    async with opened(broker_deployment, process) as (client, pool):
        events = await count(pool, "events")
        last = _serial(await client.walk_in())
        lines = [walk_in({"id": new_id()}) for _ in range(3000)]
        asked = asyncio.create_task(client.batch(lines))
        await eventually(lambda: _at_least(pool, events + 1200), within=30)
        process.kill()
        with pytest.raises(httpx.TransportError):
            await asked
        assert await count(pool, "events") < events + 6000
        process.launch()
        await answering(process)
        answers = await client.batch(lines)
        assert {answer["status"] for answer in answers} == {201}
        assert sorted(map(_serial, answers)) == list(range(last + 1, last + 3001))
        more = await client.batch(
            [line("record_step", {"id": answer["dossier_id"]}, data={"activity": "copied"}) for answer in answers[:10]]
        )
        assert {answer["sequence"] for answer in more} == {3}

        async def relayed() -> bool:
            return await count(pool, "outbox") == 0

        await eventually(relayed, within=30)
        ours = {one["dossier"]["id"] for one in lines}
        published = [(event.subject, event.sequence) for event in await read_events(broker.bootstrap, DOSSIERS)]
        seen_events = Counter(place for place in published if place[0] in ours)
        assert set(seen_events) == {(one, n) for one in ours for n in (1, 2)} | {
            (answer["dossier_id"], 3) for answer in answers[:10]
        }
        firsts: dict[str, list[int]] = {}
        for subject, sequence in published:
            if sequence not in firsts.setdefault(subject, []):
                firsts[subject].append(sequence)
        assert all(firsts[one] == sorted(firsts[one]) for one in ours)


def _serial(answer: dict[str, Any]) -> int:
    return int(answer["code"].rsplit("-", 1)[1])


async def _waits_for_a_lock(pool: asyncpg.Pool) -> bool:
    return bool(
        await pool.fetchval(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
    )


async def _no_lock_is_awaited(pool: asyncpg.Pool) -> bool:
    return not await _waits_for_a_lock(pool)


async def _at_least(pool: asyncpg.Pool, events: int) -> bool:
    return await count(pool, "events") >= events
