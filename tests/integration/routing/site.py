"""Replicas of routing as processes, with a broker, a database, a centre and API keys of their own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.routing import __file__ as routing_file
from shared.kernel.vocabulary import Role
from shared.postgres.migrate import migrate
from shared.service.keys import ApiKey, new_key, write_keys
from tests.support import ServiceDatabase, free_port
from tests.support.centre_folder import write_centre
from tests.support.service_process import ServiceProcess

MIGRATIONS = Path(routing_file).parent / "migrations"


@dataclass(slots=True)
class Site:
    """One installation. `tokens` has an API key for each name: leader, stc (its officer), ca, counter3, applicant."""

    folder: Path
    centre: Path
    bootstrap: str
    database_url: str
    tokens: dict[str, str]
    replicas: list[ServiceProcess]

    def client(self, name: str, replica: int = 0) -> httpx.AsyncClient:
        """An HTTP client of one replica, with the API key of that name."""
        return httpx.AsyncClient(
            base_url=self.replicas[replica].url, headers={"Authorization": f"Bearer {self.tokens[name]}"}, timeout=20
        )


@contextmanager
def routing_site(bootstrap: str, database: ServiceDatabase, folder: Path, *, replicas: int = 1) -> Iterator[Site]:
    """An installation whose replicas are not started yet; those that a test starts are stopped at the end."""
    centre = write_centre(folder / "centre")
    tokens: dict[str, str] = {}
    keys: list[ApiKey] = []

    def add(name: str, role: Role, department: str | None = None, counter: int | None = None) -> None:
        tokens[name], key = new_key(name, role, department=department, counter=counter)
        keys.append(key)

    add("leader", "leader")
    add("stc", "officer", department="STC")
    add("ca", "officer", department="CA")
    add("counter3", "clerk", counter=3)
    add("applicant", "applicant")
    write_keys(folder / "keys.toml", keys)
    url = database.url("routing")
    migrate(url, "routing", MIGRATIONS)
    processes = [
        ServiceProcess(
            "routing",
            {
                "ROUTING_KAFKA_BOOTSTRAP": bootstrap,
                "ROUTING_DATABASE_URL": url,
                "ROUTING_MEMBER": f"routing-{number}",
                "ROUTING_PORT": str(free_port()),
                "ROUTING_CENTRE": str(centre),
                "ROUTING_KEYS_FILE": str(folder / "keys.toml"),
            },
            folder / f"routing-{number}.log",
        )
        for number in range(replicas)
    ]
    with ExitStack() as stack:
        for process in processes:
            stack.callback(process.stop)
        yield Site(folder, centre, bootstrap, url, tokens, processes)
