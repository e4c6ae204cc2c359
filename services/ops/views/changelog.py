"""Read the whole changelog of the tallies into memory, so that any ops process can answer for every partition."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.ops.views.codec import decode_tally, decode_tally_key
from services.ops.views.store import ViewStore
from shared.contracts.topics import TALLIES
from shared.messaging.offsets import stop_client

CHANGELOG_READ_FAILED = "changelog_read_failed"
TALLY_UNREADABLE = "tally_unreadable"

RETRY_SECONDS = 1.0
ANSWER_TIMEOUT_SECONDS = 5.0
_POLL_MS = 1000
_LOADING = "The views are being loaded from the changelog."

log = structlog.get_logger(__name__)


class ChangelogReader:
    """Reads the changelog of the tallies into `store`: from the beginning, then continuously. Has no consumer group."""

    def __init__(self, bootstrap: str, store: ViewStore) -> None:
        self._bootstrap = bootstrap
        self._store = store
        self._reason: str | None = _LOADING

    def reason_not_ready(self) -> str | None:
        """Return None while Kafka answers and all entries from before the start are loaded, else what is missing."""
        return self._reason

    async def run(self) -> None:
        """Read the changelog until cancelled; start again from its beginning after each Kafka error."""
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
            )
            try:
                await consumer.start()
                await self._read(consumer)
            except (KafkaError, TimeoutError) as error:
                self._reason = f"The changelog cannot be read: Kafka does not answer ({type(error).__name__} {error})."
                log.warning(CHANGELOG_READ_FAILED, error=repr(error))
            finally:
                await stop_client(consumer)
            await asyncio.sleep(RETRY_SECONDS)

    async def _read(self, consumer: Any) -> None:
        places = [TopicPartition(TALLIES.name, number) for number in range(TALLIES.partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        behind = {place for place in places if ends[place]}
        while True:
            for place in [place for place in behind if await consumer.position(place) >= ends[place]]:
                behind.discard(place)
            self._reason = _LOADING if behind else None
            polled = await consumer.getmany(timeout_ms=_POLL_MS, max_records=5000)
            if not polled:  # no new entries, or no broker: an idle client does not report a lost connection
                await asyncio.wait_for(consumer.end_offsets(places), ANSWER_TIMEOUT_SECONDS)
            for records in polled.values():
                self._put(records)
                await asyncio.sleep(0)  # the first read is long, and HTTP requests are waiting

    def _put(self, records: Any) -> None:
        for record in records:
            if record.value is None:
                continue
            try:
                key, tally = decode_tally_key(record.key), decode_tally(record.value)
            except (ValueError, TypeError):
                log.error(TALLY_UNREADABLE, partition=record.partition, offset=record.offset)
                continue
            self._store.put(key, tally, datetime.fromtimestamp(record.timestamp / 1000, UTC))
