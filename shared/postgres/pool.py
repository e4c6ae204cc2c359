"""Connections of a service to its schema, with the time-outs that the delivery protocol needs."""

import asyncio
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from shared.postgres.errors import CONNECTION_ERRORS

Connection: TypeAlias = "asyncpg.Connection | PoolConnectionProxy"
"""A dedicated connection, or one borrowed from a pool."""

FROZEN_TRANSACTION_SECONDS = 15
"""The database ends the transaction of a frozen process after this, so that another replica can continue."""


def _server_settings(schema: str, **more: str) -> dict[str, str]:
    return {
        "search_path": schema,
        "timezone": "UTC",
        "idle_in_transaction_session_timeout": f"{FROZEN_TRANSACTION_SECONDS}s",
        "lock_timeout": "10s",
        "statement_timeout": "60s",
        "application_name": f"motcua {schema}",
        **more,
    }


_END_FROZEN = (
    "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = current_user "
    "and datname = current_database() and application_name = current_setting('application_name') "
    "and state = 'active' and wait_event = 'ClientRead' and state_change < now() - make_interval(secs => $1)"
)


async def end_frozen_sessions(connection: Connection) -> int:
    """End the database sessions of this service whose process froze between two messages, and return their number.

    Postgres's time-out ends only idle transactions. But asyncpg prepares a statement in one message and executes it in
    the next one: a process that freezes between the two leaves a session that counts as active and holds its locks.
    """
    ended: int = await connection.fetchval(_END_FROZEN, FROZEN_TRANSACTION_SECONDS)
    return ended


class _PooledConnection(asyncpg.Connection):
    """A connection of a pool. When it is returned, an open transaction is rolled back, and nothing else is reset.

    asyncpg would also release advisory locks, cursors, listeners and settings, with one more request each time. No code
    leaves any of them on a pooled connection: session locks use a dedicated connection (`connect`).
    """

    __slots__ = ()

    def get_reset_query(self) -> str:
        """The SQL that asyncpg runs when a connection is returned to the pool: none."""
        return ""


async def create_pool(dsn: str, schema: str, *, size: int = 12) -> asyncpg.Pool:
    """Open a pool of connections to `schema`; the caller closes it.

    Raises OSError or asyncpg.PostgresError if the database cannot be reached. A borrower must not leave session state
    on a connection: no lock, setting or listener (see _PooledConnection).
    """
    return await asyncpg.create_pool(
        dsn,
        connection_class=_PooledConnection,
        min_size=1,
        max_size=size,
        timeout=10,
        command_timeout=90,
        server_settings=_server_settings(schema),
    )


async def reason_not_answering(pool: asyncpg.Pool, *, within_seconds: float = 2.0) -> str | None:
    """Return why the database does not answer a query of the pool in time; None if it answers."""
    try:
        await asyncio.wait_for(pool.fetchval("select 1"), within_seconds)
    except CONNECTION_ERRORS as error:
        return f"The database does not answer: {type(error).__name__}."
    return None


async def connect(dsn: str, schema: str, *, idle_seconds: int | None = None) -> asyncpg.Connection:
    """Open a connection outside the pool, for a session lock; the caller closes it.

    The database ends the connection after `idle_seconds` without a request; never if None.
    """
    more = {} if idle_seconds is None else {"idle_session_timeout": f"{idle_seconds}s"}
    return await asyncpg.connect(dsn, timeout=10, command_timeout=30, server_settings=_server_settings(schema, **more))
