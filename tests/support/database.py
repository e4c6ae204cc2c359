"""Fresh databases on the run's server."""

from dataclasses import dataclass, field

from motcua.local.database import SERVICES, VERIFY, create_database, drop_database, url_for
from motcua.local.embedded.postgres import Postgres
from tests.support.unique import unique


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """One database with role and schema of each service, as in a centre."""

    name: str
    admin_url: str
    server_url: str

    def url(self, service: str) -> str:
        """Connects as that service's role (or as `verify`), with its own schema in the search path."""
        return url_for(self.server_url, service, database=self.name)


@dataclass(slots=True)
class Databases:
    """Makes databases; those that a test took are dropped when it ends."""

    server: Postgres
    _made: list[str] = field(default_factory=list)

    @property
    def server_url(self) -> str:
        """The superuser's URL, database `postgres`."""
        return self.server.url

    def fresh(self, *services: str) -> ServiceDatabase:
        """A new database: the four services' roles and schemas, or those named (a made-up service may be)."""
        name = unique("motcua")
        create_database(self.server.url, database=name, services=services or SERVICES)
        self._made.append(name)
        admin = self.server.url.removesuffix("/postgres") + f"/{name}"
        return ServiceDatabase(name=name, admin_url=admin, server_url=self.server.url)

    def drop_all(self) -> None:
        """Remove what was made, ending its connections."""
        while self._made:
            drop_database(self.server.url, database=self._made.pop())


__all__ = ["VERIFY", "Databases", "ServiceDatabase"]
