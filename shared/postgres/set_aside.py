"""Rows that are set aside: a worker's decision about them fails, and no worker claims them until they are released."""

from collections.abc import Awaitable, Callable, Sequence
from traceback import extract_tb
from uuid import UUID

import asyncpg
import structlog

from shared.kernel.errors import MotcuaError
from shared.postgres.errors import is_fault_of_content
from shared.postgres.pool import Connection

SET_ASIDE_LIMIT = 100
"""More rows than this are not set aside: a bad row is one of many, but a bad release makes every row fail."""
FAILURES_LIMIT = 20

ROW_SET_ASIDE = "row_set_aside"
BATCH_REPEATED_ROW_BY_ROW = "batch_repeated_row_by_row"

log = structlog.get_logger(__name__)


class TooManyRowsSetAsideError(MotcuaError):
    """So many rows of the table are set aside that this release or its configuration is probably faulty."""


def not_set_aside(table: str, key: str) -> str:
    """Return the SQL condition for claims: the row of `table` whose key is the column `key` is not set aside."""
    return f"not exists (select from set_aside_rows s where s.table_name = '{table}' and s.key = {table}.{key})"


_ADD = """
insert into set_aside_rows (table_name, key, worker, reason)
select $1, $2, $3, $4 where (select count(*) from set_aside_rows where table_name = $1) < $5
on conflict do nothing
returning true
"""


class SetAside:
    """Sets rows of one table aside for one worker. Every worker of the service skips them in its claims."""

    def __init__(self, pool: asyncpg.Pool, *, table: str, worker: str) -> None:
        self._pool = pool
        self._table = table
        self._worker = worker

    async def process(
        self,
        batch: Callable[[], Awaitable[int]],
        *,
        keys: Callable[[], Awaitable[Sequence[UUID]]],
        one: Callable[[UUID], Awaitable[int]],
    ) -> int:
        """Call `batch`, one transaction on many rows; if a row makes it fail, call `one` for each of `keys`.

        Each call of `one` is a transaction on one row. A row that makes it fail is set aside, unless FAILURES_LIMIT
        rows fail and none succeeds: then the rows are not the cause. Returns the sum of the results. Raises errors of
        the database as a whole, the error of the last row in that case, and TooManyRowsSetAsideError.
        """
        try:
            return await batch()
        except Exception as error:
            if not is_fault_of_content(error):
                raise
            log.warning(BATCH_REPEATED_ROW_BY_ROW, worker=self._worker, error=type(error).__name__)
        done, succeeded, failed = 0, False, dict[UUID, Exception]()
        for key in await keys():
            try:
                done += await one(key)
                succeeded = True
            except Exception as error:
                failed[key] = error
                if not is_fault_of_content(error) or (len(failed) == FAILURES_LIMIT and not succeeded):
                    raise
        for key, cause in failed.items():
            await self.add(key, cause)
        return done

    async def process_keys(self, keys: Sequence[UUID], work: Callable[[Sequence[UUID]], Awaitable[int]]) -> int:
        """Call `work`, one transaction, on all of `keys`, or on each of them, as `process` does."""

        async def known() -> Sequence[UUID]:
            return keys

        return await self.process(lambda: work(keys), keys=known, one=lambda key: work([key]))

    async def add(self, key: UUID, error: Exception) -> None:
        """Set a row aside because of `error`, commit, and log the alarm. Raises TooManyRowsSetAsideError."""
        trace = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
        # without the error's text and values, which may contain personal data
        reason = f"{type(error).__name__} at {trace[-1] if trace else 'an unknown place'}"
        if await self._pool.fetchval(_ADD, self._table, key, self._worker, reason, SET_ASIDE_LIMIT):
            log.error(
                ROW_SET_ASIDE, table=self._table, key=str(key), worker=self._worker, reason=reason, trace=trace[-12:]
            )
        elif await self._pool.fetchval(_COUNT_OF_TABLE, self._table) >= SET_ASIDE_LIMIT:
            raise TooManyRowsSetAsideError(
                f"{SET_ASIDE_LIMIT} rows of {self._table} are set aside, so this release or its configuration is "
                "probably faulty. Correct it, then release them with `motcua parked release`."
            ) from error


_COUNT_OF_TABLE = "select count(*) from set_aside_rows where table_name = $1"
_COUNTS = "select worker, count(*) as n from set_aside_rows group by 1"
_LIST = """
select table_name, key, worker, reason, extract(epoch from now() - set_aside_at)::bigint as age_seconds
from set_aside_rows order by set_aside_at, key limit $1
"""
_RELEASE = "delete from set_aside_rows where table_name = $1 and key = $2 returning true"


async def count_by_worker(pool: asyncpg.Pool) -> dict[str, int]:
    """Count the rows that are set aside, by the worker that set them aside."""
    return {row["worker"]: row["n"] for row in await pool.fetch(_COUNTS)}


async def list_all(connection: Connection, *, limit: int = 200) -> list[asyncpg.Record]:
    """Return up to `limit` rows that are set aside for operators, the oldest first, with their age in `age_seconds`."""
    return await connection.fetch(_LIST, limit)


async def release(connection: Connection, table: str, key: UUID) -> bool:
    """Let the workers claim a row again; returns False if it is not set aside. Commits unless a transaction is open."""
    return bool(await connection.fetchval(_RELEASE, table, key))
