"""Roles and grants: a service has only its own schema, `verify` reads everything, `ops` reads counts and times."""

from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from motcua.local.database import SERVICES, create_database, grant_to_ops
from shared.kernel.errors import StartError
from shared.postgres.migrate import migrate
from tests.support import Databases, free_port


def test_unqualified_table_is_in_the_service_schema(database: Databases) -> None:
    """An unqualified table is created in the schema of the role."""
    fresh = database.fresh()
    for service in SERVICES:
        with psycopg.connect(fresh.url(service)) as connection:
            connection.execute("create table things (n int)")
            found = connection.execute("select schemaname from pg_tables where tablename = 'things'").fetchall()
            assert (service,) in found


@pytest.mark.parametrize("statement", ["select * from routing.things", "insert into routing.things values (1)"])
def test_service_has_no_right_on_another_schema(database: Databases, statement: str) -> None:
    """A service can neither read nor write another schema."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("routing")) as connection:
        connection.execute("create table things (n int)")
    with psycopg.connect(fresh.url("intake")) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


def test_service_cannot_create_tables_in_public(database: Databases) -> None:
    """Services share no schema."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("sla")) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("create table public.things (n int)")


def test_verify_reads_tables_created_later(database: Databases) -> None:
    """Default privileges cover tables that a migration creates after the roles."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("notify")) as connection:
        connection.execute("create table things (n int)")
        connection.execute("insert into things values (7)")
    with psycopg.connect(fresh.url("verify")) as connection:
        assert connection.execute("select n from notify.things").fetchone() == (7,)


def test_verify_cannot_write(database: Databases) -> None:
    """Its transactions are read-only, and it has no right to write even if it changes that setting."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("intake")) as connection:
        connection.execute("create table things (n int)")
    with psycopg.connect(fresh.url("verify"), autocommit=True) as connection:
        with pytest.raises(errors.ReadOnlySqlTransaction):
            connection.execute("insert into intake.things values (1)")
        connection.execute("set default_transaction_read_only = off")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("insert into intake.things values (1)")


READABLE = (
    "select * from stored_offsets",
    "select id, queued_at from outbox",
    "select reason, quarantined_at from quarantined_records",
)
CLOSED = (
    "select event_id from outbox",
    "select value from quarantined_records",
    "select key from quarantined_records",
    "select value from events",
    "select * from clock",
)


def ops_url(database: Databases, tmp_path: Path) -> str:
    """The URL of ops for a database with migrated sla tables; the grants are made twice."""
    fresh = database.fresh()
    migrate(fresh.url("sla"), "sla", tmp_path)
    for _ in range(2):
        grant_to_ops(fresh.server_url, "sla", database=fresh.name)
    return fresh.url("ops")


def test_ops_reads_counts_and_times(database: Databases, tmp_path: Path) -> None:
    """ops reads offsets, and the columns of outbox and quarantined records for counts and times."""
    with psycopg.connect(ops_url(database, tmp_path)) as connection:
        connection.execute("set search_path = sla")
        for statement in READABLE:
            connection.execute(statement)


@pytest.mark.parametrize("statement", CLOSED)
def test_ops_cannot_read_dossiers(database: Databases, tmp_path: Path, statement: str) -> None:
    """ops reads no value, no key and no other table."""
    with psycopg.connect(ops_url(database, tmp_path)) as connection:
        connection.execute("set search_path = sla")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)


def test_second_preparation_keeps_existing_tables(database: Databases) -> None:
    """A second preparation changes nothing."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("intake")) as connection:
        connection.execute("create table things (n int)")
    create_database(database.server_url, database=fresh.name)
    with psycopg.connect(fresh.url("intake")) as connection:
        assert connection.execute("select count(*) from things").fetchone() == (0,)


def test_role_without_grant_cannot_connect(database: Databases) -> None:
    """A role that is not granted a database cannot connect to it."""
    database.fresh()
    only_sla = database.fresh("sla")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(only_sla.url("intake"))


def test_unavailable_server_is_reported_without_password() -> None:
    """The message has the server and the setting, but no password."""
    port = free_port()
    with pytest.raises(StartError, match=rf"127\.0\.0\.1:{port}.*MOTCUA_DATABASE") as refusal:
        create_database(f"postgresql://postgres:hidden@127.0.0.1:{port}/postgres")
    assert "hidden" not in str(refusal.value)
