"""The whole chain: from the first byte of `POST /acts:batch` until every service has come to rest."""

import asyncio
import json
from datetime import timedelta

from motcua.lab.player import play
from motcua.local.centre import LocalCentre
from motcua.local.keys import IMPORTER
from tests.bench.bench import Bench, NoResultError
from tests.bench.consistency import Counts, counted
from tests.bench.figures import Figure, Part, Row, Table, series
from tests.bench.machine import CLIENT, Meter, pids_of
from tests.bench.workload import Load

AIM = 1500.0
_WARMING = 0.1
"""Share of the acts that is played before the measured ones."""
_ONE_WINDOW = timedelta(days=3650)
PROCESSES = ("kafka", "postgres", "intake", "routing", "sla", "notify", "sms", "smtp", CLIENT)


def run(bench: Bench) -> Part:
    """Several runs on a centre that waits for the disk, and on one that does not. Each centre is fresh."""
    load = bench.load(bench.sizes.chain_dossiers)
    speeds, cpu, memory, others = [], [], [], []
    notes: tuple[str, ...] = ()
    for durable in (True, False):
        name = "durable" if durable else "without fsync"
        runs, counts = [], None
        for number in range(1, bench.sizes.runs + 1):
            with bench.local_centre("chain", durable=durable, starts_at=load.starts_at) as local:
                run, counts = asyncio.run(_measured(local, load))
            runs.append(run)
            others.append(run["others"])
            bench.say(f"  {name}, run {number}: {run['acts']:,.0f} acts/s, {run['all']:.2f} ms CPU an act")
        assert counts is not None, "there is at least one run"
        speeds.append(Row(name, _speed(runs)))
        cpu.append(Row(name, {part: series(runs, f"cpu {part}", "ms") for part in ("all", *PROCESSES)}))
        memory.append(Row(name, {part: series(runs, f"memory {part}", "MB") for part in PROCESSES if part != CLIENT}))
        notes = _notes(load, counts)
    return Part(
        "chain",
        0.0,
        (Table("chain", tuple(speeds), notes), Table("chain cpu", tuple(cpu)), Table("chain memory", tuple(memory))),
        tuple(others),
    )


def _speed(runs: list[dict[str, float]]) -> dict[str, Figure]:
    return {
        "acts/s": series(runs, "acts", "acts/s", aim=AIM),
        "events/s": series(runs, "events", "events/s"),
        "messages/s": series(runs, "messages", "messages/s"),
        "CPU an act": series(runs, "all", "ms"),
        "cores busy": series(runs, "cores", "cores"),
    }


def _notes(load: Load, counts: Counts) -> tuple[str, ...]:
    return (f"{len(load.acts):,} acts on {load.dossiers:,} dossiers, all accepted; {counts}.",)


async def _measured(local: LocalCentre, load: Load) -> tuple[dict[str, float], Counts]:
    warming, measured = load.cut(_WARMING)
    await played(local, warming)
    before = await counted(local)
    meter = Meter(pids_of(local.parts))
    await played(local, measured)
    spent = meter.spent()
    memory = meter.memory()
    after = await counted(local)
    acts = len(measured.acts)
    found = {
        "acts": acts / spent.seconds,
        "events": (sum(after.events.values()) - sum(before.events.values())) / spent.seconds,
        "messages": (after.in_inbox - before.in_inbox) / spent.seconds,
        "all": sum(spent.cpu.values()) / acts * 1e3,
        "cores": sum(spent.cpu.values()) / spent.seconds,
        "others": spent.others,
    }
    found |= {f"cpu {name}": seconds / acts * 1e3 for name, seconds in spent.cpu.items()}
    found |= {"cpu all": found["all"]} | {f"memory {name}": size for name, size in memory.items()}
    return found, after


async def played(local: LocalCentre, load: Load) -> None:
    """Played in one window: the acts over one stream, then the time put to the window's end. Until all has come to
    rest."""
    played = await play(
        [json.loads(act.line()) for act in load.acts],
        local.site,
        local.centre,
        importer=local.tokens[IMPORTER],
        ops=local.tokens["ops"],
        window=_ONE_WINDOW,
        until=load.ends_at,
    )
    if played.refusals:
        first = played.refusals[0]
        raise NoResultError(
            f"intake refused {len(played.refusals)} of {len(load.acts)} acts, first {first.key}: {first.problem}"
        )
    if played.windows != 1:
        raise NoResultError(f"the acts were cut into {played.windows} windows, not into one")
