"""kill -9: what was answered stays, what was not is safe to send again."""

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
from tests.integration.intake.office import House, Office, build_house, count, fresh_key
from tests.integration.intake.test_batch import line, new_id, walk_in
from tests.support import Databases, eventually, free_port
from tests.support.asking import asked
from tests.support.kafka import read_events
from tests.support.service_process import ServiceProcess


@pytest.fixture(scope="module")
def whole_house(postgres: Postgres, broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Schema, keys and topics for this module; nothing runs yet."""
    asyncio.run(create_topics(broker.bootstrap, TOPICS.values(), replication=1))
    databases = Databases(postgres)
    yield build_house(databases.fresh(), tmp_path_factory.mktemp("intake"), broker.bootstrap)
    databases.drop_all()


@pytest.fixture(scope="module")
def running(whole_house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """One replica as a process, launched again by whoever killed it."""
    log = tmp_path_factory.mktemp("log") / "intake.log"
    process = ServiceProcess("intake", whole_house.environment(0, free_port()), log)
    process.launch()
    yield process
    process.stop()


async def answering(process: ServiceProcess) -> ServiceProcess:
    """The process, once it answers; its consumer may still be joining the group."""

    async def alive() -> bool:
        try:
            return (await asked(f"{process.url}/healthz")).status_code == 200
        except httpx.TransportError:
            return False

    await eventually(alive, within=40)
    return process


@asynccontextmanager
async def seen(house: House, process: ServiceProcess) -> AsyncIterator[tuple[Office, asyncpg.Pool]]:
    """A client of the process, and a look into its database."""
    pool = await create_pool(house.database, "intake", size=3)
    async with httpx.AsyncClient(timeout=60) as http:
        try:
            yield Office(process.url, house.tokens, http), pool
        finally:
            await pool.close()


async def test_killed_before_the_commit_nothing_happened(whole_house: House, running: ServiceProcess) -> None:
    """The act waits for a serial when its process dies; sent again, it takes effect once."""
    process = await answering(running)
    async with seen(whole_house, process) as (office, pool):
        first = await office.walk_in()
        events = await count(pool, "events")
        key = fresh_key()
        async with pool.acquire() as holder, holder.transaction():
            await holder.execute("select * from serials for update")
            asked = asyncio.create_task(office.walk_in(key=key))
            await eventually(lambda: _waits_for_a_lock(pool), within=10)
            process.kill()
            with pytest.raises(httpx.TransportError):
                await asked
        await eventually(lambda: _nobody_waits(pool), within=20)
        assert await count(pool, "events") == events
        process.launch()
        await answering(process)
        answer = await office.walk_in(key=key)
        assert _serial(answer) == _serial(first) + 1
        assert await count(pool, "events") == events + 2


async def test_killed_after_the_commit_the_answer_is_had_again(whole_house: House, running: ServiceProcess) -> None:
    """The client never read an answer; with the same key it gets the one that was decided."""
    process = await answering(running)
    async with seen(whole_house, process) as (office, pool):
        events = await count(pool, "events")
        key = fresh_key()
        body = json.dumps({"data": {"procedure": "2.000908", "receive": {}}}).encode()
        host, port = office.base.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        headers = office.headers("clerk", key) | {"Host": host, "Content-Type": "application/json"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST /dossiers HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await eventually(lambda: count(pool, "idempotency_keys", id=f"clerk/{key}"), within=10)
        process.kill()
        writer.close()
        process.launch()
        await answering(process)
        answer = await office.walk_in(key=key)
        stored = json.loads(await pool.fetchval("select answer from idempotency_keys where id = $1", f"clerk/{key}"))
        assert stored == {"status": 201, **answer}
        assert await count(pool, "events") == events + 2


async def test_killed_in_a_batch_it_is_sent_again_and_every_event_reaches_kafka_once(
    whole_house: House, running: ServiceProcess, broker: Broker
) -> None:
    """With a backlog at the moment of the kill; afterwards each dossier has its two events, in sequence."""
    process = await answering(running)
    async with seen(whole_house, process) as (office, pool):
        events = await count(pool, "events")
        last = _serial(await office.walk_in())
        lines = [walk_in({"id": new_id()}) for _ in range(3000)]
        asked = asyncio.create_task(office.batch(lines))
        await eventually(lambda: _at_least(pool, events + 1200), within=30)
        process.kill()
        with pytest.raises(httpx.TransportError):
            await asked
        assert await count(pool, "events") < events + 6000
        process.launch()
        await answering(process)
        answers = await office.batch(lines)
        assert {answer["status"] for answer in answers} == {201}
        assert sorted(map(_serial, answers)) == list(range(last + 1, last + 3001))
        more = await office.batch(
            [line("record_step", {"id": answer["dossier_id"]}, data={"activity": "copied"}) for answer in answers[:10]]
        )
        assert {answer["sequence"] for answer in more} == {3}

        async def relayed() -> bool:
            return await count(pool, "outbox") == 0

        await eventually(relayed, within=30)
        ours = {given["dossier"]["id"] for given in lines}
        told = [(event.subject, event.sequence) for event in await read_events(broker.bootstrap, DOSSIERS)]
        seen_events = Counter(place for place in told if place[0] in ours)
        assert set(seen_events) == {(one, n) for one in ours for n in (1, 2)} | {
            (answer["dossier_id"], 3) for answer in answers[:10]
        }
        firsts: dict[str, list[int]] = {}
        for subject, sequence in told:
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


async def _nobody_waits(pool: asyncpg.Pool) -> bool:
    return not await _waits_for_a_lock(pool)


async def _at_least(pool: asyncpg.Pool, events: int) -> bool:
    return await count(pool, "events") >= events
