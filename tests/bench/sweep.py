"""Rehearsal and sweep of a calendar change over many open clocks, while dossiers are received.

`python -m tests.bench.sweep` inserts the clocks directly into sla's table and runs one or several replicas of sla on a
durable database. First no clock moves, then every clock moves: the difference is the cost of the events. It prints the
results and the load of unrelated processes.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from statistics import quantiles
from uuid import UUID

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.sla.clocks.handlers import ClockHandlers
from services.sla.clocks.store import CLOCKS, ClockRow, any_outdated
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.rules import DerivationRules, catalogue_digest
from shared.contracts.topics import DEADLINES
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.fence import Fence
from shared.kernel.ids import uuid7
from shared.messaging.records import headers_of
from shared.messaging.relay import partition_of
from shared.postgres.outbox import Publisher
from shared.postgres.pool import create_pool
from shared.postgres.unit_of_work import Unit
from shared.runtime.clock import machine_now
from tests.bench.bench import Bench
from tests.bench.machine import Meter
from tests.bench.sla_replicas import SlaReplicas, sla_replicas
from tests.support import eventually
from tests.support.dossier_events import DossierEvents

RATE = 20.0
_BASELINE_SECONDS = 10.0
_TEMPLATES = 400


@dataclass(slots=True)
class LiveReceipts:
    """Receipts sent at a constant rate: by subject, the times of the receipt and of sla's first event about it."""

    sent: dict[str, float] = field(default_factory=dict)
    published: dict[str, float] = field(default_factory=dict)

    def seconds(self, since: float, until: float) -> list[float]:
        """Return the latencies of the receipts sent in the interval; infinite without an event of sla."""
        return [self.published.get(key, float("inf")) - at for key, at in self.sent.items() if since <= at < until]


def main() -> int:
    """Parse the options, measure both changes, print the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sweep", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--clocks", type=int, default=50_000)
    parser.add_argument("--replicas", type=int, default=1)
    options = parser.parse_args()
    with sla_replicas("sweep", replicas=options.replicas) as sla, sla.started() as meter:
        asyncio.run(_run(sla, options.clocks, meter))
    return 0


async def _run(sla: SlaReplicas, count: int, meter: Meter) -> None:
    bench, pool = sla.bench, await create_pool(sla.database, "sla")
    now = machine_now()
    await _fill(pool, bench, count, now)
    live = LiveReceipts()
    receipts = asyncio.create_task(_send_receipts(sla.bootstrap, live))
    try:
        headers = {"Authorization": f"Bearer {sla.token}"}
        async with httpx.AsyncClient(
            base_url=sla.processes[0].url, headers=headers, timeout=600.0, trust_env=False
        ) as http:
            calendar = bench.centre.calendar
            baseline = await _baseline(_BASELINE_SECONDS, live)
            bench.report(f"live receipts, no other work: {_format_latencies(baseline)}")
            compiled = compile_calendar(calendar)
            soon = compiled.worktime.working_day_after(bench.centre.local_date(now))
            far = compiled.worktime.working_day_before(calendar.last_date, 5)
            for name, day in (("no clock moves", far), ("every clock moves", soon)):
                bench.report(f"{name}, {count} open clocks")
                address = f"/calendars/{calendar.name}/proposals"
                change = {"exceptions": [{"date": f"{day}", "kind": "off", "status": "decided", "name": "Nghỉ bão"}]}
                proposed = await http.post(address, json=change, headers={"Idempotency-Key": f"propose-{day}"})
                proposal = f"{address}/{proposed.raise_for_status().json()['proposal_id']}"
                meter.restart()
                started = time.monotonic()
                rehearsal = (await http.get(f"{proposal}/rehearsal")).raise_for_status().json()
                usage, ended = meter.usage(), time.monotonic()
                moved = sum(department["later"] for department in rehearsal["departments"])
                clocks = sum(department["open"] for department in rehearsal["departments"])
                duration = f"{usage.seconds:.1f} s, {sla.format_usage(usage, clocks)}"
                bench.report(f"  rehearsal: {clocks} clocks, {moved} move; {duration}")
                await asyncio.sleep(2)
                bench.report(f"    live receipts meanwhile: {_format_latencies(live.seconds(started, ended))}")
                meter.restart()
                started = time.monotonic()
                approved = await http.post(
                    f"{proposal}/approve", json={"decision": "9/QĐ"}, headers={"Idempotency-Key": f"approve-{day}"}
                )
                version = approved.raise_for_status().json()["calendar_version"]
                await eventually(partial(_all_swept, pool, version), within=600, every=0.1)
                usage, ended = meter.usage(), time.monotonic()
                bench.report(f"  sweep: {usage.seconds:.1f} s, {sla.format_usage(usage, clocks)}")
                await asyncio.sleep(2)
                bench.report(f"    live receipts meanwhile: {_format_latencies(live.seconds(started, ended))}")
    finally:
        receipts.cancel()
        await asyncio.gather(receipts, return_exceptions=True)
        await pool.close()


async def _all_swept(pool: asyncpg.Pool, version: int) -> bool:
    return not await any_outdated(pool, version)


async def _baseline(seconds: float, live: LiveReceipts) -> list[float]:
    await asyncio.sleep(3)
    started = time.monotonic()
    await asyncio.sleep(seconds)
    ended = time.monotonic()
    await asyncio.sleep(2)
    return live.seconds(started, ended)


def _format_latencies(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return f"only {len(seconds)}"
    cuts = quantiles(seconds, n=100, method="inclusive")
    slowest = f"{max(seconds) * 1000:.0f} ms"
    return f"{len(seconds)}, p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, slowest {slowest}"


async def _fill(pool: asyncpg.Pool, bench: Bench, count: int, now: datetime) -> None:
    """Insert running clocks as copies of templates.

    Their procedures have a term of five working days or more, their dossiers were received in the last working hours,
    and a quarter of them had a pause.
    """
    templates = list(_templates(bench, now))
    async with pool.acquire() as connection:
        for first in range(0, count, 5000):
            rows = []
            for number in range(first, min(first + 5000, count)):
                key = uuid7(now + timedelta(milliseconds=number))
                template = templates[number % len(templates)]
                rows.append(replace(template, key=key, partition=partition_of(str(key).encode(), 6)))
            await CLOCKS.insert(connection, rows)
        await connection.execute("vacuum analyze dossiers")


def _templates(bench: Bench, now: datetime) -> Iterator[ClockRow]:
    centre = bench.centre
    calendar = compile_calendar(centre.calendar)
    clocks = ClockHandlers(DerivationRules(centre, calendar, 1, catalogue_digest(centre)))
    publisher = Publisher("sla", centre.code, 1, centre.catalogue_version)
    today = centre.local_date(now)
    codes = [
        (code, found.departments[0])
        for code in centre.procedures
        if (found := centre.procedure(code, today)) is not None
        and found.term is not None
        and found.term.unit == "working_day"
        and found.term.value >= 5
    ]
    for number in range(_TEMPLATES):
        code, department = codes[number % len(codes)]
        received = calendar.worktime.back(now, timedelta(minutes=number))
        dossier = DossierEvents(start=received, dossier_id=UUID(int=number))
        acts = [dossier.received(code, department)]
        if number % 4 == 0:
            acts += [dossier.in_state("supplement_required"), dossier.supplement_received()]
        rows: dict[UUID, ClockRow] = {}
        unit = Unit(CLOCKS, rows, publisher, now)
        for act in acts:
            clocks.by_event_type()[type(act.data)](act, unit)
        (row,) = rows.values()
        row.fences[DOSSIERS_TOPIC.name] = Fence(len(acts), 1)
        yield row


async def _send_receipts(bootstrap: str, live: LiveReceipts) -> None:
    """Send receipts until cancelled, and record when sla's first event about each is on Kafka."""
    partitions = [TopicPartition(DEADLINES.name, number) for number in range(DEADLINES.partitions)]
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all")
    async with producer, AIOKafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=20) as consumer:
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        reading = asyncio.create_task(_record_events(consumer, live))
        try:
            started = time.monotonic()
            for number in range(1_000_000):
                await asyncio.sleep(max(0.0, started + number / RATE - time.monotonic()))
                dossier = DossierEvents(start=machine_now())
                event = dossier.received("2.000908", "STP")
                live.sent[event.subject] = time.monotonic()
                await producer.send(
                    DOSSIERS_TOPIC.name, key=event.subject.encode(), value=event.to_json(), headers=headers_of(event)
                )
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _record_events(consumer: AIOKafkaConsumer, live: LiveReceipts) -> None:
    while True:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
            at = time.monotonic()
            for record in records:
                live.published.setdefault(record.key.decode(), at)


if __name__ == "__main__":
    sys.exit(main())
