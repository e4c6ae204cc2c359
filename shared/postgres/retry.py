"""Retries of whole transactions, with the library stamina."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import stamina

from shared.kernel.errors import TransientError
from shared.postgres.errors import CONNECTION_ERRORS, is_transient

T = TypeVar("T")


def _backoff(error: Exception) -> bool | float:
    """Stamina's decision about a retry: 0.0 is at once, True is after a growing delay, False is not at all.

    At once if another transaction inserted the same row first; after a delay for a transient error.
    """
    return 0.0 if isinstance(error, asyncpg.UniqueViolationError) else is_transient(error)


async def transact(attempt: Callable[[], Awaitable[T]], *, attempts: int = 6) -> T:
    """Run `attempt`, which must be one whole transaction, up to `attempts` times, and return its result.

    `attempt` is repeated if another transaction inserted the same row first, or after a transient database error.
    Raises TransientError if the last attempt also fails in this way; any other error is raised at once.
    """
    try:
        async for retry in stamina.retry_context(
            on=_backoff, attempts=attempts, timeout=None, wait_initial=0.05, wait_max=3.0, wait_jitter=0.05
        ):
            with retry:
                return await attempt()
    except (asyncpg.UniqueViolationError, *CONNECTION_ERRORS) as error:
        if not (isinstance(error, asyncpg.UniqueViolationError) or is_transient(error)):
            raise
        raise TransientError(f"The database did not accept the transaction: {type(error).__name__}.") from error
    raise AssertionError("stamina either returns an attempt or raises")
