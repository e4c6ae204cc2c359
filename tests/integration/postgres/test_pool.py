"""Connections of a pool."""

from shared.postgres.pool import create_pool
from tests.support import Databases


async def test_open_transaction_is_rolled_back_on_return_to_the_pool(database: Databases) -> None:
    """The next borrower gets the same session without an open transaction."""
    pool = await create_pool(database.fresh("notify").url("notify"), "notify", size=1)
    try:
        async with pool.acquire() as connection:
            session = await connection.fetchval("select pg_backend_pid()")
            await connection.execute("create table left_open (n integer)")
            await connection.execute("begin; insert into left_open values (1)")
        async with pool.acquire() as connection:
            assert await connection.fetchval("select pg_backend_pid()") == session
            assert not connection.is_in_transaction()
            assert await connection.fetchval("select count(*) from left_open") == 0
    finally:
        pool.terminate()
