"""Sla as processes of its own on a fresh broker and a durable database, for what is measured of it alone."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from motcua.local.database import create_database, url_for
from motcua.local.settings import MotcuaSettings
from services.sla import __file__ as sla_file
from shared.contracts.topics import TOPICS
from shared.messaging.admin import create_topics
from shared.postgres.migrate import migrate
from shared.runtime.settings import load
from shared.service.keys import new_key, write_keys
from tests.bench.bench import QUICK, Bench
from tests.bench.machine import Meter, Spent
from tests.support import free_port
from tests.support.service_process import ServiceProcess


@dataclass(slots=True)
class SlaAlone:
    """Migrated and not started yet; `token` is a leader's. The processes are replicas of one service."""

    bench: Bench
    database: str
    bootstrap: str
    token: str
    processes: Sequence[ServiceProcess]
    servers: dict[str, int]

    @contextmanager
    def started(self) -> Iterator[Meter]:
        """The processes run within; what they and their servers take is metered."""
        try:
            for process in self.processes:
                process.start()
            yield Meter(self.servers | {process.settings["SLA_MEMBER"]: process.pid for process in self.processes})
        finally:
            for process in self.processes:
                process.stop()

    def told(self, spent: Spent, count: int) -> str:
        """What each of so many things took."""
        replicas = [process.settings["SLA_MEMBER"] for process in self.processes]
        cpu = {"sla": sum(spent.cpu[name] for name in replicas), **{name: spent.cpu[name] for name in self.servers}}
        each = ", ".join(f"{name} {seconds / count * 1e6:.0f}" for name, seconds in cpu.items())
        return (
            f"{count / spent.seconds:,.0f} a second; CPU µs each: {each}; others took {spent.others:.0%} of the machine"
        )


@contextmanager
def sla_alone(name: str, *, replicas: int) -> Iterator[SlaAlone]:
    """Broker, database and so many replicas to be started; says cores and load first. All of it is removed."""
    settings = load(MotcuaSettings)
    bench = Bench(QUICK, settings, settings.home.resolve() / "bench", lambda sentence: print(sentence, flush=True))
    bench.say(f"{os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}")
    with bench.servers(name) as (broker, postgres):
        assert broker.pid is not None, "it was started"
        assert postgres.pid is not None, "it was started"
        asyncio.run(create_topics(broker.bootstrap, TOPICS.values(), replication=1))
        create_database(postgres.url, services=["sla"])
        url = url_for(postgres.url, "sla")
        migrate(url, "sla", Path(sla_file).parent / "migrations")
        folder = broker.folder.parent
        token, key = new_key("leader", "leader")
        write_keys(folder / "keys.toml", [key])
        processes = [
            ServiceProcess(
                "sla",
                {
                    "SLA_KAFKA_BOOTSTRAP": broker.bootstrap,
                    "SLA_DATABASE_URL": url,
                    "SLA_MEMBER": f"sla-{number}",
                    "SLA_PORT": str(free_port()),
                    "SLA_CENTRE": str(settings.centre),
                    "SLA_KEYS_FILE": str(folder / "keys.toml"),
                },
                folder / f"sla-{number}.log",
            )
            for number in range(replicas)
        ]
        yield SlaAlone(bench, url, broker.bootstrap, token, processes, {"postgres": postgres.pid, "kafka": broker.pid})
