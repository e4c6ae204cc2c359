"""The configuration for which a schema was prepared: services with different configurations must not run together."""

import asyncpg

from shared.kernel.errors import StartError
from shared.postgres.pool import connect

_RECORD = """
insert into prepared (catalogue_version) values ($1)
on conflict (only_row) do update set catalogue_version = excluded.catalogue_version, prepared_at = now()
"""


async def record_prepared(dsn: str, schema: str, catalogue_version: str) -> None:
    """Store the only catalogue version with which the service may start, in place of an earlier one. Commits."""
    connection = await connect(dsn, schema)
    try:
        await connection.execute(_RECORD, catalogue_version)
    finally:
        await connection.close()


async def check_prepared(pool: asyncpg.Pool, catalogue_version: str) -> None:
    """Raise StartError if the schema was prepared for another catalogue version.

    `motcua prepare` stores one version for all services of a centre, so all services that start have the same one. A
    schema that was only migrated has no stored version, and accepts any.
    """
    prepared = await pool.fetchval("select catalogue_version from prepared")
    if prepared not in (None, catalogue_version):
        raise StartError(
            f"This centre was prepared for catalogue version {prepared}, but the folder of this service has version "
            f"{catalogue_version}. Give every service the same folder. After an intended change, stop all services and "
            "run `motcua prepare`."
        )
