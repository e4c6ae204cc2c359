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


async def create_pool(dsn: str, schema: str, *, size: int = 12) -> asyncpg.Pool:
    """A pool on `schema`. Raises OSError or asyncpg.PostgresError when the database cannot be reached."""
    return await asyncpg.create_pool(
        dsn,
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
