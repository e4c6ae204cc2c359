"""The ticker with a real broker and database: each threshold fires once, and only if it has passed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from motcua.local.embedded import kafka
from services.sla.app import load_rules
from services.sla.clocks import store
from services.sla.clocks.handlers import ClockHandlers
from services.sla.clocks.worker import Ticker
from shared.contracts.deadlines import ThresholdEvent
from shared.contracts.topics import DOSSIERS
from shared.messaging.relay import partition_of
from tests.integration.sla.site import Sla, sla_running
from tests.support import eventually
from tests.support.centre_folder import edited, write_centre
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import send
from tests.unit.sla.builders import local

RECEIVED = "2018-01-02 09:00"  # one working day: due on 3 January 09:00, near at half the term, breached at 24:00
AFTER = "2018-01-04 08:00"


async def test_each_threshold_is_published_once(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """Each has its own instant, however late the tick; a second tick publishes nothing."""
    dossier = DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(dossier.at(RECEIVED).received())
        await sla.tick()
        assert await sla.types(dossier.dossier_id) == ["set"]
        sla.clock.set(AFTER)
        await sla.tick()
        assert [(event.type, local(event.time)) for event in await sla.published(dossier.dossier_id)][1:] == [
            ("deadline.near", "2018-01-02 15:00"),
            ("deadline.reached", "2018-01-03 09:00"),
            ("deadline.breached", "2018-01-04 00:00"),
        ]
        assert await sla.ticker.tick() == 0
        assert (
            local((await sla.row(dossier.dossier_id))["next_threshold_at"]) == "2018-01-04 17:00"
        )  # the first escalation


async def test_only_thresholds_count_as_fired(sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path) -> None:
    """A due date that is published again in the same transaction is not counted."""
    dossier = DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(dossier.at(RECEIVED).received())
        await sla.context.pool.execute("update dossiers set rules_digest = 'other', published_digest = 'other'")
        sla.clock.set(AFTER)
        await sla.catch_up()
        before = await _threshold_events(sla)
        assert await sla.ticker.tick() == await _threshold_events(sla) - before
        assert await sla.types(dossier.dossier_id) == ["set", "set", "near", "reached", "breached"]


async def test_no_threshold_fires_before_the_end_offset_is_reached(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """A settlement on Kafka that has not taken effect yet stops the ticker."""
    dossier = DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(dossier.at(RECEIVED).received())
        partition = (await sla.row(dossier.dossier_id))["partition"]
        async with _locking(url, f"select from stored_offsets where partition = {partition} for update"):
            await send(sla.bootstrap, [dossier.at("2018-01-02 10:00").settled()])
            sla.clock.set(AFTER)
            await sla.ticker.tick()
            assert await sla.types(dossier.dossier_id) == ["set"]
        await eventually(lambda: _has(sla.types(dossier.dossier_id), ["set", "ended"]), within=20)
        await sla.tick()
        assert await sla.types(dossier.dossier_id) == ["set", "ended"]


async def test_settlement_recorded_late_retracts_thresholds_for_good(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """A settlement before the due date, recorded after the breach, retracts the thresholds once."""
    dossier = DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(dossier.at(RECEIVED).received())
        sla.clock.set(AFTER)
        await sla.tick()
        await sla.consume(dossier.at("2018-01-03 08:00", recorded=AFTER).settled())
        sla.clock.set("2018-02-01 08:00")
        await sla.tick()
        assert await sla.types(dossier.dossier_id) == [
            *("set", "near", "reached", "breached"),
            *("retracted", "retracted", "ended"),
        ]


async def test_retracted_threshold_fires_again_when_it_passes(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """A pause recorded late retracts near; after the resumption the same due date is near again."""
    dossier = DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(dossier.at(RECEIVED).received())
        sla.clock.set("2018-01-03 08:00")
        await sla.tick()
        await sla.consume(
            dossier.at("2018-01-02 14:00", recorded="2018-01-03 08:30").supplement_required(),
            dossier.at("2018-01-02 14:00").supplement_received(),  # at once: the due date stays what it was
        )
        assert await sla.types(dossier.dossier_id) == ["set", "near", "retracted", "paused", "set"]
        await sla.tick()
        near, again = [event for event in await sla.published(dossier.dossier_id) if event.type == "deadline.near"]
        assert near.data.model_dump()["due_at"] == again.data.model_dump()["due_at"]
        assert near.id != again.id


async def test_risk_and_long_pause_are_published(sla_broker: kafka.Broker, url: str, tmp_path: Path) -> None:
    """The steps need three hours and five, and five are left at 14:00; a pause may last a working day."""
    steps = "procedure,step,department,term_value,term_unit,valid_from,valid_to,decision,invented,note\n"
    for number, department, hours in ((1, "STP", 3), (2, "STC", 5)):
        steps += f"2.000908,{number},{department},{hours},working_hour,2017-04-28,,07/QĐ,,\n"
    settings = edited("centre.toml", "pause_ceiling_working_days = 30", "pause_ceiling_working_days = 1")
    centre, dossier = write_centre(tmp_path / "centre", steps_csv=steps, centre_toml=settings), DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(dossier.at(RECEIVED).received())
        assert local((await sla.row(dossier.dossier_id))["next_threshold_at"]) == "2018-01-02 14:00"
        sla.clock.set("2018-01-02 14:30")
        await sla.tick()
        shown = await sla.deadline(dossier.dossier_id)
        assert (shown["step"], shown["at_risk_since"]) == (1, "2018-01-02T07:00:00Z")
        await sla.consume(dossier.at("2018-01-02 14:40").supplement_required())
        assert (await sla.deadline(dossier.dossier_id))["at_risk_since"] is None
        sla.clock.set("2018-01-03 14:50")
        await sla.tick()
        assert [(event.type, local(event.time)) for event in await sla.published(dossier.dossier_id)][1:] == [
            ("deadline.at_risk", "2018-01-02 14:00"),
            ("deadline.paused", "2018-01-02 14:40"),
            ("deadline.pause_exceeded", "2018-01-03 14:40"),
        ]
        assert (await sla.row(dossier.dossier_id))["next_threshold_at"] is None


async def test_concurrent_tickers_fire_once(sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path) -> None:
    """While one ticker's transaction is open, another skips its clocks at once; afterwards none is pending."""
    several = [DossierEvents() for _ in range(20)]
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(*[dossier.at(RECEIVED).received() for dossier in several])
        await sla.catch_up()
        other = Ticker(sla.context, ClockHandlers(await load_rules(sla.context)), sla.consumer, tick_seconds=1)
        sla.clock.set("2018-01-03 10:00")
        async with _locking(url, "lock table outbox in exclusive mode"):
            first = asyncio.create_task(sla.ticker.tick())
            await eventually(lambda: _waits_for_outbox(sla.context.pool), within=10)
            assert await asyncio.wait_for(other.tick(), 8) == 0
            assert not first.done()
        assert await first >= 2 * len(several)
        assert await other.tick() == 0
        for dossier in several:
            assert await sla.types(dossier.dossier_id) == ["set", "near", "reached"]


async def test_locked_clock_fires_by_its_committed_state(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """A clock that an act is changing is skipped; the next tick reads the result."""
    dossier = DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(dossier.at(RECEIVED).received())
        sla.clock.set("2018-01-03 10:00")
        async with _locking(
            url, f"select from dossiers where dossier_id = '{dossier.dossier_id}' for update"
        ) as connection:
            await asyncio.wait_for(sla.ticker.tick(), 8)
            assert await sla.types(dossier.dossier_id) == ["set"]
            await connection.execute(
                "update dossiers set next_threshold_at = null where dossier_id = $1", dossier.dossier_id
            )
        await sla.tick()
        assert await sla.types(dossier.dossier_id) == ["set"]


async def test_no_threshold_fires_for_a_dossier_with_quarantined_records(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """The record that waits for its predecessor may be the act that prevents the threshold; other dossiers fire."""
    gap, whole = DossierEvents(), DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(gap.at(RECEIVED).received(), whole.at(RECEIVED).received())
        missing, settled = gap.at("2018-01-02 10:00").step_recorded(), gap.at("2018-01-02 11:00").settled()
        await send(sla.bootstrap, [settled])
        await eventually(lambda: _is_quarantined(sla.context.pool, str(gap.dossier_id)), within=20)
        sla.clock.set("2018-01-03 10:00")
        await sla.tick()
        assert await sla.types(gap.dossier_id) == ["set"]
        assert await sla.types(whole.dossier_id) == ["set", "near", "reached"]
        await sla.consume(missing, settled)
        await sla.tick()
        assert await sla.types(gap.dossier_id) == ["set", "ended"]


async def test_no_threshold_fires_without_the_broker(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """Without an end offset, an act from before the threshold may be on Kafka unread."""
    dossier = DossierEvents()
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(dossier.at(RECEIVED).received())
        sla.clock.set("2018-01-03 10:00")
        sla_broker.kill()
        try:
            assert await store.any_due(sla.context.pool, sla.clock.now())
            assert await sla.ticker.tick() == 0
            assert await sla.types(dossier.dossier_id) == ["set"]
        finally:
            sla_broker.start()


async def test_replica_fires_only_clocks_of_its_partitions(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """A replica does not know how far another one has read its partitions."""
    several = [DossierEvents() for _ in range(24)]
    start = {"centre": centre, "now": RECEIVED}
    async with sla_running(sla_broker.bootstrap, url, tmp_path, **start) as one:  # type: ignore[arg-type] # see start
        await one.consume(*[dossier.at(RECEIVED).received() for dossier in several])
        async with sla_running(sla_broker.bootstrap, url, tmp_path, member="sla-1", **start) as two:  # type: ignore[arg-type]
            await eventually(lambda: _both_consume(one, two), within=30)
            mine = await two.consumer.caught_up(DOSSIERS)
            two.clock.set("2018-01-03 10:00")
            await two.tick()
            for dossier in several:
                is_mine = partition_of(str(dossier.dossier_id).encode(), DOSSIERS.partitions) in mine
                assert await two.types(dossier.dossier_id) == (["set", "near", "reached"] if is_mine else ["set"])
            one.clock.set("2018-01-03 10:00")
            await one.tick()
            for dossier in several:
                assert await one.types(dossier.dossier_id) == ["set", "near", "reached"]


@asynccontextmanager
async def _locking(url: str, statement: str) -> AsyncIterator[asyncpg.Connection]:
    """Another transaction, which is open during the block."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(statement)
            yield connection
    finally:
        await connection.close()


async def _has(found: Awaitable[list[str]], expected: list[str]) -> bool:
    return await found == expected


async def _waits_for_outbox(pool: asyncpg.Pool) -> bool:
    return bool(
        await pool.fetchval(
            "select exists (select from pg_locks where not granted "
            "and relation = 'outbox'::regclass and mode = 'RowExclusiveLock')"
        )
    )


async def _is_quarantined(pool: asyncpg.Pool, key: str) -> bool:
    """Whether a record of that key is quarantined."""
    return bool(await pool.fetchval("select exists (select from quarantined_records where key = $1)", key))


async def _both_consume(one: Sla, two: Sla) -> bool:
    """Whether each replica consumes some partitions, and together they consume all."""
    first, second = [await each.consumer.caught_up(DOSSIERS) for each in (one, two)]
    return bool(first and second) and first | second == set(range(DOSSIERS.partitions)) and not first & second


async def _threshold_events(sla: Sla) -> int:
    """The number of published thresholds of all dossiers."""
    levels = [event.TYPE for event in ThresholdEvent.__subclasses__()]
    return int(await sla.context.pool.fetchval("select count(*) from events where type = any($1)", levels))
