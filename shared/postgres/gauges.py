"""Gauges whose value is counted in the database periodically, so that a scrape needs no query."""

from collections.abc import Awaitable, Callable

from prometheus_client import Gauge

from shared.postgres.periodic import Periodic

COUNT_FAILED = "count_failed"


def keep_counted(gauge: Gauge, count: Callable[[], Awaitable[float]], *, every_seconds: float = 60.0) -> Periodic:
    """Return a worker that sets the gauge to `count()` at once and then every `every_seconds`, until cancelled.

    While it cannot be counted the gauge has its last value. Every replica counts the same rows, so aggregate the
    replicas' gauges by maximum.
    """

    async def step() -> float:
        gauge.set(await count())
        return every_seconds

    return Periodic(step, failed=COUNT_FAILED, retry_seconds=every_seconds)
