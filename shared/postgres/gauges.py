"""Lists that people look after, as gauges: counted now and then in the database, so that a scrape costs nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Gauge

from shared.postgres.errors import CONNECTION_ERRORS, is_transient

COUNT_FAILED = "count_failed"

log = structlog.get_logger(__name__)


def keep_counted(
    gauge: Gauge, count: Callable[[], Awaitable[float]], *, every_seconds: float = 60.0
) -> Callable[[], Awaitable[None]]:
    """A worker that sets the gauge at once and then every so often, until cancelled.

    While the database is away the gauge keeps its last value. Every replica counts the same: take the greatest.
    """

    async def run() -> None:
        while True:
            try:
                gauge.set(await count())
            except CONNECTION_ERRORS as error:
                if not is_transient(error):
                    raise
                log.warning(COUNT_FAILED, error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(every_seconds)

    return run
