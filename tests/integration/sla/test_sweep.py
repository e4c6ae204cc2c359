"""The sweep after an approval: every open clock is derived by the new calendar and published once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from motcua.local.embedded import kafka
from services.sla.calendars import worker as sweep_module
from services.sla.clocks.store import advance_unaffected, count_outdated
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.calendar_changes import unaffected_clocks
from shared.contracts.deadlines import DeadlineMovedV1
from shared.contracts.topics import DOSSIERS
from shared.kernel.calendar_rules import CalendarException
from tests.integration.sla.site import Sla, sla_running
from tests.integration.sla.test_calendars import OFF, decide, propose
from tests.support import eventually
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import send
from tests.unit.sla.builders import at, local

STORM = CalendarException(date(2018, 1, 23), "off", "decided", (), "Nghỉ bão", "9/QĐ", at("2018-01-09 09:00"))
MONDAY = "2018-01-08 09:00"


async def approve(sla: Sla, number: int = 1, day: str = "2018-01-09") -> None:
    """Make that date a day off by the leader's decision with this number."""
    async with sla.client("leader") as leader:
        made = (await propose(leader, f"p-{number}", exceptions=[OFF | {"date": day}])).json()
        approved = await decide(leader, made["proposal_id"], "approve", f"a-{number}", decision=f"{number}/QĐ")
        assert approved.status_code == 200, approved.text


@asynccontextmanager
async def locking(url: str, statement: str, *values: object) -> AsyncIterator[None]:
    """Another transaction, which is open during the block and rolled back at its end."""
    connection = await asyncpg.connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(statement, *values)
        yield
        await transaction.rollback()
    finally:
        await connection.close()


async def test_sweep_moves_every_open_clock_once(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """The event has both dates and the decision; paused and ended clocks stay, and a second sweep has no effect."""
    running, late, paused, ended = DossierEvents(), DossierEvents(), DossierEvents(), DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-08 16:00") as sla:
        await sla.consume(running.at(MONDAY).received(), late.at("2018-01-10 09:00").received())
        await sla.consume(paused.at(MONDAY).received(), paused.at("2018-01-08 10:00").supplement_required())
        await sla.consume(ended.at(MONDAY).received(), ended.at("2018-01-08 10:00").settled())
        await sla.catch_up()
        await approve(sla)
        assert await count_outdated(sla.context.pool) >= 3
        await sla.sweep_all()
        await sla.sweep_all()
        moved = (await sla.published(running.dossier_id))[-1].data
        assert isinstance(moved, DeadlineMovedV1)
        assert (local(moved.previous_due_at), local(moved.due_at), moved.decided_by, moved.calendar_version) == (
            "2018-01-09 09:00",
            "2018-01-10 09:00",
            "1/QĐ",
            2,
        )
        assert [await sla.types(each.dossier_id) for each in (running, late, paused, ended)] == [
            ["set", "moved"],
            ["set"],
            ["set", "paused"],
            ["set", "ended"],
        ]
        assert (await sla.row(ended.dossier_id))["calendar_version"] == 1


async def test_clock_started_by_the_old_version_during_the_sweep_is_moved(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """Its transaction read the version before the approval and commits after the sweep; the next step finds it."""
    before, late = DossierEvents(), DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY) as sla:
        await sla.consume(before.at(MONDAY).received())
        async with locking(
            url,
            "insert into dossiers (dossier_id, sequence, fences, partition, dossier_sequence, changes, generation, "
            "fired) values ($1, 0, '{}', 0, 0, '[]', 0, '[]')",
            late.dossier_id,
        ):
            await send(sla.bootstrap, [late.at(MONDAY).received()])
            await eventually(
                lambda: _is_blocked(sla.context.pool), within=10
            )  # decided, and its row cannot be written yet
            await approve(sla)
            await sla.sweep_all()
            assert await sla.types(before.dossier_id) == ["set", "moved"]
            assert await sla.types(late.dossier_id) == []
        await eventually(lambda: _has_published(sla, late), within=20)
        assert (await sla.row(late.dossier_id))["calendar_version"] == 1
        await sla.sweep_all()
        assert await sla.types(late.dossier_id) == ["set", "moved"]
        assert local((await sla.row(late.dossier_id))["due_at"]) == "2018-01-10 09:00"


async def test_replica_with_the_old_calendar_does_not_move_dates_back(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """One replica approves and sweeps; the other, which compiled the previous calendar, consumes the next acts."""
    several = [DossierEvents() for _ in range(24)]
    start = {"centre": centre, "now": MONDAY}
    async with sla_running(sla_broker.bootstrap, url, tmp_path, **start) as one:  # type: ignore[arg-type] # see start
        await one.consume(*[dossier.at(MONDAY).received() for dossier in several])
        async with sla_running(sla_broker.bootstrap, url, tmp_path, member="sla-1", **start) as two:  # type: ignore[arg-type]
            await eventually(lambda: _both_consume(one, two), within=30)
            await approve(one)
            await one.sweep_all()
            await two.consume(*[dossier.at("2018-01-08 10:00").supplement_required() for dossier in several])
            await two.consume(*[dossier.at("2018-01-08 10:00").supplement_received() for dossier in several])
            for dossier in several:
                assert await one.types(dossier.dossier_id) == ["set", "moved", "paused", "set"]
                last = (await one.published(dossier.dossier_id))[-1].data.model_dump()
                assert (local(last["due_at"]), last["calendar_version"]) == ("2018-01-10 09:00", 2)


async def test_act_before_the_sweep_uses_the_new_calendar(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """The move is published before the act's deadline, and the sweep finds no clock left."""
    dossier, new = DossierEvents(), DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY) as sla:
        await sla.consume(dossier.at(MONDAY).received())
        await approve(sla)
        await sla.consume(dossier.at("2018-01-08 10:00").supplement_required(), new.at(MONDAY).received())
        assert await sla.types(dossier.dossier_id) == ["set", "moved", "paused"]
        assert await sla.types(new.dossier_id) == ["set"]
        assert local((await sla.row(new.dossier_id))["due_at"]) == "2018-01-10 09:00"


async def test_replicas_sweep_concurrently(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither waits for the other, and no clock is published twice."""
    monkeypatch.setattr(sweep_module, "BATCH", 7)
    several = [DossierEvents() for _ in range(60)]
    start = {"centre": centre, "now": MONDAY}
    async with sla_running(sla_broker.bootstrap, url, tmp_path, **start) as one:  # type: ignore[arg-type] # see start
        await one.consume(*[dossier.at(MONDAY).received() for dossier in several])
        await approve(one)
        async with sla_running(sla_broker.bootstrap, url, tmp_path, member="sla-1", **start) as two:  # type: ignore[arg-type]
            await asyncio.gather(one.sweep_all(), two.sweep_all())
            for dossier in several:
                assert await one.types(dossier.dossier_id) == ["set", "moved"]


async def test_long_outbox_delays_the_sweep(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events of acts do not wait for a whole sweep; when the relay has sent them, the sweep continues."""
    monkeypatch.setattr(sweep_module, "SHORT_ROWS", 1)
    dossier = DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY) as sla:
        await sla.consume(dossier.at(MONDAY).received())
        sla_broker.kill()
        try:
            await approve(sla)  # its event waits for Kafka
            assert await sla.sweep.step() < 1
            assert await sla.types(dossier.dossier_id) == ["set"]
        finally:
            sla_broker.start()
        await sla.sweep_all()
        assert await sla.types(dossier.dossier_id) == ["set", "moved"]


async def test_locked_clock_is_swept_in_the_next_pass(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep skips a locked row, and returns to it although its key is before the present one."""
    monkeypatch.setattr(sweep_module, "BATCH", 1)
    held_up, *others = sorted((DossierEvents() for _ in range(5)), key=lambda dossier: dossier.dossier_id)
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY) as sla:
        await sla.consume(*[dossier.at(MONDAY).received() for dossier in (held_up, *others)])
        await approve(sla)

        async def others_moved() -> bool:
            await asyncio.wait_for(sla.sweep.step(), 8)
            return all([await sla.types(dossier.dossier_id) == ["set", "moved"] for dossier in others])

        async with locking(url, "select from dossiers where dossier_id = $1 for update", held_up.dossier_id):
            await eventually(others_moved, within=30, every=0)
            assert await sla.types(held_up.dossier_id) == ["set"]
        await sla.sweep_all()
        assert await sla.types(held_up.dossier_id) == ["set", "moved"]


async def _is_blocked(pool: asyncpg.Pool) -> bool:
    """Whether a transaction of the service waits for another one that writes the same row."""
    return bool(await pool.fetchval("select exists (select from pg_locks where not granted)"))


async def _has_published(sla: Sla, dossier: DossierEvents) -> bool:
    """Whether an event of the dossier was published."""
    return bool(await sla.types(dossier.dossier_id))


async def _both_consume(one: Sla, two: Sla) -> bool:
    """Whether each replica consumes some partitions, and together they consume all."""
    first, second = [await each.consumer.caught_up(DOSSIERS) for each in (one, two)]
    return bool(first and second) and first | second == set(range(DOSSIERS.partitions)) and not first & second


async def test_unaffected_clocks_are_advanced_without_derivation(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """These are clocks due, with all thresholds, before the first changed date, and clocks received after the last."""
    early, near_by, after, paused, other = (DossierEvents() for _ in range(5))
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-24 16:00") as sla:
        for dossier in (early, paused, other):
            await sla.consume(dossier.at(MONDAY).received())
        await sla.consume(paused.at("2018-01-08 10:00").supplement_required())
        await sla.consume(near_by.at("2018-01-17 09:00").received(), after.at("2018-01-24 00:00").received())
        pool, mine = sla.context.pool, [dossier.dossier_id for dossier in (early, near_by, after, paused, other)]
        await pool.execute("update dossiers set calendar_version = 0 where not dossier_id = any($1)", mine)  # of others
        await pool.execute("update dossiers set rules_digest = 'older' where dossier_id = $1", other.dossier_id)
        rules = compile_calendar(
            replace(sla.context.centre.calendar, exceptions=(*sla.context.centre.calendar.exceptions, STORM))
        )
        found = unaffected_clocks(sla.context.centre.calendar, rules, timedelta(hours=24))
        assert found is not None
        assert [local(each) for each in (found.due_before, found.received_from)] == [
            "2018-01-18 00:00",
            "2018-01-24 00:00",
        ]
        name = await pool.fetchval("select rules_digest from dossiers where dossier_id = $1", early.dossier_id)
        last: UUID | None = UUID(int=0)
        raised = 0
        while last is not None:
            last, count = await advance_unaffected(
                pool, 1, 2, name, due_before=found.due_before, received_from=found.received_from, after=last, limit=2
            )
            raised += count
        versions = [(await sla.row(each))["calendar_version"] for each in mine]
        assert (versions, raised) == ([2, 1, 2, 1, 1], 2)
