"""Batches of a Faust stream: every event that was read is acknowledged, for which a rebalance waits without limit."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from services.ops.views.batches import MAX_BATCH_RECORDS, process_batches


class Source:
    """Yields `events` numbers. Before the number `before_gap` it waits until all earlier ones are acknowledged.

    This is what Faust does in a rebalance.
    """

    def __init__(self, events: int, *, before_gap: int) -> None:
        self._events = events
        self._before_gap = before_gap
        self._acknowledged = asyncio.Event()
        self.unacknowledged: set[int] = set()
        self.processed: list[int] = []
        self.longest = 0

    async def __aiter__(self) -> AsyncIterator[int]:
        for event in range(self._events):
            await asyncio.sleep(0)
            if event == self._before_gap:
                while self.unacknowledged:
                    self._acknowledged.clear()
                    await self._acknowledged.wait()
            self.unacknowledged.add(event)
            yield event

    async def process(self, batch: Sequence[int]) -> None:
        """Record a batch."""
        self.longest = max(self.longest, len(batch))
        self.processed += batch

    async def ack(self, event: int) -> None:
        """Acknowledge one event."""
        self.unacknowledged.remove(event)
        self._acknowledged.set()


@pytest.mark.timeout(20)
async def test_batch_without_a_next_event_is_processed() -> None:
    """No batch waits for a next event: Faust delivers none before all are acknowledged."""
    source = Source(5, before_gap=2)
    await process_batches(aiter(source), source.process, source.ack)
    assert source.processed == [0, 1, 2, 3, 4]
    assert not source.unacknowledged


async def test_pending_events_form_batches_up_to_the_limit() -> None:
    """Each event is processed once and in order."""
    events = 3 * MAX_BATCH_RECORDS
    source = Source(events, before_gap=events)
    await process_batches(aiter(source), source.process, source.ack)
    assert source.processed == list(range(events))
    assert 1 < source.longest <= MAX_BATCH_RECORDS


@pytest.mark.parametrize("before_gap", [3, MAX_BATCH_RECORDS + 5])
async def test_failed_batch_is_acknowledged(before_gap: int) -> None:
    """A failed batch and the event read ahead are acknowledged: the position in the tables is authoritative."""
    source = Source(MAX_BATCH_RECORDS + 5, before_gap=before_gap)
    failure = RuntimeError("a version of a later release")

    async def fail(batch: Sequence[int]) -> None:
        assert len(source.unacknowledged) == min(before_gap, MAX_BATCH_RECORDS + 1)
        assert len(batch) == min(before_gap, MAX_BATCH_RECORDS)
        raise failure

    with pytest.raises(RuntimeError) as caught:
        await process_batches(aiter(source), fail, source.ack)
    assert caught.value is failure
    assert not source.unacknowledged
