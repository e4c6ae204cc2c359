"""Rate at which sla publishes due thresholds among millions of running clocks, and the cost of an empty poll.

`python -m tests.bench.ticker` inserts the clocks directly into sla's table, some of them with a due threshold, and runs
one or several replicas of sla on a durable database, with their relay. It prints the results and the load of unrelated
processes.
"""

import argparse
import asyncio
import sys
import time
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from uuid import UUID

import asyncpg

from services.sla.clocks.handlers import ClockHandlers
from services.sla.clocks.store import CLOCKS, ClockRow, any_due
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.rules import DerivationRules, catalogue_digest
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.fence import Fence
from shared.postgres.outbox import Publisher
from shared.postgres.pool import create_pool
from shared.postgres.unit_of_work import Unit
from shared.runtime.clock import machine_now
from tests.bench.bench import Bench
from tests.bench.machine import Meter
from tests.bench.sla_replicas import SlaReplicas, sla_replicas
from tests.support import eventually
from tests.support.dossier_events import DossierEvents

_OWN = ("dossier_id", "partition", "next_threshold_at")
# Copies every column of the template except its key, partition and next threshold.
_COPY = """
insert into dossiers ({columns}, dossier_id, partition, next_threshold_at)
select {columns}, gen_random_uuid(), n % 6, next_threshold_at + n * $2::interval
from dossiers, generate_series(1, $3) as n where dossier_id = $1
"""


def main() -> int:
    """Parse the options, measure, print the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ticker", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--pending", type=int, default=2_000_000)
    parser.add_argument("--due", type=int, default=100_000)
    parser.add_argument("--replicas", type=int, default=1)
    options = parser.parse_args()
    with sla_replicas("ticker", replicas=options.replicas) as sla:
        asyncio.run(_fill(sla.bench, sla.database, options.pending, options.due))
        with sla.started() as meter:
            asyncio.run(_run(sla, options.due, meter))
    return 0


async def _run(sla: SlaReplicas, due: int, meter: Meter) -> None:
    pool = await create_pool(sla.database, "sla")
    try:
        meter.restart()
        await eventually(partial(_has_started, pool), within=120, every=0.01)
        await eventually(partial(_has_ended, pool), within=900, every=0.05)
        usage = meter.usage()
        published = int(await pool.fetchval("select count(*) from events where type = 'deadline.near'"))
        result = f"{published:,} of {due:,} thresholds published in {usage.seconds:.1f} s"
        sla.bench.report(f"{result}, {sla.format_usage(usage, published)}")
        polls = []
        for _ in range(300):
            at = time.perf_counter()
            await any_due(pool, machine_now())
            polls.append(time.perf_counter() - at)
        sla.bench.report(f"an empty poll: {median(polls) * 1000:.2f} ms")
    finally:
        await pool.close()


async def _has_started(pool: asyncpg.Pool) -> bool:
    return bool(await pool.fetchval("select exists (select from events where type = 'deadline.near')"))


async def _has_ended(pool: asyncpg.Pool) -> bool:
    return not await any_due(pool, machine_now())


async def _fill(bench: Bench, url: str, pending: int, due: int) -> None:
    """Insert running clocks of five working days: `pending` ones, and `due` ones that have reached "near"."""
    pool = await create_pool(url, "sla")
    now = machine_now()
    worktime = compile_calendar(bench.centre.calendar).worktime
    try:
        for number, (count, received, apart) in enumerate(
            (
                (pending, worktime.from_opening(now) + timedelta(minutes=1), timedelta(seconds=1)),
                (due, worktime.back(now, timedelta(hours=35)), timedelta()),
            ),
            start=1,
        ):
            row = _received(bench, number, received, now)
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("set local statement_timeout = 0")  # longer than any service may take
                await CLOCKS.insert(connection, [row])
                columns = ", ".join(name for name in CLOCKS.columns if name not in _OWN)
                started = time.monotonic()
                await connection.execute(_COPY.format(columns=columns), row.key, apart, count - 1, timeout=1800)
            bench.report(f"{count:,} clocks inserted in {time.monotonic() - started:.0f} s")
        async with pool.acquire() as connection:
            await connection.execute("set statement_timeout = 0")
            await connection.execute("vacuum analyze dossiers", timeout=1800)
    finally:
        await pool.close()


def _received(bench: Bench, number: int, at: datetime, now: datetime) -> ClockRow:
    centre = bench.centre
    clocks = ClockHandlers(DerivationRules(centre, compile_calendar(centre.calendar), 1, catalogue_digest(centre)))
    today = centre.local_date(now)
    code, department = next(
        (code, found.departments[0])
        for code in centre.procedures
        if (found := centre.procedure(code, today)) is not None
        and found.term is not None
        and (found.term.unit, found.term.value, found.term.counting) == ("working_day", 5, "by_hours")
    )
    dossier = DossierEvents(start=at, dossier_id=UUID(int=number))
    rows: dict[UUID, ClockRow] = {}
    unit = Unit(CLOCKS, rows, Publisher("sla", centre.code, 1, centre.catalogue_version), now)
    act = dossier.received(code, department)
    clocks.by_event_type()[type(act.data)](act, unit)
    (row,) = rows.values()
    row.fences[DOSSIERS_TOPIC.name] = Fence(1, 1)
    return row


if __name__ == "__main__":
    sys.exit(main())
