"""Group the events of a Faust stream into batches, and acknowledge each event after its batch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

MAX_BATCH_RECORDS = 500
BATCH_SECONDS = 0.05

E = TypeVar("E")


async def process_batches(
    events: AsyncIterator[E],
    process: Callable[[Sequence[E]], Awaitable[None]],
    ack: Callable[[E], Awaitable[object]],
) -> None:
    """Read `events` until they end, call `process` for each batch, then `ack` for each event of the batch.

    A batch has the events that arrive within BATCH_SECONDS, at most MAX_BATCH_RECORDS. An error of `process` is raised,
    after every event that was read is acknowledged. No batch waits for a further event. The reason: in a rebalance,
    Faust empties its queue and then waits without limit for the acknowledgement of every event that was read.
    """
    loop = asyncio.get_running_loop()
    upcoming = asyncio.ensure_future(_next(events))
    batch: list[E] = []
    try:
        while True:
            await asyncio.wait([upcoming])
            until = loop.time() + BATCH_SECONDS
            while upcoming.done() and len(batch) < MAX_BATCH_RECORDS and (event := upcoming.result()) is not None:
                batch.append(event)
                upcoming = asyncio.ensure_future(_next(events))
                await asyncio.wait([upcoming], timeout=max(0.0, until - loop.time()))
            if not batch:
                return
            await process(batch)
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
