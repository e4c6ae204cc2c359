"""What a pool promises of the connections that it lends."""

from shared.postgres.pool import create_pool
from tests.support import Databases


async def test_who_gives_a_connection_back_keeps_no_transaction_on_it(database: Databases) -> None:
    """The next one begins on the same session with nothing done and nothing locked."""
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
