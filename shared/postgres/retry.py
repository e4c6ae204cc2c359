"""Retries of whole transactions, with the library stamina."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import stamina
import structlog

from shared.kernel.errors import MotcuaError, TransientError
from shared.postgres.errors import CONNECTION_ERRORS, is_transient
from shared.runtime import metrics

VIOLATION_PERSISTS = "unique_violation_persists"

_VIOLATIONS = metrics.counter(
    "motcua_database_persistent_violations_total",
    "Transactions that violated one unique constraint at every attempt.",
    ("constraint",),
)

log = structlog.get_logger(__name__)

T = TypeVar("T")


class PersistentViolationError(MotcuaError):
    """Every attempt violated the same unique constraint: stored data contradict what the transaction decides."""


def _backoff(error: Exception) -> bool | float:
    """Stamina's decision about a retry: 0.0 is at once, True is after a growing delay, False is not at all.

    At once if another transaction inserted the same row first; after a delay for a transient error.
    """
    return 0.0 if isinstance(error, asyncpg.UniqueViolationError) else is_transient(error)


async def transact(attempt: Callable[[], Awaitable[T]], *, attempts: int = 6) -> T:
    """Run `attempt`, which must be one whole transaction, up to `attempts` times, and return its result.

    `attempt` is repeated if another transaction inserted the same row first, or after a transient database error.
    Raises TransientError if the last attempt also fails in this way; any other error is raised at once. If all attempts
    violated the same unique constraint, another attempt will not help: the constraint is logged as an alarm, without
    values, and PersistentViolationError is raised.
    """
    violated: list[tuple[str, str]] = []
    try:
        async for retry in stamina.retry_context(
            on=_backoff, attempts=attempts, timeout=None, wait_initial=0.05, wait_max=3.0, wait_jitter=0.05
        ):
            with retry:
                try:
                    return await attempt()
                except asyncpg.UniqueViolationError as error:
                    violated.append((error.table_name or "", error.constraint_name or ""))
                    raise
    except (asyncpg.UniqueViolationError, *CONNECTION_ERRORS) as error:
        if not (isinstance(error, asyncpg.UniqueViolationError) or is_transient(error)):
            raise
        if len(violated) < attempts or len(set(violated)) > 1:
            raise TransientError(f"The database did not accept the transaction: {type(error).__name__}.") from error
    table, constraint = violated[-1]
    _VIOLATIONS.labels(constraint).inc()
    log.error(VIOLATION_PERSISTS, table=table, constraint=constraint, attempts=attempts)
    raise PersistentViolationError(f"The unique constraint {constraint} of {table} is violated at every attempt.")
