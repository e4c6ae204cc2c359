"""Throughput of event delivery without a service: client, decoding, consumer and relay on the same records."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from motcua.local.database import create_database, url_for
from tests.bench.bench import Bench, InvalidRunError
from tests.bench.delivery_stages import (
    STEPS,
    clear,
    client_and_decoding,
    client_only,
    consume,
    fill,
    measure,
    relay,
)
from tests.bench.figures import Part, Row, Table, across_runs
from tests.bench.machine import Meter
from tests.support.delivery import SERVICE
from tests.support.shell import Shell, opened
from tests.support.unique import unique

GOAL = 15_000.0
PARTITIONS = 6
CLIENT_ONLY = "aiokafka getmany only"
DECODING = "aiokafka getmany, every value decoded"
STATE_ONLY = "bare consumer, state only"
PUBLISHING = "bare consumer, one event published for each"
RELAY = "relay only, whole backlog"
_WITH_GOAL = (STATE_ONLY, PUBLISHING, RELAY)


def run(bench: Bench) -> Part:
    """Measure each stage several times on one topic; consumer and relay start with empty tables."""
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
    runs: dict[str, list[dict[str, float]]] = {}
    other_load = []
    async with opened(bootstrap, dsn, folder) as shell:
        topic = await shell.topic("in", partitions=PARTITIONS)
        event_bytes = await fill(shell, topic, records)

        async def measure_once(name: str, work: Callable[[], Awaitable[None]]) -> None:
            meter.restart()
            wall, cpu = await measure(f"  {name}", records, work, profile=False)
            usage = meter.usage()
            other_load.append(usage.other_load)
            runs.setdefault(name, []).append(
                {
                    "events": records / wall,
                    "own": cpu / records * 1e6,
                    "postgres": usage.cpu["postgres"] / records * 1e6,
                    "kafka": usage.cpu["kafka"] / records * 1e6,
                }
            )

        for _ in range(bench.sizes.runs):
            out = await shell.topic("out", partitions=PARTITIONS)
            await measure_once(CLIENT_ONLY, partial(client_only, shell, topic))
            await measure_once(DECODING, partial(client_and_decoding, shell, topic))
            await _reset(shell)
            await measure_once(STATE_ONLY, partial(consume, shell, topic, None))
            await _reset(shell)
            await measure_once(PUBLISHING, partial(consume, shell, topic, out))
            await _require_all_applied(shell, records)
            await measure_once(RELAY, partial(relay, shell))
            if (sent := sum((await shell.ends(out)).values())) != records:
                raise InvalidRunError(f"{records} events were published, but {sent} are on Kafka")
    rows = tuple(
        Row(
            name,
            {
                "events/s": across_runs(measured, "events", "events/s", goal=GOAL if name in _WITH_GOAL else None),
                "CPU per event": across_runs(measured, "own", "µs"),
                "Postgres CPU per event": across_runs(measured, "postgres", "µs"),
                "Kafka CPU per event": across_runs(measured, "kafka", "µs"),
            },
        )
        for name, measured in runs.items()
    )
    notes = (f"{records:,} events of {event_bytes} bytes, {STEPS} per dossier, in {PARTITIONS} partitions.",)
    return Part("delivery", 0.0, (Table("delivery", rows, notes),), tuple(other_load))


async def _reset(shell: Shell) -> None:
    """Reset to the state before consumption: empty tables and a new consumer group."""
    await clear(shell)
    shell.group = unique("group")


async def _require_all_applied(shell: Shell, records: int) -> None:
    applied = await shell.pool.fetchval("select sum(sequence)::bigint from tallies")
    pending = await shell.pool.fetchval("select count(*) from outbox")
    if applied != records or pending != records:
        raise InvalidRunError(f"{records} events were sent, {applied} were applied and {pending} are in the outbox")
