"""Latency of single acts over HTTP at a constant rate: to the answer, and to the message in the sink."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles

from motcua.local.centre import LocalCentre
from motcua.local.database import VERIFY
from motcua.local.quiescence import QuiescenceMonitor
from tests.bench.bench import Bench
from tests.bench.consistency import Counts, count_centre
from tests.bench.figures import Figure, Part, Row, Table
from tests.bench.machine import Meter, Usage, pids_of
from tests.bench.message_trace import STAGES, MessageTrace, trace_messages
from tests.bench.steady_load import AnsweredAct, ScheduledAct, schedule, send
from tests.support.whole import scenarios

RATE = 50.0
GOAL_MS = 500.0
APART_SECONDS = 3.0
"""Between two acts on one dossier. With less, many messages are overtaken before they can be sent."""
WARM_UP_SECONDS = 10.0
IDLE_SECONDS = 5.0
_REST_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class _Run:
    """Result of one run of the load. `idle` is the usage of an idle centre, measured before the load."""

    answered: list[AnsweredAct]
    traces: list[MessageTrace]
    idle: Usage
    usage: Usage
    memory: dict[str, float]
    counts: Counts


def run(bench: Bench) -> Part:
    """Run the load once on a fresh, durable centre with the system clock."""
    with bench.local_centre("latency") as local:
        scheduled = schedule_acts(local, WARM_UP_SECONDS + bench.sizes.latency_seconds)
        bench.report(
            f"  {RATE:.0f} acts/s for {scheduled[-1].after:.0f} s, including {WARM_UP_SECONDS:.0f} s of warm-up"
        )
        result = asyncio.run(_measure(local, scheduled))
    answered, traces = result.answered, result.traces
    to_answer = [act.seconds * 1e3 for act in answered]
    to_sink = [trace.seconds * 1e3 for trace in traces]
    rows = [Row("act → 2xx", distribution(to_answer)), Row("act → sink", distribution(to_sink, goal=GOAL_MS))]
    for channel in ("sms", "email"):
        by_channel = [trace.seconds * 1e3 for trace in traces if trace.channel == channel]
        rows.append(Row(f"act → sink, {channel}", distribution(by_channel)))
    via_sla = [trace.seconds * 1e3 for trace in traces if trace.via_sla]
    rows.append(Row("act → sink, with the due date", distribution(via_sla)))
    retries = sum(act.retries for act in answered)
    notes = (
        f"{len(scheduled):,} acts in all, {len(answered):,} of them measured, each answered as expected, {retries} "
        f"retries after a broken connection; messages: {result.counts.messages}.",
    )
    cpu = [
        Row(name, {part: Figure((seconds / count * 1e3,), "ms") for part, seconds in usage.cpu.items()})
        for name, usage, count in (
            ("per act", result.usage, len(scheduled)),
            ("per idle second", result.idle, result.idle.seconds),
        )
    ]
    memory = {name: Figure((megabytes,), "MB") for name, megabytes in result.memory.items()}
    return Part(
        "latency",
        0.0,
        (
            Table("latency", tuple(rows), notes),
            Table("latency stages", stage_rows(traces)),
            Table("latency cpu", tuple(cpu)),
            Table("latency memory", (Row("after the load", memory),)),
        ),
        (result.usage.other_load,),
    )


def schedule_acts(local: LocalCentre, seconds: float) -> list[ScheduledAct]:
    """Schedule acts of all kinds of scenarios, in the proportions of the test suite, including refused acts."""
    count = round(RATE * max(seconds / 4, APART_SECONDS * 2)) + 100
    return schedule(scenarios(local, count), rate=RATE, seconds=seconds, apart=APART_SECONDS)


async def _measure(local: LocalCentre, scheduled: Sequence[ScheduledAct]) -> _Run:
    monitor = QuiescenceMonitor(local.site.kafka, local.site.databases[VERIFY])
    try:
        await monitor.wait_until_quiescent(within_seconds=_REST_SECONDS)
        meter = Meter(pids_of(local.parts))
        await asyncio.sleep(IDLE_SECONDS)
        idle = meter.usage()
        meter.restart()
        answered = await send(local, scheduled)
        usage = meter.usage()
        await monitor.wait_until_quiescent(within_seconds=_REST_SECONDS)
    finally:
        await monitor.close()
    memory = meter.memory()
    counts = await count_centre(local)
    first = min(act.scheduled_at for act in answered) + timedelta(seconds=WARM_UP_SECONDS)
    measured = [act for act in answered if act.scheduled_at >= first]
    # messages that an act of the warm-up caused are not measured
    traces = [trace for trace in await trace_messages(local, answered) if trace.scheduled_at >= first]
    return _Run(measured, traces, idle, usage, memory, counts)


def distribution(values: Sequence[float], *, goal: float | None = None) -> dict[str, Figure]:
    """Return count, percentiles and maximum of latencies in milliseconds; of fewer than two values only the count."""
    if len(values) < 2:
        return {"count": Figure((float(len(values)),), "")}
    cuts = quantiles(values, n=100, method="inclusive")
    return {
        "count": Figure((float(len(values)),), ""),
        "p50": Figure((cuts[49],), "ms"),
        "p95": Figure((cuts[94],), "ms"),
        "p99": Figure((cuts[98],), "ms", goal=goal, less_is_better=True),
        "slowest": Figure((max(values),), "ms"),
    }


def stage_rows(traces: Sequence[MessageTrace]) -> tuple[Row, ...]:
    """Return one row per stage, over the messages that passed it, and one row for all stages."""
    rows = []
    for stage in STAGES:
        passed = [trace for trace in traces if stage in trace.stages]
        if stage == STAGES[4]:
            for via_sla, cause in ((False, "after intake's event"), (True, "after sla's event")):
                by_cause = [trace.stages[stage] * 1e3 for trace in passed if trace.via_sla is via_sla]
                rows.append(Row(f"{stage}, {cause}", distribution(by_cause)))
        else:
            rows.append(Row(stage, distribution([trace.stages[stage] * 1e3 for trace in passed])))
    rows.append(Row("all", distribution([trace.seconds * 1e3 for trace in traces])))
    return tuple(rows)
