"""Follows the changelog of the tallies, whole, so that any ops process answers for all of them."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.ops.codec import read_key, read_tally
from services.ops.views import Views
from shared.contracts.topics import TALLIES
from shared.messaging.lag import give_back

log = structlog.get_logger()

AGAIN_SECONDS = 1.0
ANSWER_SECONDS = 5.0
_POLL_MS = 1000


class Follower:
    """Reads from the beginning at the start, then whatever comes. Asks no group, so every process has all."""

    def __init__(self, bootstrap: str, views: Views) -> None:
        self._bootstrap = bootstrap
        self._views = views
        self._reason: str | None = "the views are being read"

    def reason_not_ready(self) -> str | None:
        """None once everything that was written before the start has been read, and while Kafka answers."""
        return self._reason

    async def run(self) -> None:
        """Follow until cancelled; begins anew after every error of Kafka's."""
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
            )
            try:
                await consumer.start()
                await self._follow(consumer)
            except (KafkaError, TimeoutError) as error:
                self._reason = f"the views cannot be read, Kafka does not answer: {type(error).__name__} {error}"
                log.warning("views_unread", error=repr(error))
            finally:
                await give_back(consumer)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _follow(self, consumer: Any) -> None:
        places = [TopicPartition(TALLIES.name, number) for number in range(TALLIES.partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        behind = {place for place in places if ends[place]}
        while True:
            for place in [place for place in behind if await consumer.position(place) >= ends[place]]:
                behind.discard(place)
            self._reason = "the views are being read" if behind else None
            polled = await consumer.getmany(timeout_ms=_POLL_MS, max_records=5000)
            if not polled:  # nothing new, or nobody there: a client that waits does not tell
                await asyncio.wait_for(consumer.end_offsets(places), ANSWER_SECONDS)
            for records in polled.values():
                self._put(records)
                await asyncio.sleep(0)  # the first reading is long, and HTTP waits

    def _put(self, records: Any) -> None:
        for record in records:
            if record.value is None:
                continue
            try:
                key, tally = read_key(record.key), read_tally(record.value)
            except (ValueError, TypeError):
                log.error("tally_unreadable", partition=record.partition, offset=record.offset)
                continue
            self._views.put(key, tally, datetime.fromtimestamp(record.timestamp / 1000, UTC))
