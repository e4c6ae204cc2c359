"""Throughput of the consumer of each service: it consumes full topics from offset 0, in an empty schema."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from aiokafka.admin import AIOKafkaAdminClient

from motcua.local.centre import LocalCentre, isolated_settings
from motcua.local.database import DATABASE, drop_database
from motcua.local.embedded.kafka import Broker
from motcua.local.embedded.postgres import Postgres
from motcua.local.embedded.process import Child
from motcua.local.prepare import prepare_database
from motcua.local.settings import MotcuaSettings
from shared.contracts.topics import DOSSIERS, TOPICS, Topic
from shared.kernel.errors import StartError
from shared.messaging.admin import create_topics
from shared.messaging.offsets import EndOffsets
from tests.bench.bench import Bench, InvalidRunError
from tests.bench.event_recording import Recording, initial_rows, publish_copies, record
from tests.bench.figures import Part, Row, Table, across_runs
from tests.bench.machine import Meter, Usage

GOAL = 15_000.0
ORDER = ("routing", "sla", "notify", "intake")
"""notify and intake consume what routing and sla publish, so those come first."""
_POLL_SECONDS = 0.03
_TIMEOUT_SECONDS = 600.0


def run(bench: Bench) -> Part:
    """Measure each service several times, one service at a time, on the same broker and database server."""
    bench.report("  recording events of intake")
    recording = record(bench)
    copies = recording.copies_for(bench.sizes.events)
    rows, other_load = [], []
    with bench.servers("consumers") as (broker, postgres):
        site = _settings(bench, broker, postgres)
        local = LocalCentre(site)
        try:
            local.start(services=())
            published, event_bytes = asyncio.run(publish_copies(broker.bootstrap, recording, copies))
            bench.report(f"  {published:,} events of intake on Kafka")
            for service in ORDER:
                runs = []
                for number in range(1, bench.sizes.runs + 1):
                    _reset_database(site, local, service)
                    if service == "intake":
                        _insert_dossiers(postgres.url, recording, copies)
                    _reset_topics(broker.bootstrap, service)
                    runs.append(asyncio.run(_measure(local, service, broker, postgres, copies * len(recording.rows))))
                    other_load.append(runs[-1]["other load"])
                    bench.report(f"  {service}, run {number}: {runs[-1]['events']:,.0f} events/s")
                rows.append(_row(service, runs))
        finally:
            local.stop()
    notes = (
        f"{published:,} events of intake of {event_bytes} bytes about {copies * len(recording.rows):,} dossiers: "
        f"{len(recording.events):,} recorded events, each published for {copies} dossiers.",
    )
    return Part("consumers", 0.0, (Table("consumers", tuple(rows), notes),), tuple(other_load))


def _row(service: str, runs: Sequence[dict[str, float]]) -> Row:
    return Row(
        service,
        {
            "events": across_runs(runs, "count", ""),
            "published": across_runs(runs, "published", ""),
            "events/s": across_runs(runs, "events", "events/s", goal=GOAL),
            "events/s until all are published": across_runs(runs, "until published", "events/s"),
            "CPU per event": across_runs(runs, "own", "µs"),
            "Postgres CPU per event": across_runs(runs, "postgres", "µs"),
            "Kafka CPU per event": across_runs(runs, "kafka", "µs"),
            "memory": across_runs(runs, "memory", "MB"),
        },
    )


def _settings(bench: Bench, broker: Broker, postgres: Postgres) -> MotcuaSettings:
    starts_at = bench.workload(bench.sizes.recorded_dossiers).starts_at
    home = broker.folder.parent / "home"
    return isolated_settings(bench.settings, home=home).model_copy(
        update={
            "kafka": broker.bootstrap,
            "database": postgres.url,
            "clock": "simulated",  # never advanced: nothing becomes due, so the process only consumes and publishes
            "clock_starts_at": starts_at,
        }
    )


def _reset_database(site: MotcuaSettings, local: LocalCentre, service: str) -> None:
    """Create the database again, with an empty schema of the service. Blocks."""
    drop_database(site.admin_url, database=DATABASE)
    prepare_database(site, [service], lambda _: None, catalogue_version=local.centre.catalogue_version)


def _insert_dossiers(admin_url: str, recording: Recording, copies: int) -> None:
    """Insert the dossiers to which the events for intake refer. Blocks; commits."""
    with psycopg.connect(admin_url, dbname=DATABASE) as connection:
        connection.cursor().executemany(
            "insert into intake.dossiers select (jsonb_populate_record(null::intake.dossiers, %s::jsonb)).*",
            [(row,) for row in initial_rows(recording, copies)],
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("analyze intake.dossiers")


def _reset_topics(bootstrap: str, service: str) -> None:
    """Create the service's own topics again, except intake's, which is the input of the others. Blocks."""
    own = [topic for topic in TOPICS.values() if topic.owner == service and topic is not DOSSIERS]
    if own:
        asyncio.run(_recreate(bootstrap, own))


async def _recreate(bootstrap: str, topics: Sequence[Topic]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic.name for topic in topics])
    finally:
        await admin.close()
    deadline = time.monotonic() + 30
    while True:
        try:
            await create_topics(bootstrap, topics, replication=1)
        except StartError:
            if time.monotonic() > deadline:
                raise
        else:
            return
        await asyncio.sleep(0.2)


@dataclass(frozen=True, slots=True)
class _Progress:
    """Progress of a consuming service: events applied, whether its outbox is empty, and the resources used."""

    applied: int
    all_sent: bool
    usage: Usage


async def _measure(
    local: LocalCentre, service: str, broker: Broker, postgres: Postgres, dossiers: int
) -> dict[str, float]:
    """Measure from the first transaction observed to the last one, and to the last event that Kafka acknowledged."""
    ends = EndOffsets(broker.bootstrap)
    own_topics = [topic for topic in TOPICS.values() if topic.owner == service]
    to_consume = await _count(ends, *(topic for topic in TOPICS.values() if service in topic.readers))
    own_before = await _count(ends, *own_topics)
    connection = await psycopg.AsyncConnection.connect(postgres.url, dbname=DATABASE, autocommit=True)
    child = local.start_service(service)
    assert broker.pid is not None, "it was started"
    assert postgres.pid is not None, "it was started"
    try:
        meter = Meter({service: child.pid, "kafka": broker.pid, "postgres": postgres.pid})
        monitor = _Monitor(connection, service, meter)
        first = await monitor.wait_until(lambda progress: progress.applied > 0, child)
        applied = await monitor.wait_until(lambda progress: progress.applied >= to_consume, child)
        last = await monitor.wait_until(lambda progress: progress.all_sent, child)
        memory = meter.memory()[service]
        events = await monitor.count("events")
        published = await _count(ends, *own_topics) - own_before
        differences = []
        if events != published:
            differences.append(f"{events} events are stored, {published} are on Kafka")
        if quarantined := await monitor.count("quarantined_records"):
            differences.append(f"{quarantined} records are quarantined")
        if (stored := await monitor.count("dossiers")) != dossiers:
            differences.append(f"{stored} dossiers are stored, the events are about {dossiers}")
        if differences:
            raise InvalidRunError(f"{service}: {'; '.join(differences)}")
    finally:
        child.stop()
        await connection.close()
        await ends.close()
    count = applied.applied - first.applied
    seconds = applied.usage.seconds - first.usage.seconds
    cpu = {name: last.usage.cpu[name] - first.usage.cpu[name] for name in last.usage.cpu}
    return {
        "count": float(to_consume),
        "published": float(published),
        "events": count / seconds,
        "until published": count / (last.usage.seconds - first.usage.seconds),
        "own": cpu[service] / count * 1e6,
        "postgres": cpu["postgres"] / count * 1e6,
        "kafka": cpu["kafka"] / count * 1e6,
        "memory": memory,
        "other load": last.usage.other_load,
    }


@dataclass(frozen=True, slots=True)
class _Monitor:
    """Reads the progress of one service from its tables."""

    connection: psycopg.AsyncConnection
    service: str
    meter: Meter

    async def wait_until(self, condition: Callable[[_Progress], bool], child: Child) -> _Progress:
        """Poll until the condition is true. Raises InvalidRunError on a time-out, or if the service ends."""
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while True:
            progress = await self._progress()
            if condition(progress):
                return progress
            if child.exit_code is not None:
                raise InvalidRunError(f"{self.service} ended with status {child.exit_code}: {child.last_lines()}")
            if time.monotonic() > deadline:
                raise InvalidRunError(
                    f"{self.service} did not finish within {_TIMEOUT_SECONDS:.0f} s: {progress.applied} events applied"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def count(self, table: str) -> int:
        """Count the rows of one of the service's tables."""
        return await self._fetch_number(f"select count(*) from {self.service}.{table}")

    async def _progress(self) -> _Progress:
        applied = await self._fetch_number(
            f"select coalesce(sum(next_offset), 0)::bigint from {self.service}.stored_offsets"
        )
        unsent = await self._fetch_number(f"select count(*) from (select from {self.service}.outbox limit 1) one")
        return _Progress(applied, unsent == 0, self.meter.usage())

    async def _fetch_number(self, query: str) -> int:
        row = await (await self.connection.execute(query)).fetchone()
        return int(row[0]) if row else 0


async def _count(ends: EndOffsets, *topics: Topic) -> int:
    offsets = await ends.read([(topic.name, number) for topic in topics for number in range(topic.partitions)])
    return sum(offsets.values())
