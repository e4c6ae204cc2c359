"""Whenever Faust seeks, counting goes on where the tables stand: the orders in which it once stood still, forced."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from motcua.local.embedded import kafka
from services.ops.codec import key_bytes, tally_bytes
from services.ops.counting import SOURCES
from services.ops.domain.tallies import Key, Tally
from services.ops.rebuilding import rebuild
from services.ops.worker import GROUP, Worker
from shared.contracts.topics import TALLIES
from tests.support import eventually
from tests.support.ops import Sent

PLACES = [TopicPartition(topic.name, number) for topic in SOURCES for number in range(topic.partitions)]


class Slow(Worker):
    """As under load: it keeps the first event in hand, with all that came with it, until `released`."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(bootstrap, member="slow")
        self.holds = asyncio.Event()
        self.released = asyncio.Event()
        self.begins = 0

    def _build(self) -> None:
        super()._build()
        self.begins += 1
        passed_on = self.consumer.callback

        async def pass_on(message: Any) -> None:
            if (message.topic, message.partition) in PLACES:
                self.holds.set()
                await self.released.wait()
            await passed_on(message)

        self.consumer.callback = pass_on

    @property
    def consumer(self) -> Any:
        """Faust's."""
        return self._app.consumer

    def counted(self) -> dict[TopicPartition, int]:
        """The position of each place."""
        return {place: self._counting().position(*place) for place in PLACES}


class SlowToSeek(Slow):
    """Faust's own seek after the tables' recovery waits for Kafka until the first event is in hand."""

    def _build(self) -> None:
        super()._build()
        perform_seek = self.consumer.perform_seek

        async def seek_late() -> None:
            await self.holds.wait()
            await perform_seek()

        self.consumer.perform_seek = seek_late


@pytest.fixture
async def ends(own_broker: kafka.Broker) -> dict[TopicPartition, int]:
    """Events in every place, committed to their ends, of which nothing is counted: as after a rebuild. The ends."""
    async with Sent(own_broker.bootstrap) as sent:
        await sent.lives(120)  # by chance a place gets few
    async with AIOKafkaConsumer(bootstrap_servers=own_broker.bootstrap) as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(PLACES)
    assert min(ends.values()) > 10
    await commit(own_broker.bootstrap, ends)
    await rebuild(own_broker.bootstrap)
    return ends


@asynccontextmanager
async def running(worker: Slow) -> AsyncIterator[None]:
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


async def test_what_faust_had_in_hand_when_it_was_sent_back_hides_nothing(
    own_broker: kafka.Broker, ends: dict[TopicPartition, int]
) -> None:
    """Kafka has more as committed than the tables have counted, and Faust has read some of what lies beyond before it
    goes back: once it notes that as read, it must not drop what lies before."""
    await commit(own_broker.bootstrap, {place: end - 5 for place, end in ends.items()})
    async with AIOKafkaProducer(bootstrap_servers=own_broker.bootstrap) as producer:  # so that there is a recovery
        entry = key_bytes(Key("unreadable", 0, 0, ("elsewhere",))), tally_bytes(Tally(0, 1))
        await producer.send_and_wait(TALLIES.name, key=entry[0], value=entry[1], partition=0)
    worker = SlowToSeek(own_broker.bootstrap)
    async with running(worker):
        await eventually(lambda: worker.reason_not_ready() is None, within=60)
        worker.released.set()
        await eventually(lambda: worker.counted() == ends, within=60)
    assert worker.begins == 1


async def test_a_late_seek_of_faust_changes_nothing(own_broker: kafka.Broker, ends: dict[TopicPartition, int]) -> None:
    """No event comes any more, and Faust seeks again after it was ready, as it does when a fetch ends while partitions
    move and Kafka answers late."""
    worker = Slow(own_broker.bootstrap)
    async with running(worker):
        await eventually(lambda: worker.reason_not_ready() is None, within=60)
        await asyncio.wait_for(worker.holds.wait(), 60)
        await worker.consumer.perform_seek()
        worker.released.set()
        await eventually(lambda: worker.counted() == ends, within=60)
    assert worker.begins == 1
