"""For which configuration a service's schema was prepared, so that services of different ones do not run together."""

import asyncpg

from shared.kernel.errors import StartError
from shared.postgres.pool import connect

_NOTE = """
insert into prepared (catalogue_version) values ($1)
on conflict (one) do update set catalogue_version = excluded.catalogue_version, prepared_at = now()
"""


async def note_prepared(dsn: str, schema: str, catalogue_version: str) -> None:
    """Write down that the service is to run with this configuration, and with no other. Commits."""
    connection = await connect(dsn, schema)
    try:
        await connection.execute(_NOTE, catalogue_version)
    finally:
        await connection.close()


async def check_prepared(pool: asyncpg.Pool, catalogue_version: str) -> None:
    """Raises StartError when the schema was prepared for another configuration.

    Whoever prepares a centre notes one version for all of its services, so those that start have the same; a schema
    that nobody prepared (migrated alone) says nothing.
    """
    prepared = await pool.fetchval("select catalogue_version from prepared")
    if prepared not in (None, catalogue_version):
        raise StartError(
            f"this centre was prepared for catalogue version {prepared}, and the folder that this service reads has "
            f"{catalogue_version}: give every service the same folder; after a change on purpose stop all of them and "
            "run `motcua prepare`"
        )
