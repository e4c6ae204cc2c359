"""Creates databases on the database server of the test run."""

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
        """A URL with that service's role (or `verify`), and its schema in the search path."""
        return url_for(self.server_url, service, database=self.name)


@dataclass(slots=True)
class Databases:
    """Creates databases for one test, and drops them at its end."""

    server: Postgres
    _made: list[str] = field(default_factory=list)

    @property
    def server_url(self) -> str:
        """The superuser's URL, database `postgres`."""
        return self.server.url

    def fresh(self, *services: str) -> ServiceDatabase:
        """A new database with roles and schemas of the four services, or of `services`, which may be invented ones."""
        name = unique("motcua")
        create_database(self.server.url, database=name, services=services or SERVICES)
        self._made.append(name)
        admin = self.server.url.removesuffix("/postgres") + f"/{name}"
        return ServiceDatabase(name=name, admin_url=admin, server_url=self.server.url)

    def drop_all(self) -> None:
        """Drop the created databases and end their connections."""
        while self._made:
            drop_database(self.server.url, database=self._made.pop())


__all__ = ["VERIFY", "Databases", "ServiceDatabase"]
