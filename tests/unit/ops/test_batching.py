"""Events become batches, and none that was read stays unacknowledged: a rebalance would wait for it without limit."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from services.ops.batching import BATCH_RECORDS, in_batches


class Source:
    """Gives `events`; between `before_gap` and the next it gives nothing until all that was read is acknowledged, as
    Faust does in a rebalance."""

    def __init__(self, events: int, *, before_gap: int) -> None:
        self._events = events
        self._before_gap = before_gap
        self._settled = asyncio.Event()
        self.unacknowledged: set[int] = set()
        self.taken: list[int] = []
        self.longest = 0

    async def __aiter__(self) -> AsyncIterator[int]:
        for event in range(self._events):
            await asyncio.sleep(0)
            if event == self._before_gap:
                while self.unacknowledged:
                    self._settled.clear()
                    await self._settled.wait()
            self.unacknowledged.add(event)
            yield event

    async def take_in(self, batch: Sequence[int]) -> None:
        """Note what is taken in."""
        self.longest = max(self.longest, len(batch))
        self.taken += batch

    async def ack(self, event: int) -> None:
        """As Faust's."""
        self.unacknowledged.remove(event)
        self._settled.set()


@pytest.mark.timeout(20)
async def test_no_batch_waits_for_an_event_that_does_not_come() -> None:
    """Faust stops giving events while some are quarantined, and goes on once they are acknowledged."""
    source = Source(5, before_gap=2)
    await in_batches(aiter(source), source.take_in, source.ack)
    assert source.taken == [0, 1, 2, 3, 4]
    assert not source.unacknowledged


async def test_what_waits_makes_a_batch_up_to_a_limit() -> None:
    """In order, each once."""
    events = 3 * BATCH_RECORDS
    source = Source(events, before_gap=events)
    await in_batches(aiter(source), source.take_in, source.ack)
    assert source.taken == list(range(events))
    assert 1 < source.longest <= BATCH_RECORDS


@pytest.mark.parametrize("before_gap", [3, BATCH_RECORDS + 5])
async def test_what_cannot_be_taken_in_is_acknowledged_all_the_same(before_gap: int) -> None:
    """With the event that was read ahead: the position in the tables counts, and a rebalance can go on."""
    source = Source(BATCH_RECORDS + 5, before_gap=before_gap)
    refused = RuntimeError("a version from the future")

    async def refuse(batch: Sequence[int]) -> None:
        assert len(source.unacknowledged) == min(before_gap, BATCH_RECORDS + 1)
        assert len(batch) == min(before_gap, BATCH_RECORDS)
        raise refused

    with pytest.raises(RuntimeError) as caught:
        await in_batches(aiter(source), refuse, source.ack)
    assert caught.value is refused
    assert not source.unacknowledged
