"""Each service's consumer alone: its topics are full, its schema is fresh, and it takes in all of it at one go."""

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
from shared.messaging.lag import Ends
from tests.bench.bench import Bench, NoResultError
from tests.bench.event_recording import Recording, record, tell, unheard
from tests.bench.figures import Part, Row, Table, series
from tests.bench.machine import Meter, Spent

AIM = 15_000.0
ORDER = ("routing", "sla", "notify", "intake")
"""What the first two tell is what the last two hear."""
_LOOK_SECONDS = 0.03
_WITHIN_SECONDS = 600.0


def run(bench: Bench) -> Part:
    """Each service several times, one at a time, on the same broker and database server."""
    bench.say("  recording events of whole lives")
    recording = record(bench)
    copies = recording.copies_for(bench.sizes.events)
    rows, others = [], []
    with bench.servers("alone") as (broker, postgres):
        site = _settings(bench, broker, postgres)
        local = LocalCentre(site)
        try:
            local.start(services=())
            told, size = asyncio.run(tell(broker.bootstrap, recording, copies))
            bench.say(f"  {told:,} events of intake on Kafka")
            for service in ORDER:
                runs = []
                for number in range(1, bench.sizes.runs + 1):
                    _fresh(site, local, service)
                    if service == "intake":
                        _know(postgres.url, recording, copies)
                    _empty(broker.bootstrap, service)
                    runs.append(asyncio.run(_measured(local, service, broker, postgres, copies * len(recording.rows))))
                    others.append(runs[-1]["others"])
                    bench.say(f"  {service}, run {number}: {runs[-1]['events']:,.0f} events/s")
                rows.append(_row(service, runs))
        finally:
            local.stop()
    notes = (
        f"{told:,} events of intake of {size} bytes about {copies * len(recording.rows):,} dossiers: "
        f"{len(recording.events):,} that a centre really told, each told of {copies} dossiers.",
    )
    return Part("alone", 0.0, (Table("alone", tuple(rows), notes),), tuple(others))


def _row(service: str, runs: Sequence[dict[str, float]]) -> Row:
    return Row(
        service,
        {
            "events": series(runs, "count", ""),
            "told": series(runs, "told", ""),
            "events/s": series(runs, "events", "events/s", aim=AIM),
            "to the last event told": series(runs, "all", "events/s"),
            "CPU an event": series(runs, "own", "µs"),
            "of Postgres": series(runs, "postgres", "µs"),
            "of Kafka": series(runs, "kafka", "µs"),
            "memory": series(runs, "memory", "MB"),
        },
    )


def _settings(bench: Bench, broker: Broker, postgres: Postgres) -> MotcuaSettings:
    starts_at = bench.load(bench.sizes.recorded_dossiers).starts_at
    home = broker.folder.parent / "home"
    return isolated_settings(bench.settings, home=home).model_copy(
        update={
            "kafka": broker.bootstrap,
            "database": postgres.url,
            "clock": "simulated",  # at the beginning, so that nothing falls due: the consumer has the process to itself
            "clock_starts_at": starts_at,
        }
    )


def _fresh(site: MotcuaSettings, local: LocalCentre, service: str) -> None:
    """A database in which the service has never run. Blocks."""
    drop_database(site.admin_url, database=DATABASE)
    prepare_database(site, [service], lambda _: None, catalogue_version=local.centre.catalogue_version)


def _know(admin_url: str, recording: Recording, copies: int) -> None:
    """Intake's dossiers, of which the others' events speak. Blocks; commits."""
    with psycopg.connect(admin_url, dbname=DATABASE) as connection:
        connection.cursor().executemany(
            "insert into intake.dossiers select (jsonb_populate_record(null::intake.dossiers, %s::jsonb)).*",
            [(row,) for row in unheard(recording, copies)],
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("analyze intake.dossiers")


def _empty(bootstrap: str, service: str) -> None:
    """The topics that the service writes, made anew; intake's stay, the others' come from them. Blocks."""
    own = [topic for topic in TOPICS.values() if topic.owner == service and topic is not DOSSIERS]
    if own:
        asyncio.run(_made_anew(bootstrap, own))


async def _made_anew(bootstrap: str, topics: Sequence[Topic]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic.name for topic in topics])
    finally:
        await admin.close()
    until = time.monotonic() + 30
    while True:
        try:
            await create_topics(bootstrap, topics, replication=1)
        except StartError:
            if time.monotonic() > until:
                raise
        else:
            return
        await asyncio.sleep(0.2)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at a service that consumes: what it has applied, whether all of it is told, and what that cost."""

    applied: int
    told: bool
    spent: Spent


async def _measured(
    local: LocalCentre, service: str, broker: Broker, postgres: Postgres, dossiers: int
) -> dict[str, float]:
    """From the first transaction seen to the last one, and to the last event acknowledged by Kafka."""
    ends, wanted = Ends(broker.bootstrap), [topic for topic in TOPICS.values() if service in topic.readers]
    before = await _count(ends, *wanted)
    own_before = await _count(ends, *(topic for topic in TOPICS.values() if topic.owner == service))
    connection = await psycopg.AsyncConnection.connect(postgres.url, dbname=DATABASE, autocommit=True)
    child = local.start_service(service)
    assert broker.pid is not None, "it was started"
    assert postgres.pid is not None, "it was started"
    try:
        looks = _Looks(connection, service, Meter({service: child.pid, "kafka": broker.pid, "postgres": postgres.pid}))
        first = await looks.until(lambda look: look.applied > 0, child)
        applied = await looks.until(lambda look: look.applied >= before, child)
        last = await looks.until(lambda look: look.told, child)
        memory = looks.meter.memory()[service]
        events = await looks.number("events")
        told = await _count(ends, *(topic for topic in TOPICS.values() if topic.owner == service)) - own_before
        faults = []
        if events != told:
            faults.append(f"it told {events} events, Kafka has {told} of them")
        if held := await looks.number("quarantined_records"):
            faults.append(f"it holds {held} records")
        if (kept := await looks.number("dossiers")) != dossiers:
            faults.append(f"it keeps {kept} dossiers, {dossiers} were told of")
        if faults:
            raise NoResultError(f"{service}: {'; '.join(faults)}")
    finally:
        child.stop()
        await connection.close()
        await ends.close()
    count = applied.applied - first.applied
    seconds = applied.spent.seconds - first.spent.seconds
    cpu = {name: last.spent.cpu[name] - first.spent.cpu[name] for name in last.spent.cpu}
    return {
        "count": float(before),
        "told": float(told),
        "events": count / seconds,
        "all": count / (last.spent.seconds - first.spent.seconds),
        "own": cpu[service] / count * 1e6,
        "postgres": cpu["postgres"] / count * 1e6,
        "kafka": cpu["kafka"] / count * 1e6,
        "memory": memory,
        "others": last.spent.others,
    }


@dataclass(frozen=True, slots=True)
class _Looks:
    connection: psycopg.AsyncConnection
    service: str
    meter: Meter

    async def until(self, enough: Callable[[_Look], bool], child: Child) -> _Look:
        until = time.monotonic() + _WITHIN_SECONDS
        while True:
            look = await self._look()
            if enough(look):
                return look
            if child.exit_code is not None:
                raise NoResultError(f"{self.service} ended with status {child.exit_code}: {child.last_lines()}")
            if time.monotonic() > until:
                raise NoResultError(f"{self.service} was not done after {_WITHIN_SECONDS:.0f} s, at {look.applied}")
            await asyncio.sleep(_LOOK_SECONDS)

    async def number(self, table: str) -> int:
        return await self._one(f"select count(*) from {self.service}.{table}")

    async def _look(self) -> _Look:
        applied = await self._one(f"select coalesce(sum(next_offset), 0)::bigint from {self.service}.stored_offsets")
        unsent = await self._one(f"select count(*) from (select from {self.service}.outbox limit 1) one")
        return _Look(applied, unsent == 0, self.meter.spent())

    async def _one(self, query: str) -> int:
        row = await (await self.connection.execute(query)).fetchone()
        return int(row[0]) if row else 0


async def _count(ends: Ends, *topics: Topic) -> int:
    found = await ends.read([(topic.name, number) for topic in topics for number in range(topic.partitions)])
    return sum(found.values())
