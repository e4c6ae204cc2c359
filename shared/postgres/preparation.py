"""The configuration for which a schema was prepared; services with different configurations must not run together."""

import asyncpg

from shared.kernel.errors import StartError
from shared.postgres.pool import connect

_RECORD = """
insert into prepared (catalogue_version) values ($1)
on conflict (only_row) do update set catalogue_version = excluded.catalogue_version, prepared_at = now()
"""


async def record_prepared(dsn: str, schema: str, catalogue_version: str) -> None:
    """Record that the service must run with this configuration and no other. Commits."""
    connection = await connect(dsn, schema)
    try:
        await connection.execute(_RECORD, catalogue_version)
    finally:
        await connection.close()


async def check_prepared(pool: asyncpg.Pool, catalogue_version: str) -> None:
    """Raises StartError if the schema was prepared for another configuration.

    `motcua prepare` records one version for all services of a centre, so all that start have the same one. A schema
    that was only migrated has no record, and accepts any configuration.
    """
    prepared = await pool.fetchval("select catalogue_version from prepared")
    if prepared not in (None, catalogue_version):
        raise StartError(
            f"This centre was prepared for catalogue version {prepared}, but the folder of this service has version "
            f"{catalogue_version}. Give every service the same folder. After an intended change, stop all services and "
            "run `motcua prepare`."
        )
