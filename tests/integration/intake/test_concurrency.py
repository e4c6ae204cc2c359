"""Concurrent requests, at one replica or two."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from shared.kernel.clock import Clock
from tests.integration.intake.deployment import KNOWN, Deployment, IntakeClient, count, fresh_key, in_process
from tests.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_two_replicas_draw_different_codes(deployment: Deployment) -> None:
    """Serials run from 1 without a gap at both replicas, for single acts and batches."""
    async with in_process(deployment) as (one, _), in_process(deployment, replica=1) as (two, _):
        lines = [{"key": fresh_key(), "act": "submit", "data": {"procedure": KNOWN, "receive": {}}} for _ in range(300)]
        singles = asyncio.gather(*(client.walk_in() for client in (one, two) for _ in range(40)))
        batches = asyncio.gather(one.batch(lines[:150]), two.batch(lines[150:]))
        first, second = await batches
        codes = [answer["code"] for answer in (*await singles, *first, *second)]
        assert sorted(int(code.rsplit("-", 1)[1]) for code in codes) == list(range(1, 381))


async def test_one_key_at_two_replicas_takes_effect_once(deployment: Deployment) -> None:
    """The second request waits for the first transaction; both get the same answer."""
    async with in_process(deployment) as (one, context), in_process(deployment, replica=1) as (two, _):
        await one.walk_in()  # creates the serial's row, which is now locked
        key = fresh_key()
        async with context.pool.acquire() as holder, holder.transaction():
            await holder.execute("select * from serials for update")
            asked = [asyncio.create_task(client.walk_in(key=key)) for client in (one, two)]
            await eventually(lambda: _waiting(context.pool, 2), within=10)
        first, second = await asyncio.gather(*asked)
        assert first == second
        assert first["code"].endswith("-0002")
        assert await count(context.pool, "events") == 4
        assert (await one.walk_in())["code"].endswith("-0003")


async def test_concurrent_repetitions_get_one_code(deployment: Deployment) -> None:
    """Twenty requests with one key at the same time take effect once."""
    async with in_process(deployment) as (one, context), in_process(deployment, replica=1) as (two, _):
        key = fresh_key()
        answers = await asyncio.gather(*(client.walk_in(key=key) for client in (one, two) for _ in range(10)))
        assert len({answer["code"] for answer in answers}) == 1
        assert await count(context.pool, "events") == 2


async def test_one_of_two_concurrent_acts_is_refused(client: IntakeClient) -> None:
    """Both are decided under the dossier's lock."""
    dossier = (await client.walk_in())["dossier_id"]
    both = await asyncio.gather(*(client.act(dossier, "take_over", "officer") for _ in range(2)))
    assert sorted(response.status_code for response in both) == [200, 409]


async def test_act_that_waited_for_a_lock_is_dated_after_the_wait(deployment: Deployment) -> None:
    """The clock is read under the lock, for the act's instant and its recording."""

    class Hand(Clock):
        now_is = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)

        def now(self) -> datetime:
            return self.now_is

    clock = Hand()
    async with in_process(deployment, clock=clock) as (one, context):
        dossier = (await one.walk_in())["dossier_id"]
        async with context.pool.acquire() as holder, holder.transaction():
            await holder.execute("select from dossiers where dossier_id = $1 for update", dossier)
            asked = asyncio.create_task(one.act(dossier, "take_over", "officer"))
            await eventually(lambda: _waiting(context.pool, 1), within=10)
            clock.now_is += timedelta(minutes=3)
        assert (await asked).json()["occurred_at"] == "2026-03-02T02:03:00Z"
        (entry,) = (await one.read(dossier)).json()["history"][2:]
        assert entry["occurred_at"] == entry["recorded_at"] == "2026-03-02T02:03:00Z"


async def _waiting(pool: asyncpg.Pool, wanted: int) -> bool:
    rows = await pool.fetchval(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )
    return int(rows) >= wanted
