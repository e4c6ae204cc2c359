"""Replicas of sla as processes on a fresh broker and a durable database, for measurements of sla without the others."""

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
from tests.bench.machine import Meter, Usage
from tests.support import free_port
from tests.support.service_process import ServiceProcess


@dataclass(slots=True)
class SlaReplicas:
    """Replicas of sla with a migrated database, not started yet. `token` belongs to a leader."""

    bench: Bench
    database: str
    bootstrap: str
    token: str
    processes: Sequence[ServiceProcess]
    servers: dict[str, int]

    @contextmanager
    def started(self) -> Iterator[Meter]:
        """Run the replicas within the context; yield a meter of them and their servers."""
        try:
            for process in self.processes:
                process.start()
            yield Meter(self.servers | {process.settings["SLA_MEMBER"]: process.pid for process in self.processes})
        finally:
            for process in self.processes:
                process.stop()

    def format_usage(self, usage: Usage, count: int) -> str:
        """Format the rate and the CPU time per item, for `count` items."""
        replicas = [process.settings["SLA_MEMBER"] for process in self.processes]
        cpu = {"sla": sum(usage.cpu[name] for name in replicas), **{name: usage.cpu[name] for name in self.servers}}
        per_item = ", ".join(f"{name} {seconds / count * 1e6:.0f}" for name, seconds in cpu.items())
        load = f"unrelated processes used {usage.other_load:.0%} of the machine's CPU"
        return f"{count / usage.seconds:,.0f} per second; CPU µs per item: {per_item}; {load}"


@contextmanager
def sla_replicas(name: str, *, replicas: int) -> Iterator[SlaReplicas]:
    """Start a broker and a database and prepare the replicas; print cores and load. Removes everything afterwards."""
    settings = load(MotcuaSettings)
    bench = Bench(QUICK, settings, settings.home.resolve() / "bench", lambda line: print(line, flush=True))
    bench.report(f"{os.cpu_count()} cores, load before the run {os.getloadavg()[0]:.1f}")
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
        yield SlaReplicas(
            bench, url, broker.bootstrap, token, processes, {"postgres": postgres.pid, "kafka": broker.pid}
        )
