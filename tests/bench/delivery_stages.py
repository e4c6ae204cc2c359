"""Throughput of each stage of event delivery on the same records: Kafka client, decoding, consumer, relay.

`python -m tests.bench.delivery_stages [records] [--profile state|consumer|relay]` starts its own broker and database
and prints one line per stage. Compare only figures of one run: broker and database share the cores of the machine.
"""

import argparse
import asyncio
import cProfile
import pstats
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from motcua.local.database import create_database, url_for
from motcua.local.embedded import kafka
from motcua.local.embedded.ports import free_port
from motcua.local.embedded.postgres import Postgres
from motcua.local.settings import MotcuaSettings
from shared.contracts.envelope import EventEnvelope
from shared.contracts.registry import decode
from shared.contracts.topics import Topic
from shared.messaging.applier import Handler
from shared.postgres.unit_of_work import Unit
from shared.service.process import tune_garbage_collection
from tests.support import eventually
from tests.support.delivery import SERVICE, Tally, dossier, step
from tests.support.shell import Shell, background, event_class_of, opened

STEPS = 10
"""Events per dossier."""


def publishing(topic: Topic) -> Handler[Tally]:
    """Return a handler that stores the event's activity and publishes one event on `topic`."""
    published = event_class_of(topic)

    def on_step(event: EventEnvelope[Any], unit: Unit[Tally]) -> None:
        row = unit.row(event.dossier_id)
        row.steps = [event.data.activity]
        unit.publish(row, published(state="processing", activity="reply"), time=event.time, cause=unit.cause_of(event))

    return on_step


async def client_only(shell: Shell, topic: Topic) -> None:
    """Read all records with aiokafka's getmany, without further work."""
    await _read(shell, topic, lambda _: None)


async def client_and_decoding(shell: Shell, topic: Topic) -> None:
    """Read all records with getmany and decode every value into its event."""

    def decode_value(record: Any) -> None:
        decode("dossier.step_recorded", 1, record.value)

    await _read(shell, topic, decode_value)


async def _read(shell: Shell, topic: Topic, use: Callable[[Any], None]) -> None:
    ends = await shell.ends(topic)
    places = [TopicPartition(topic.name, number) for number in ends]
    async with AIOKafkaConsumer(bootstrap_servers=shell.bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        left = sum(ends.values())
        while left:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=2000)).values():
                for record in records:
                    use(record)
                left -= len(records)


async def consume(shell: Shell, topic: Topic, out: Topic | None) -> None:
    """Run the shared consumer to the end of the topic, publishing on `out` if given."""
    more = {"handler": publishing(out)} if out else {}
    async with shell.consuming(topic, **more):
        await shell.caught_up(topic, within=180)


async def relay(shell: Shell) -> None:
    """Run the relay until the outbox is empty."""
    async with background(shell.relay().run()):
        await eventually(shell.nothing_to_send, within=180)


async def measure(
    name: str, records: int, work: Callable[[], Awaitable[None]], *, profile: bool
) -> tuple[float, float]:
    """Do the work, print its events per second and CPU per event, and return elapsed and CPU seconds."""
    profiler = cProfile.Profile() if profile else None
    wall, cpu = time.monotonic(), time.process_time()
    if profiler:
        profiler.enable()
    await work()
    if profiler:
        profiler.disable()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    print(f"{name:40} {records / wall:>10,.0f} events/s {cpu / records * 1e6:>8.1f} µs CPU/event {wall:>7.1f} s")
    if profiler:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(45)
    return wall, cpu


async def fill(shell: Shell, topic: Topic, records: int) -> int:
    """Send that many events to a topic, STEPS per dossier, interleaved. Returns the size of one event in bytes."""
    keys = [dossier(n * 2**64 + n) for n in range(1, records // STEPS + 1)]
    for n in range(1, STEPS + 1):
        for at in range(0, len(keys), 1000):
            await shell.send(topic, *(step(key, n) for key in keys[at : at + 1000]))
    return len(step(keys[0], 1).to_json())


async def clear(shell: Shell) -> None:
    """Delete everything that was consumed or published from the database."""
    await shell.pool.execute("truncate tallies, stored_offsets, events, outbox")
    await shell.pool.execute("vacuum analyze")


async def bench(shell: Shell, records: int, profiled: str) -> None:
    """Measure each stage on the same records, one after the other."""
    topic = await shell.topic("in", partitions=6)
    out = await shell.topic("out", partitions=6)
    size = await fill(shell, topic, records)
    print(f"{records:,} records of {size} bytes, {records // STEPS:,} dossiers, 6 partitions\n")
    await measure("aiokafka getmany only", records, lambda: client_only(shell, topic), profile=False)
    await measure("aiokafka getmany, values decoded", records, lambda: client_and_decoding(shell, topic), profile=False)
    await measure("consumer, state only", records, lambda: consume(shell, topic, None), profile=profiled == "state")
    await clear(shell)
    publishing = profiled == "consumer"
    await measure("consumer, publishing", records, lambda: consume(shell, topic, out), profile=publishing)
    await measure("relay, whole backlog", records, lambda: relay(shell), profile=profiled == "relay")


async def main(records: int, profiled: str, folder: Path) -> None:
    """Start a broker and a database for this run, and measure."""
    tune_garbage_collection()
    settings = MotcuaSettings()
    broker = kafka.single(settings.toolchain(), folder / "kafka", port=free_port(), controller_port=free_port())
    postgres = Postgres(folder / "postgres", free_port())
    try:
        await asyncio.gather(asyncio.to_thread(broker.start), asyncio.to_thread(postgres.start))
        create_database(postgres.url, services=[SERVICE])
        async with opened(broker.bootstrap, url_for(postgres.url, SERVICE), folder / "migrations") as shell:
            await bench(shell, records, profiled)
    finally:
        broker.stop()
        postgres.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="?", type=int, default=100_000)
    parser.add_argument("--profile", choices=["state", "consumer", "relay"], default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(main(options.records, options.profile, Path(scratch)))
