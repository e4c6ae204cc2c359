"""`python -m tests.bench.sweep`: a changed calendar over many open clocks, rehearsed and swept while receipts arrive.

The clocks are put straight into sla's table; sla runs as one process or as several, on a durable database. Every clock
moves, or none does, which tells what the events cost. Prints what it found, with the load that others made.
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
from tests.bench.sla_replicas import SlaAlone, sla_alone
from tests.support import eventually
from tests.support.dossier_events import DossierEvents

RATE = 20.0
_QUIET_SECONDS = 10.0
_TEMPLATES = 400


@dataclass(slots=True)
class Live:
    """Receipts at a steady rate: when each was sent, and when sla's event about it stood on Kafka."""

    sent: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)

    def seconds(self, since: float, until: float) -> list[float]:
        """Of those sent in between; one that was never told counts as infinite."""
        return [self.told.get(key, float("inf")) - at for key, at in self.sent.items() if since <= at < until]


def main() -> int:
    """Parse, measure both forms, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sweep", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--clocks", type=int, default=50_000)
    parser.add_argument("--replicas", type=int, default=1)
    options = parser.parse_args()
    with sla_alone("sweep", replicas=options.replicas) as sla, sla.started() as meter:
        asyncio.run(_run(sla, options.clocks, meter))
    return 0


async def _run(sla: SlaAlone, count: int, meter: Meter) -> None:
    bench, pool = sla.bench, await create_pool(sla.database, "sla")
    now = machine_now()
    await _fill(pool, bench, count, now)
    live = Live()
    load_ = asyncio.create_task(_live(sla.bootstrap, live))
    try:
        headers = {"Authorization": f"Bearer {sla.token}"}
        async with httpx.AsyncClient(
            base_url=sla.processes[0].url, headers=headers, timeout=600.0, trust_env=False
        ) as http:
            calendar = bench.centre.calendar
            quiet = await _lasting(_QUIET_SECONDS, live)
            bench.say(f"live receipts, nothing else: {_told(quiet)}")
            compiled = compile_calendar(calendar)
            soon = compiled.worktime.working_day_after(bench.centre.local_date(now))
            far = compiled.worktime.working_day_before(calendar.last_date, 5)
            for name, day in (("no clock moves", far), ("every clock moves", soon)):
                bench.say(f"{name}, {count} open clocks")
                address = f"/calendars/{calendar.name}/proposals"
                asked = {"exceptions": [{"date": f"{day}", "kind": "off", "status": "decided", "name": "Nghỉ bão"}]}
                made = await http.post(address, json=asked, headers={"Idempotency-Key": f"propose-{day}"})
                proposal = f"{address}/{made.raise_for_status().json()['proposal_id']}"
                meter.again()
                began = time.monotonic()
                found = (await http.get(f"{proposal}/rehearsal")).raise_for_status().json()
                spent, ended = meter.spent(), time.monotonic()
                moved = sum(each["later"] for each in found["departments"])
                clocks = sum(each["open"] for each in found["departments"])
                bench.say(
                    f"  rehearsal: {clocks} clocks, {moved} move; {spent.seconds:.1f} s, {sla.told(spent, clocks)}"
                )
                await asyncio.sleep(2)
                bench.say(f"    live receipts meanwhile: {_told(live.seconds(began, ended))}")
                meter.again()
                began = time.monotonic()
                approved = await http.post(
                    f"{proposal}/approve", json={"decision": "9/QĐ"}, headers={"Idempotency-Key": f"approve-{day}"}
                )
                version = approved.raise_for_status().json()["calendar_version"]
                await eventually(partial(_none_left, pool, version), within=600, every=0.1)
                spent, ended = meter.spent(), time.monotonic()
                bench.say(f"  sweep: {spent.seconds:.1f} s, {sla.told(spent, clocks)}")
                await asyncio.sleep(2)
                bench.say(f"    live receipts meanwhile: {_told(live.seconds(began, ended))}")
    finally:
        load_.cancel()
        await asyncio.gather(load_, return_exceptions=True)
        await pool.close()


async def _none_left(pool: asyncpg.Pool, version: int) -> bool:
    return not await any_outdated(pool, version)


async def _lasting(seconds: float, live: Live) -> list[float]:
    await asyncio.sleep(3)
    began = time.monotonic()
    await asyncio.sleep(seconds)
    ended = time.monotonic()
    await asyncio.sleep(2)
    return live.seconds(began, ended)


def _told(found: Sequence[float]) -> str:
    if len(found) < 2:
        return f"{len(found)} only"
    cuts = quantiles(found, n=100, method="inclusive")
    return f"{len(found)}, p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms, most {max(found) * 1000:.0f} ms"


async def _fill(pool: asyncpg.Pool, bench: Bench, count: int, now: datetime) -> None:
    """Running clocks of procedures with a term of five days or more, received in the last working hours, a quarter of
    them after a pause; each template stands for many."""
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
        told = DossierEvents(start=received, dossier_id=UUID(int=number))
        acts = [told.received(code, department)]
        if number % 4 == 0:
            acts += [told.in_state("supplement_required"), told.supplement_received()]
        rows: dict[UUID, ClockRow] = {}
        unit = Unit(CLOCKS, rows, publisher, now)
        for act in acts:
            clocks.by_event_type()[type(act.data)](act, unit)
        (row,) = rows.values()
        row.fences[DOSSIERS_TOPIC.name] = Fence(len(acts), 1)
        yield row


async def _live(bootstrap: str, live: Live) -> None:
    """Send receipts until cancelled, and note when sla's first event of each stands on Kafka."""
    places = [TopicPartition(DEADLINES.name, number) for number in range(DEADLINES.partitions)]
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all")
    async with producer, AIOKafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=20) as consumer:
        consumer.assign(places)
        await consumer.seek_to_end(*places)
        reading = asyncio.create_task(_read(consumer, live))
        try:
            began = time.monotonic()
            for number in range(1_000_000):
                await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
                told = DossierEvents(start=machine_now())
                event = told.received("2.000908", "STP")
                live.sent[event.subject] = time.monotonic()
                await producer.send(
                    DOSSIERS_TOPIC.name, key=event.subject.encode(), value=event.to_json(), headers=headers_of(event)
                )
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _read(consumer: AIOKafkaConsumer, live: Live) -> None:
    while True:
        for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
            at = time.monotonic()
            for record in records:
                live.told.setdefault(record.key.decode(), at)


if __name__ == "__main__":
    sys.exit(main())
