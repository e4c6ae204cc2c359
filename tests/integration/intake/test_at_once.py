"""Two replicas, or two requests, at the same time."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from shared.kernel.clock import Clock
from tests.integration.intake.office import KNOWN, House, Office, count, fresh_key, in_process
from tests.support import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_two_replicas_never_draw_the_same_code(house: House) -> None:
    """Serials run from 1 without a gap, whichever replica draws them, singly or in blocks."""
    async with in_process(house) as (one, _), in_process(house, replica=1) as (two, _):
        lines = [{"key": fresh_key(), "act": "submit", "data": {"procedure": KNOWN, "receive": {}}} for _ in range(300)]
        singles = asyncio.gather(*(office.walk_in() for office in (one, two) for _ in range(40)))
        batches = asyncio.gather(one.batch(lines[:150]), two.batch(lines[150:]))
        first, second = await batches
        codes = [answer["code"] for answer in (*await singles, *first, *second)]
        assert sorted(int(code.rsplit("-", 1)[1]) for code in codes) == list(range(1, 381))


async def test_one_key_at_two_replicas_has_one_effect(house: House) -> None:
    """While the first transaction is held open, the second waits; then both get the same answer."""
    async with in_process(house) as (one, context), in_process(house, replica=1) as (two, _):
        await one.walk_in()  # makes the serial's row, which is now held
        key = fresh_key()
        async with context.pool.acquire() as holder, holder.transaction():
            await holder.execute("select * from serials for update")
            asked = [asyncio.create_task(office.walk_in(key=key)) for office in (one, two)]
            await eventually(lambda: _waiting(context.pool, 2), within=10)
        first, second = await asyncio.gather(*asked)
        assert first == second
        assert first["code"].endswith("-0002")
        assert await count(context.pool, "events") == 4
        assert (await one.walk_in())["code"].endswith("-0003")


async def test_a_retried_request_gets_no_second_code(house: House) -> None:
    """The same key at the same time, many times over."""
    async with in_process(house) as (one, context), in_process(house, replica=1) as (two, _):
        key = fresh_key()
        answers = await asyncio.gather(*(office.walk_in(key=key) for office in (one, two) for _ in range(10)))
        assert len({answer["code"] for answer in answers}) == 1
        assert await count(context.pool, "events") == 2


async def test_one_act_of_two_wins(office: Office) -> None:
    """Both judge the state under the dossier's lock."""
    dossier = (await office.walk_in())["dossier_id"]
    both = await asyncio.gather(*(office.act(dossier, "take_over", "officer") for _ in range(2)))
    assert sorted(response.status_code for response in both) == [200, 409]


async def test_an_act_that_waited_for_its_dossier_happened_when_it_got_it(house: House) -> None:
    """The clock is read under the lock: a long wait does not date the act, or its record, before the wait's end."""

    class Hand(Clock):
        now_is = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)

        def now(self) -> datetime:
            return self.now_is

    clock = Hand()
    async with in_process(house, clock=clock) as (one, context):
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
