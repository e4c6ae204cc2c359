"""Counting continues at the position in the tables after every seek of Faust, in orders that once stopped it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from motcua.local.embedded import kafka
from services.ops.domain.tallies import Tally, TallyKey
from services.ops.views.codec import encode_key, encode_tally
from services.ops.views.handlers import SOURCES
from services.ops.views.rebuild import rebuild
from services.ops.views.worker import GROUP, Worker
from shared.contracts.topics import TALLIES
from tests.support import eventually
from tests.support.ops import DossierProducer

PLACES = [TopicPartition(topic.name, number) for topic in SOURCES for number in range(topic.partitions)]


class SlowWorker(Worker):
    """A worker under load: Faust holds the first event, and all that it fetched with it, until `released`."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap, member="slow")
        self.fetched = asyncio.Event()
        self.released = asyncio.Event()
        self.builds = 0

    def _build(self) -> None:
        super()._build()
        self.builds += 1
        deliver = self.consumer.callback

        async def deliver_late(message: Any) -> None:
            if (message.topic, message.partition) in PLACES:
                self.fetched.set()
                await self.released.wait()
            await deliver(message)

        self.consumer.callback = deliver_late

    @property
    def consumer(self) -> Any:
        """Faust's consumer."""
        return self._app.consumer

    def positions(self) -> dict[TopicPartition, int]:
        """Return the position of each partition."""
        return {place: self._update().position(*place) for place in PLACES}


class SlowSeekWorker(SlowWorker):
    """A worker whose seek after the recovery of the tables completes only after the first event was fetched."""

    def _build(self) -> None:
        super()._build()
        perform_seek = self.consumer.perform_seek

        async def seek_late() -> None:
            await self.fetched.wait()
            await perform_seek()

        self.consumer.perform_seek = seek_late


@pytest.fixture
async def ends(own_broker: kafka.Broker) -> dict[TopicPartition, int]:
    """Return the end offsets of partitions with events that are committed and not counted, as after a rebuild."""
    async with DossierProducer(own_broker.bootstrap) as producer:
        await producer.send_dossiers(120)  # enough for each partition
    async with AIOKafkaConsumer(bootstrap_servers=own_broker.bootstrap) as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(PLACES)
    assert min(ends.values()) > 10
    await commit(own_broker.bootstrap, ends)
    await rebuild(own_broker.bootstrap)
    return ends


@asynccontextmanager
async def running(worker: SlowWorker) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def commit(bootstrap: str, offsets: dict[TopicPartition, int]) -> None:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=GROUP, enable_auto_commit=False) as consumer:
        consumer.assign(list(offsets))
        await consumer.commit(offsets)


async def test_events_fetched_before_the_seek_hide_no_earlier_events(
    own_broker: kafka.Broker, ends: dict[TopicPartition, int]
) -> None:
    """Faust drops no event before an offset that it fetched before it sought the lower position in the tables."""
    await commit(own_broker.bootstrap, {place: end - 5 for place, end in ends.items()})
    async with AIOKafkaProducer(bootstrap_servers=own_broker.bootstrap) as producer:  # so that the tables are recovered
        entry = encode_key(TallyKey("unreadable", 0, 0, ("elsewhere",))), encode_tally(Tally(0, 1))
        await producer.send_and_wait(TALLIES.name, key=entry[0], value=entry[1], partition=0)
    worker = SlowSeekWorker(own_broker.bootstrap)
    async with running(worker):
        await eventually(lambda: worker.reason_not_ready() is None, within=60)
        worker.released.set()
        await eventually(lambda: worker.positions() == ends, within=60)
    assert worker.builds == 1


async def test_late_seek_of_faust_changes_nothing(own_broker: kafka.Broker, ends: dict[TopicPartition, int]) -> None:
    """Faust may seek again after it is ready, as it does when a fetch ends during a rebalance."""
    worker = SlowWorker(own_broker.bootstrap)
    async with running(worker):
        await eventually(lambda: worker.reason_not_ready() is None, within=60)
        await asyncio.wait_for(worker.fetched.wait(), 60)
        await worker.consumer.perform_seek()
        worker.released.set()
        await eventually(lambda: worker.positions() == ends, within=60)
    assert worker.builds == 1
