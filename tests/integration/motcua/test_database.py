"""Role and schema a service: each owns its own and sees no other; the verifier reads all and writes nothing."""

from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from motcua.local.database import SERVICES, create_database, grant_to_ops
from shared.kernel.errors import StartError
from shared.postgres.migrate import migrate
from tests.support import Databases, free_port


def test_a_service_writes_its_own_schema_without_naming_it(database: Databases) -> None:
    """An unqualified table lands in the schema of the role."""
    fresh = database.fresh()
    for service in SERVICES:
        with psycopg.connect(fresh.url(service)) as connection:
            connection.execute("create table things (n int)")
            found = connection.execute("select schemaname from pg_tables where tablename = 'things'").fetchall()
            assert (service,) in found


@pytest.mark.parametrize("statement", ["select * from routing.things", "insert into routing.things values (1)"])
def test_a_service_has_no_right_on_another_schema(database: Databases, statement: str) -> None:
    """Neither reading nor writing: the schema itself is closed."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("routing")) as connection:
        connection.execute("create table things (n int)")
    with psycopg.connect(fresh.url("intake")) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


def test_a_service_cannot_make_tables_in_public(database: Databases) -> None:
    """There is no common ground in which services could meet."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("sla")) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("create table public.things (n int)")


def test_the_verifier_reads_tables_made_later(database: Databases) -> None:
    """Default privileges cover what a migration creates after the roles were made."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("notify")) as connection:
        connection.execute("create table things (n int)")
        connection.execute("insert into things values (7)")
    with psycopg.connect(fresh.url("verify")) as connection:
        assert connection.execute("select n from notify.things").fetchone() == (7,)


def test_the_verifier_writes_nothing(database: Databases) -> None:
    """Its transactions are read-only, and it has no right to write even when it asks for more."""
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


def watched(database: Databases, tmp_path: Path) -> str:
    """The URL of ops on a database whose sla has its tables, prepared twice."""
    fresh = database.fresh()
    migrate(fresh.url("sla"), "sla", tmp_path)
    for _ in range(2):
        grant_to_ops(fresh.server_url, "sla", database=fresh.name)
    return fresh.url("ops")


def test_ops_sees_how_much_waits(database: Databases, tmp_path: Path) -> None:
    """Offsets, and of outbox and quarantined records what counting and dating needs."""
    with psycopg.connect(watched(database, tmp_path)) as connection:
        connection.execute("set search_path = sla")
        for statement in READABLE:
            connection.execute(statement)


@pytest.mark.parametrize("statement", CLOSED)
def test_ops_sees_nothing_of_a_dossier(database: Databases, tmp_path: Path, statement: str) -> None:
    """No value, no key, no other table."""
    with psycopg.connect(watched(database, tmp_path)) as connection:
        connection.execute("set search_path = sla")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(statement)


def test_preparing_twice_keeps_what_is_there(database: Databases) -> None:
    """A second start changes nothing."""
    fresh = database.fresh()
    with psycopg.connect(fresh.url("intake")) as connection:
        connection.execute("create table things (n int)")
    create_database(database.server_url, database=fresh.name)
    with psycopg.connect(fresh.url("intake")) as connection:
        assert connection.execute("select count(*) from things").fetchone() == (0,)


def test_another_database_is_closed_to_the_services_of_none(database: Databases) -> None:
    """A role that was not named for a database may not even connect to it."""
    database.fresh()
    only_sla = database.fresh("sla")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(only_sla.url("intake"))


def test_a_server_that_does_not_answer_is_named() -> None:
    """The sentence names the server, never a password, and the setting."""
    port = free_port()
    with pytest.raises(StartError, match=rf"127\.0\.0\.1:{port}.*MOTCUA_DATABASE") as refusal:
        create_database(f"postgresql://postgres:hidden@127.0.0.1:{port}/postgres")
    assert "hidden" not in str(refusal.value)
