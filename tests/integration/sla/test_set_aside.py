"""A clock that makes a worker's decision fail is set aside; the others continue."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from motcua.local.embedded import kafka
from services.sla.clocks import worker
from shared.contracts.topics import DOSSIERS
from shared.postgres import set_aside
from tests.integration.sla.site import Sla, sla_running
from tests.support import eventually
from tests.support.dossier_events import DossierEvents

RECEIVED = "2018-01-02 09:00"
FIRED = ["set", "near", "reached"]


async def rows_set_aside(sla: Sla) -> list[tuple[object, str]]:
    rows = await sla.context.pool.fetch("select key, worker, reason from set_aside_rows order by key")
    assert [row["reason"] for row in rows if ".py:" not in row["reason"]] == []
    return [(row["key"], row["worker"]) for row in rows]


@pytest.mark.parametrize("damage", ["due_at = null", "fences = '[1]'", "received_at = null"])
async def test_contradictory_clock_is_set_aside_by_the_ticker(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path, damage: str
) -> None:
    """The other clocks of its batch fire; after a correction and a release, it fires as well."""
    bad, *others = [DossierEvents() for _ in range(8)]
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(*[dossier.at(RECEIVED).received() for dossier in (bad, *others)])
        await sla.catch_up()
        before = dict(await sla.row(bad.dossier_id))
        await sla.context.pool.execute(f"update dossiers set {damage} where dossier_id = $1", bad.dossier_id)
        sla.clock.set("2018-01-03 10:00")
        ticking = asyncio.create_task(sla.ticker.worker.run())
        await eventually(lambda: _have_fired(sla, others), within=20)
        await eventually(lambda: _is_set_aside(sla, bad), within=20)
        assert await rows_set_aside(sla) == [(bad.dossier_id, "ticker")]
        assert sla.ticker.worker.reason_not_ready() is None
        assert await sla.types(bad.dossier_id) == ["set"]
        column = damage.split(" ")[0]
        await sla.context.pool.execute(
            f"update dossiers set {column} = $2 where dossier_id = $1", bad.dossier_id, before[column]
        )
        async with sla.context.pool.acquire() as connection:
            assert await set_aside.release(connection, "dossiers", bad.dossier_id)
        await eventually(lambda: _have_fired(sla, [bad]), within=20)
        ticking.cancel()


async def test_rows_that_cannot_fire_do_not_starve_others(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a batch of quarantined and set-aside clocks, all due before the others, are not claimed at all."""
    monkeypatch.setattr(worker, "_BATCH", 2)
    first, later = [DossierEvents() for _ in range(40)], [DossierEvents() for _ in range(12)]
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(*[dossier.at("2018-01-02 08:30").received() for dossier in first])
        await sla.consume(*[dossier.at(RECEIVED).received() for dossier in later])
        await sla.catch_up()
        half = [dossier.dossier_id for dossier in first[:20]]
        await sla.context.pool.execute(
            f"update dossiers set fences = jsonb_set(fences, '{{{DOSSIERS.name},2}}', 'true') "
            "where dossier_id = any($1::uuid[])",
            half,
        )
        await sla.context.pool.execute(
            "insert into set_aside_rows (table_name, key, worker, reason) "
            "select 'dossiers', unnest($1::uuid[]), 'test', 'test'",
            [dossier.dossier_id for dossier in first[20:]],
        )
        sla.clock.set("2018-01-03 10:00")
        await sla.tick()
        assert [await sla.types(dossier.dossier_id) for dossier in later] == [FIRED] * len(later)
        assert [await sla.types(dossier.dossier_id) for dossier in first] == [["set"]] * len(first)


async def test_contradictory_clock_is_set_aside_by_the_sweep(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """The others are derived by the version in force."""
    bad, *others = [DossierEvents() for _ in range(4)]
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await _derive_again(sla, bad, others, outdated="calendar_version = 0")
        await eventually(lambda: _are_swept(sla, others), within=20)
        assert await rows_set_aside(sla) == [(bad.dossier_id, "sweep")]
        assert await sla.sweep.step() > 0, "an idle sweep waits"


async def test_contradictory_clock_is_set_aside_by_the_rederivation(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """A start with another catalogue derives the other clocks."""
    bad, *others = [DossierEvents() for _ in range(4)]
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await _derive_again(sla, bad, others, outdated="rules_digest = 'other'")
        await sla.ticker.rederive()
        assert await rows_set_aside(sla) == [(bad.dossier_id, "ticker")]
        assert await sla.context.pool.fetchval("select count(*) from dossiers where rules_digest = 'other'") == 1


async def test_fault_of_every_clock_sets_none_aside(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """If twenty clocks fail and none succeeds, the rows are not the cause: the step fails, and the reason is shown."""
    dossiers = [DossierEvents() for _ in range(150)]
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(*[dossier.at(RECEIVED).received() for dossier in dossiers])
        await sla.catch_up()
        await sla.context.pool.execute("update dossiers set due_at = null")
        sla.clock.set("2018-01-03 10:00")
        ticking = asyncio.create_task(sla.ticker.worker.run())

        def reason() -> str:
            return sla.ticker.worker.reason_not_ready() or ""

        await eventually(lambda: reason() == "every step fails: AssertionError; see the log", within=20)
        assert await rows_set_aside(sla) == []
        ticking.cancel()


async def _have_fired(sla: Sla, dossiers: list[DossierEvents]) -> bool:
    return [await sla.types(dossier.dossier_id) for dossier in dossiers] == [FIRED] * len(dossiers)


async def _are_swept(sla: Sla, dossiers: list[DossierEvents]) -> bool:
    await sla.sweep.step()
    return {(await sla.row(dossier.dossier_id))["calendar_version"] for dossier in dossiers} == {1}


async def _is_set_aside(sla: Sla, dossier: DossierEvents) -> bool:
    return (dossier.dossier_id, "ticker") in await rows_set_aside(sla)


async def _derive_again(sla: Sla, bad: DossierEvents, others: Sequence[DossierEvents], *, outdated: str) -> None:
    """Receive the dossiers; mark every clock as derived by other rules, and make the bad one contradictory."""
    await sla.consume(*[dossier.at(RECEIVED).received() for dossier in (bad, *others)])
    await sla.catch_up()
    await sla.context.pool.execute(f"update dossiers set {outdated}")
    await sla.context.pool.execute("update dossiers set changes = '[{}]' where dossier_id = $1", bad.dossier_id)
