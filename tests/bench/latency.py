"""Single acts over HTTP at a steady rate, to the answer and to the moment in which the sink has the message."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles

from motcua.local.centre import LocalCentre
from motcua.local.database import VERIFY
from motcua.local.quiescence import QuiescenceMonitor
from tests.bench.bench import Bench
from tests.bench.consistency import Counts, counted
from tests.bench.figures import Figure, Part, Row, Table
from tests.bench.machine import Meter, Spent, pids_of
from tests.bench.message_trace import STAGES, Course, courses
from tests.bench.steady_load import Done, Planned, schedule, send
from tests.support.whole import scenarios

RATE = 50.0
AIM_MS = 500.0
APART_SECONDS = 3.0
"""Between two acts on one dossier: less, and a message is often overtaken before it can be sent."""
WARMING_SECONDS = 10.0
IDLE_SECONDS = 5.0
_REST_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class _Run:
    """What one steady load came to. `idle` is from before it, when there was nothing to do."""

    done: list[Done]
    found: list[Course]
    idle: Spent
    spent: Spent
    memory: dict[str, float]
    counts: Counts


def run(bench: Bench) -> Part:
    """One steady load on a fresh centre of the present that waits for the disk."""
    with bench.local_centre("http") as local:
        planned = plan(local, WARMING_SECONDS + bench.sizes.http_seconds)
        bench.say(f"  {RATE:.0f} acts/s for {planned[-1].after:.0f} s, the first {WARMING_SECONDS:.0f} s to warm up")
        one = asyncio.run(_measured(local, planned))
    done, found = one.done, one.found
    accepted = [act.seconds * 1e3 for act in done]
    to_sink = [course.seconds * 1e3 for course in found]
    rows = [Row("act → 2xx", spread(accepted)), Row("act → sink", spread(to_sink, aim=AIM_MS))]
    for channel in ("sms", "email"):
        mine = [course.seconds * 1e3 for course in found if course.channel == channel]
        rows.append(Row(f"act → sink, {channel}", spread(mine)))
    via_sla = [course.seconds * 1e3 for course in found if course.via_sla]
    rows.append(Row("act → sink, waiting for the due date", spread(via_sla)))
    again = sum(act.sent_again for act in done)
    notes = (
        f"{len(planned):,} acts in all, {len(done):,} of them measured, each answered as meant, {again} of them sent "
        f"again because a connection broke; messages: {one.counts.messages}.",
    )
    cpu = [
        Row(name, {part: Figure((seconds / count * 1e3,), "ms") for part, seconds in spent.cpu.items()})
        for name, spent, count in (("an act", one.spent, len(planned)), ("an idle second", one.idle, one.idle.seconds))
    ]
    size = {name: Figure((mb,), "MB") for name, mb in one.memory.items()}
    return Part(
        "http",
        0.0,
        (
            Table("http", tuple(rows), notes),
            Table("http stages", stages(found)),
            Table("http cpu", tuple(cpu)),
            Table("http memory", (Row("after the load", size),)),
        ),
        (one.spent.others,),
    )


def plan(local: LocalCentre, seconds: float) -> list[Planned]:
    """Acts of lives of every kind, in the proportions of the test suite's; those that a rule refuses are among them."""
    count = round(RATE * max(seconds / 4, APART_SECONDS * 2)) + 100
    return schedule(scenarios(local, count), rate=RATE, seconds=seconds, apart=APART_SECONDS)


async def _measured(local: LocalCentre, planned: Sequence[Planned]) -> _Run:
    watched = QuiescenceMonitor(local.site.kafka, local.site.databases[VERIFY])
    try:
        await watched.wait_until_quiescent(within_seconds=_REST_SECONDS)
        meter = Meter(pids_of(local.parts))
        await asyncio.sleep(IDLE_SECONDS)
        idle = meter.spent()
        meter.again()
        done = await send(local, planned)
        spent = meter.spent()
        await watched.wait_until_quiescent(within_seconds=_REST_SECONDS)
    finally:
        await watched.close()
    memory = meter.memory()
    counts = await counted(local)
    first = min(one.meant_at for one in done) + timedelta(seconds=WARMING_SECONDS)
    measured = [one for one in done if one.meant_at >= first]
    # an act before the measured ones may be the one that a message came from: such messages are left out
    found = [one for one in await courses(local, done) if one.meant_at >= first]
    return _Run(measured, found, idle, spent, memory, counts)


def spread(values: Sequence[float], *, aim: float | None = None) -> dict[str, Figure]:
    """How many, half of them below, 99 in a hundred below, the slowest, in milliseconds; nothing of fewer than two."""
    if len(values) < 2:
        return {"count": Figure((float(len(values)),), "")}
    cuts = quantiles(values, n=100, method="inclusive")
    return {
        "count": Figure((float(len(values)),), ""),
        "p50": Figure((cuts[49],), "ms"),
        "p95": Figure((cuts[94],), "ms"),
        "p99": Figure((cuts[98],), "ms", aim=aim, less_is_better=True),
        "slowest": Figure((max(values),), "ms"),
    }


def stages(found: Sequence[Course]) -> tuple[Row, ...]:
    """Each stage over the messages that went through it, then all of it."""
    rows = []
    for stage in STAGES:
        through = [one for one in found if stage in one.stages]
        if stage == STAGES[4]:
            for via_sla, how in ((False, "on intake's event"), (True, "on sla's event")):
                mine = [one.stages[stage] * 1e3 for one in through if one.via_sla is via_sla]
                rows.append(Row(f"{stage}, {how}", spread(mine)))
        else:
            rows.append(Row(stage, spread([one.stages[stage] * 1e3 for one in through])))
    rows.append(Row("all", spread([one.seconds * 1e3 for one in found])))
    return tuple(rows)
