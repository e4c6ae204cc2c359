"""Gauges that are counted in the database."""

import asyncio
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Gauge

from shared.postgres.gauges import keep_counted


def gauge() -> Gauge:
    return Gauge("waiting", "A trial.", registry=CollectorRegistry())


def value(of: Gauge) -> float:
    (metric,) = of.collect()
    return float(metric.samples[0].value)


async def test_gauge_is_counted_again_after_a_transient_error() -> None:
    """While the database is away, the gauge has its last value."""
    length, seen, over = gauge(), [], asyncio.Event()
    answers: Iterator[int | OSError] = iter([3, ConnectionRefusedError("away"), 5])

    async def count() -> int:
        seen.append(value(length))
        answer = next(answers, None)
        if answer is None:
            over.set()
            await asyncio.Event().wait()
        if isinstance(answer, OSError):
            raise answer
        return answer or 0

    worker = asyncio.ensure_future(keep_counted(length, count, every_seconds=0).run())
    await asyncio.wait_for(over.wait(), 5)
    worker.cancel()
    assert seen == [0, 3, 3, 5]


async def test_permanent_error_is_reported_and_the_worker_continues() -> None:
    """A query that can never succeed is reported as no progress, and does not end the worker."""
    counted = iter([LookupError("no such thing"), None])
    over = asyncio.Event()

    async def count() -> int:
        error = next(counted)
        if error is None:
            over.set()
            await asyncio.Event().wait()
            return 0
        raise error

    worker = keep_counted(gauge(), count, every_seconds=0)
    assert worker.reason_not_ready() is None
    task = asyncio.ensure_future(worker.run())
    await asyncio.wait_for(over.wait(), 5)
    assert worker.reason_not_ready() == "every step fails: LookupError; see the log"
    task.cancel()
