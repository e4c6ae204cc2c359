"""Throughput of the whole chain, from the first byte of `POST /acts:batch` until the centre is quiescent."""

import asyncio
import json
from datetime import timedelta

from motcua.lab.player import play
from motcua.local.centre import LocalCentre
from motcua.local.keys import IMPORTER
from tests.bench.bench import Bench, InvalidRunError
from tests.bench.consistency import Counts, count_centre
from tests.bench.figures import Figure, Part, Row, Table, across_runs
from tests.bench.machine import CLIENT, Meter, pids_of
from tests.bench.workload import Workload

GOAL = 1500.0
_WARM_UP_SHARE = 0.1
"""Share of the acts that is played before the measured ones."""
_ONE_WINDOW = timedelta(days=3650)
PROCESSES = ("kafka", "postgres", "intake", "routing", "sla", "notify", "sms", "smtp", CLIENT)


def run(bench: Bench) -> Part:
    """Measure several runs with a durable database and several without fsync, each on a fresh centre."""
    workload = bench.workload(bench.sizes.chain_dossiers)
    rates, cpu, memory, other_load = [], [], [], []
    notes: tuple[str, ...] = ()
    for durable in (True, False):
        name = "durable" if durable else "without fsync"
        runs, counts = [], None
        for number in range(1, bench.sizes.runs + 1):
            with bench.local_centre("chain", durable=durable, starts_at=workload.starts_at) as local:
                run, counts = asyncio.run(_measure(local, workload))
            runs.append(run)
            other_load.append(run["other load"])
            bench.report(f"  {name}, run {number}: {run['acts']:,.0f} acts/s, {run['all']:.2f} ms CPU per act")
        assert counts is not None, "there is at least one run"
        rates.append(Row(name, _rates(runs)))
        cpu.append(Row(name, {part: across_runs(runs, f"cpu {part}", "ms") for part in ("all", *PROCESSES)}))
        servers = [part for part in PROCESSES if part != CLIENT]
        memory.append(Row(name, {part: across_runs(runs, f"memory {part}", "MB") for part in servers}))
        notes = _notes(workload, counts)
    return Part(
        "chain",
        0.0,
        (Table("chain", tuple(rates), notes), Table("chain cpu", tuple(cpu)), Table("chain memory", tuple(memory))),
        tuple(other_load),
    )


def _rates(runs: list[dict[str, float]]) -> dict[str, Figure]:
    return {
        "acts/s": across_runs(runs, "acts", "acts/s", goal=GOAL),
        "events/s": across_runs(runs, "events", "events/s"),
        "messages/s": across_runs(runs, "messages", "messages/s"),
        "CPU per act": across_runs(runs, "all", "ms"),
        "cores in use": across_runs(runs, "cores", "cores"),
    }


def _notes(workload: Workload, counts: Counts) -> tuple[str, ...]:
    return (f"{len(workload.acts):,} acts on {workload.dossiers:,} dossiers, all accepted; {counts}.",)


async def _measure(local: LocalCentre, workload: Workload) -> tuple[dict[str, float], Counts]:
    warm_up, measured = workload.split(_WARM_UP_SHARE)
    await play_workload(local, warm_up)
    before = await count_centre(local)
    meter = Meter(pids_of(local.parts))
    await play_workload(local, measured)
    usage = meter.usage()
    memory = meter.memory()
    after = await count_centre(local)
    acts = len(measured.acts)
    run = {
        "acts": acts / usage.seconds,
        "events": (sum(after.events.values()) - sum(before.events.values())) / usage.seconds,
        "messages": (after.in_inbox - before.in_inbox) / usage.seconds,
        "all": sum(usage.cpu.values()) / acts * 1e3,
        "cores": sum(usage.cpu.values()) / usage.seconds,
        "other load": usage.other_load,
    }
    run |= {f"cpu {name}": seconds / acts * 1e3 for name, seconds in usage.cpu.items()}
    run |= {"cpu all": run["all"]} | {f"memory {name}": megabytes for name, megabytes in memory.items()}
    return run, after


async def play_workload(local: LocalCentre, workload: Workload) -> None:
    """Send the acts in one request, advance the clock to the end, and wait until the centre is quiescent.

    Raises InvalidRunError if intake rejects an act.
    """
    played = await play(
        [json.loads(act.line()) for act in workload.acts],
        local.site,
        local.centre,
        importer=local.tokens[IMPORTER],
        ops=local.tokens["ops"],
        window=_ONE_WINDOW,
        until=workload.ends_at,
    )
    if played.refusals:
        first = played.refusals[0]
        raise InvalidRunError(
            f"intake rejected {len(played.refusals)} of {len(workload.acts)} acts, first {first.key}: {first.problem}"
        )
    if played.windows != 1:
        raise InvalidRunError(f"the acts were sent in {played.windows} windows instead of one")
