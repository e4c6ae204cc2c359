"""A list's length as a gauge."""

import asyncio
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Gauge

from shared.postgres.gauges import keep_counted


def gauge() -> Gauge:
    return Gauge("waiting", "A trial.", registry=CollectorRegistry())


def value(of: Gauge) -> float:
    (metric,) = of.collect()
    return float(metric.samples[0].value)


async def test_it_is_counted_again_and_outlasts_a_database_that_is_away() -> None:
    """The last known value stands meanwhile."""
    waiting, seen, over = gauge(), [], asyncio.Event()
    answers: Iterator[int | OSError] = iter([3, ConnectionRefusedError("away"), 5])

    async def count() -> int:
        seen.append(value(waiting))
        answer = next(answers, None)
        if answer is None:
            over.set()
            await asyncio.Event().wait()
        if isinstance(answer, OSError):
            raise answer
        return answer or 0

    worker = asyncio.ensure_future(keep_counted(waiting, count, every_seconds=0)())
    await asyncio.wait_for(over.wait(), 5)
    worker.cancel()
    assert seen == [0, 3, 3, 5]


async def test_what_does_not_pass_by_itself_ends_the_worker() -> None:
    """A query that no database will ever answer must be seen."""

    async def count() -> int:
        raise LookupError("no such thing")

    with pytest.raises(LookupError):
        await keep_counted(gauge(), count)()
