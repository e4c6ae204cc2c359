"""The delivery shell without any service: the client, decoding, the bare consumer and the relay on the same records."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from motcua.local.database import create_database, url_for
from tests.bench.bench import Bench, NoResultError
from tests.bench.delivery_stages import (
    STEPS,
    client_alone,
    client_and_decoding,
    consume,
    fill,
    forget,
    measured,
    relay,
)
from tests.bench.figures import Part, Row, Table, series
from tests.bench.machine import Meter
from tests.support.delivery import SERVICE
from tests.support.shell import Shell, opened
from tests.support.unique import unique

AIM = 15_000.0
PARTITIONS = 6
CLIENT_ALONE = "aiokafka getmany, nothing else"
DECODED = "the same, every value decoded"
STATE = "bare consumer, state only"
TOLD = "bare consumer, one event told for each"
RELAY = "relay alone, whole backlog"


def run(bench: Bench) -> Part:
    """Every line several times on one topic; consumer and relay each on empty tables."""
    with bench.servers("shell") as (broker, postgres):
        create_database(postgres.url, services=[SERVICE])
        folder = broker.folder.parent / "migrations"
        dsn = url_for(postgres.url, SERVICE)
        assert broker.pid is not None, "it was started"
        assert postgres.pid is not None, "it was started"
        meter = Meter({"kafka": broker.pid, "postgres": postgres.pid})
        return asyncio.run(_run(bench, broker.bootstrap, dsn, folder, meter))


async def _run(bench: Bench, bootstrap: str, dsn: str, folder: Path, meter: Meter) -> Part:
    records = bench.sizes.events
    found: dict[str, list[dict[str, float]]] = {}
    others = []
    async with opened(bootstrap, dsn, folder) as shell:
        topic = await shell.topic("in", partitions=PARTITIONS)
        size = await fill(shell, topic, records)

        async def once(name: str, work: Callable[[], Awaitable[None]]) -> None:
            meter.again()
            wall, cpu = await measured(f"  {name}", records, work, profile=False)
            spent = meter.spent()
            others.append(spent.others)
            found.setdefault(name, []).append(
                {
                    "events": records / wall,
                    "own": cpu / records * 1e6,
                    "postgres": spent.cpu["postgres"] / records * 1e6,
                    "kafka": spent.cpu["kafka"] / records * 1e6,
                }
            )

        for _ in range(bench.sizes.runs):
            out = await shell.topic("out", partitions=PARTITIONS)
            await once(CLIENT_ALONE, partial(client_alone, shell, topic))
            await once(DECODED, partial(client_and_decoding, shell, topic))
            await _again(shell)
            await once(STATE, partial(consume, shell, topic, None))
            await _again(shell)
            await once(TOLD, partial(consume, shell, topic, out))
            await _check(shell, records)
            await once(RELAY, partial(relay, shell))
            if (sent := sum((await shell.ends(out)).values())) != records:
                raise NoResultError(f"{records} events were told, Kafka has {sent} of them")
    rows = tuple(
        Row(
            name,
            {
                "events/s": series(runs, "events", "events/s", aim=AIM if name in (STATE, TOLD, RELAY) else None),
                "CPU an event": series(runs, "own", "µs"),
                "of Postgres": series(runs, "postgres", "µs"),
                "of Kafka": series(runs, "kafka", "µs"),
            },
        )
        for name, runs in found.items()
    )
    notes = (f"{records:,} events of {size} bytes, {STEPS} a dossier, in {PARTITIONS} partitions.",)
    return Part("shell", 0.0, (Table("shell", rows, notes),), tuple(others))


async def _again(shell: Shell) -> None:
    """As if nothing had been consumed: empty tables, and a group that nobody has been in."""
    await forget(shell)
    shell.group = unique("group")


async def _check(shell: Shell, records: int) -> None:
    kept = await shell.pool.fetchval("select sum(sequence)::bigint from tallies")
    waiting = await shell.pool.fetchval("select count(*) from outbox")
    if kept != records or waiting != records:
        raise NoResultError(f"{records} events were consumed, {kept} took effect and {waiting} were told")
