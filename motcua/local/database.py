"""The database of a centre: roles, schemas and grants.

Each service has one role and one schema, and no rights on other schemas. Two roles have only read access: `verify` to
all tables, `ops` to the columns from which lag is calculated.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from shared.kernel.errors import StartError

SERVICES = ("intake", "routing", "sla", "notify")
VERIFY = "verify"
OPS = "ops"
READERS = (VERIFY, OPS)
DATABASE = "motcua"
_MIN_VERSION = 16
_READABLE_BY_OPS = {
    "stored_offsets": ("consumer_group", "topic", "partition", "next_offset", "moved_at", "stopped"),
    "outbox": ("id", "queued_at"),
    "quarantined_records": ("topic", "partition", "offset", "reason", "quarantined_at"),
}
"""Columns that ops may read: counts and times of pending records, but no value, no key and no dossier."""
_LOCK = 0x6D6F7463  # advisory lock: two commands that prepare one server run one after the other


def role_of(service: str) -> str:
    """Return the name of the database role of a service, of `verify` or of `ops`."""
    return f"motcua_{service}"


def url_for(admin_url: str, service: str, *, database: str = DATABASE, password: str | None = None) -> str:
    """Build the URL with which a service (or `verify`, `ops`) connects to `database` on the server of `admin_url`."""
    parts = urlsplit(admin_url)
    host = parts.netloc.rpartition("@")[2]
    user = role_of(service) + (f":{quote(password, safe='')}" if password else "")
    return urlunsplit((parts.scheme, f"{user}@{host}", f"/{database}", parts.query, ""))


def create_database(
    admin_url: str,
    *,
    database: str = DATABASE,
    services: Iterable[str] = SERVICES,
    passwords: Mapping[str, str] | None = None,
) -> None:
    """Create the database, and roles, schemas and grants of `services`, as far as they are missing.

    Blocks; commits step by step. `admin_url` is a superuser's. `passwords` maps a service (or `verify`, `ops`) to the
    password to set for its role. Raises StartError with the reason.
    """
    services = tuple(services)
    try:
        with psycopg.connect(admin_url, autocommit=True, connect_timeout=10) as server:
            if server.info.server_version < _MIN_VERSION * 10000:
                raise StartError(
                    f"Postgres {server.info.server_version // 10000} is too old. Use version {_MIN_VERSION} or newer."
                )
            server.execute("select pg_advisory_lock(%s)", (_LOCK,))
            _create_roles(server, services, passwords or {})
            if server.execute("select from pg_database where datname = %s", (database,)).fetchone() is None:
                server.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
            parts = urlsplit(admin_url)
            with psycopg.connect(urlunsplit(parts._replace(path=f"/{database}")), connect_timeout=10) as inside:
                _create_schemas(inside, database, services)
    except psycopg.Error as error:
        raise StartError(
            f"The database {database} could not be prepared on {urlsplit(admin_url).netloc.rpartition('@')[2]} "
            f"({' '.join(str(error).split())}). "
            "Check that the server runs and that MOTCUA_DATABASE is the URL of a superuser."
        ) from error


def grant_to_ops(admin_url: str, service: str, *, database: str = DATABASE) -> None:
    """Grant the role of ops read access to the columns of a migrated service from which lag is calculated.

    Idempotent. Blocks; commits.

    Raises StartError if the database does not answer; other database errors are not converted.
    """
    ops, where = sql.Identifier(role_of(OPS)), urlunsplit(urlsplit(admin_url)._replace(path=f"/{database}"))
    try:
        with psycopg.connect(where, connect_timeout=10) as inside:
            for table, columns in _READABLE_BY_OPS.items():
                inside.execute(
                    sql.SQL("grant select ({}) on {} to {}").format(
                        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(service, table), ops
                    )
                )
    except psycopg.OperationalError as error:
        raise unavailable(error) from error


def unavailable(error: Exception) -> StartError:
    """Return (do not raise) the StartError of a command that cannot connect to the database, with the remedies."""
    return StartError(
        f"The database does not answer ({' '.join(str(error).split())}). Start one with `motcua up`, or set "
        "MOTCUA_DATABASE to an existing one or MOTCUA_DATABASE_PORT to the port of a local one."
    )


def drop_database(admin_url: str, *, database: str) -> None:
    """Drop a database if it exists, and close its connections. The roles are not dropped. Blocks; commits."""
    with psycopg.connect(admin_url, autocommit=True, connect_timeout=10) as server:
        server.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))


def _create_roles(server: psycopg.Connection, services: Iterable[str], passwords: Mapping[str, str]) -> None:
    for service in (*services, *READERS):
        role = sql.Identifier(role_of(service))
        if server.execute("select from pg_roles where rolname = %s", (role_of(service),)).fetchone() is None:
            server.execute(sql.SQL("create role {} login").format(role))
        if service in passwords:
            server.execute(sql.SQL("alter role {} password {}").format(role, sql.Literal(passwords[service])))
    for reader in READERS:
        server.execute(
            sql.SQL("alter role {} set default_transaction_read_only = on").format(sql.Identifier(role_of(reader)))
        )


def _create_schemas(inside: psycopg.Connection, database: str, services: Iterable[str]) -> None:
    """Create schemas and grants in the open transaction of `inside`; does not commit.

    Only the roles of `services`, `verify` and `ops` may connect to the database, apart from superusers.
    """
    name = sql.Identifier(database)
    verify, ops = (sql.Identifier(role_of(reader)) for reader in READERS)
    inside.execute(sql.SQL("revoke all on database {} from public").format(name))
    inside.execute("revoke all on schema public from public")
    inside.execute(sql.SQL("grant connect on database {} to {}, {}").format(name, verify, ops))
    for service in services:
        role, schema = sql.Identifier(role_of(service)), sql.Identifier(service)
        for statement in (
            "grant connect, temporary on database {name} to {role}",
            "create schema if not exists {schema} authorization {role}",
            "alter role {role} in database {name} set search_path = {schema}",
            "grant usage on schema {schema} to {verify}, {ops}",
            "grant select on all tables in schema {schema} to {verify}",
            "alter default privileges for role {role} in schema {schema} grant select on tables to {verify}",
        ):
            inside.execute(sql.SQL(statement).format(name=name, role=role, schema=schema, verify=verify, ops=ops))
