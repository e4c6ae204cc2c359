"""Batches of events that Faust gives one by one, and that are acknowledged by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

BATCH_RECORDS = 500
BATCH_SECONDS = 0.05

E = TypeVar("E")


async def in_batches(
    events: AsyncIterator[E],
    take_in: Callable[[Sequence[E]], Awaitable[None]],
    ack: Callable[[E], Awaitable[object]],
) -> None:
    """Take in what comes within BATCH_SECONDS, at most BATCH_RECORDS at once, until events end or `take_in` raises.

    A rebalance empties Faust's queue, then waits without limit until every event that was read is acknowledged. So no
    batch waits for an event that may not come, and none that was read stays unacknowledged, whatever is raised.
    """
    loop = asyncio.get_running_loop()
    upcoming = asyncio.ensure_future(_next(events))
    batch: list[E] = []
    try:
        while True:
            await asyncio.wait([upcoming])
            until = loop.time() + BATCH_SECONDS
            while upcoming.done() and len(batch) < BATCH_RECORDS and (event := upcoming.result()) is not None:
                batch.append(event)
                upcoming = asyncio.ensure_future(_next(events))
                await asyncio.wait([upcoming], timeout=max(0.0, until - loop.time()))
            if not batch:
                return
            await take_in(batch)
            for event in batch:
                await ack(event)
            batch = []
    finally:
        for event in batch:
            await ack(event)
        if not upcoming.done():
            upcoming.cancel()
        elif not upcoming.cancelled() and upcoming.exception() is None and (event := upcoming.result()) is not None:
            await ack(event)


async def _next(events: AsyncIterator[E]) -> E | None:
    return await anext(events, None)
