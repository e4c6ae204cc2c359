"""Connections of a service to its own schema, with the time-outs that the delivery protocol relies on."""

from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection | PoolConnectionProxy"
"""A connection, dedicated or lent by a pool."""

FROZEN_TRANSACTION_SECONDS = 15
"""A transaction whose owner froze is ended by the database after this, so that another replica can go on."""


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
    """End sessions of this service whose owner froze in mid-request; gives how many. Commits.

    Postgres's own time-out ends a transaction that stands idle, but asyncpg prepares a statement in one message and
    runs it in the next: an owner that freezes in between leaves a session that counts as active, with all its locks.
    """
    ended: int = await connection.fetchval(_END_FROZEN, FROZEN_TRANSACTION_SECONDS)
    return ended


class _Lent(asyncpg.Connection):
    """A connection that a pool lends. An open transaction is rolled back when it is given back, and nothing more.

    asyncpg would also drop advisory locks, cursors, listeners and settings, with a request of its own each time. The
    house leaves none of them on a connection of a pool: a lock of a session is held on a dedicated one (`connect`).
    """

    __slots__ = ()

    def get_reset_query(self) -> str:
        """Nothing to undo."""
        return ""


async def create_pool(dsn: str, schema: str, *, size: int = 12) -> asyncpg.Pool:
    """A pool on `schema`. Raises OSError or asyncpg.PostgresError when the database cannot be reached.

    Whoever borrows a connection leaves no trace of the session on it: no lock, no setting, no listener (see _Lent).
    """
    return await asyncpg.create_pool(
        dsn,
        connection_class=_Lent,
        min_size=1,
        max_size=size,
        timeout=10,
        command_timeout=90,
        server_settings=_server_settings(schema),
    )


async def connect(dsn: str, schema: str, *, idle_seconds: int | None = None) -> asyncpg.Connection:
    """One dedicated connection, for a session lock; `idle_seconds` lets the database end it when its owner froze."""
    more = {} if idle_seconds is None else {"idle_session_timeout": f"{idle_seconds}s"}
    return await asyncpg.connect(dsn, timeout=10, command_timeout=30, server_settings=_server_settings(schema, **more))
