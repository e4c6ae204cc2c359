"""The Faust worker: counts events into the tables of tallies and courses.

The position in the tables is authoritative, not the offset that Faust commits. It is written last, after Kafka has
acknowledged all earlier writes, and the next owner of a partition continues there. So no record is lost when a worker
dies, and a record that is read twice is recognised (docs/adr/0015-views-are-exact.md).
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from services.ops.views.batches import process_batches
from services.ops.views.codec import decode_course, decode_tally, encode_course, encode_tally
from services.ops.views.faust_app import FaustApp, LatestValueTable
from services.ops.views.handlers import SOURCES, RawRecord, ViewUpdate
from services.ops.views.store import Place
from services.ops.views.tables import DecodedTable, write
from shared.contracts.registry import UpgradeNeededError
from shared.contracts.topics import COURSES, TALLIES, Topic
from shared.kernel.errors import StartError
from shared.messaging.offsets import EndOffsets

GROUP = "ops"
RETRY_SECONDS = 2.0
STOP_SECONDS = 8.0
SESSION_SECONDS = 10
STALL_SECONDS = 10.0
"""A worker without progress on pending records for so long is restarted."""

VIEWS_ASSIGNED = "views_assigned"
VIEWS_RESTARTED = "views_restarted"
VIEWS_STOP_FAILED = "views_stop_failed"
VIEWS_SEEK = "views_seek"
VIEWS_RECORDS_DELETED = "views_records_deleted"
VIEWS_UPGRADE_NEEDED = "views_upgrade_needed"

_SOURCE_NAMES = frozenset(topic.name for topic in SOURCES)

log = structlog.get_logger(__name__)


class Worker:
    """One of the workers, one per ops process, that share the source partitions and count their records."""

    def __init__(self, bootstrap: str, *, member: str) -> None:
        self._bootstrap = bootstrap
        self._member = member
        self._reason: str | None = "The worker has not joined its group yet."
        self._needs_upgrade = False
        self._failed: asyncio.Future[None]
        self._stopping: asyncio.Event
        self._app: FaustApp
        self._tallies: Any
        self._courses: Any
        self._seeking: set[Place] = set()
        self._deleted: dict[Place, int] = {}

    def reason_not_ready(self) -> str | None:
        """Return None while the tables of this worker's partitions are recovered and all partitions are counted.

        Otherwise, return what is wrong.
        """
        if self._reason is None and self._deleted:
            (topic, partition), first = min(self._deleted.items())
            return (
                f"Records before offset {first} of {topic}/{partition} were deleted from Kafka before they were "
                "counted, so counting has stopped there. Check the topic's retention, and restore the topic with its "
                "offsets."
            )
        return self._reason

    async def run(self) -> None:
        """Run the Faust application until cancelled; restart it after every error."""
        while True:
            self._failed, self._stopping = asyncio.get_running_loop().create_future(), asyncio.Event()
            self._build()
            try:
                await self._app.start()
                await self._raise_failure()
            except Exception as error:  # noqa: BLE001 - a failure of ops must not stop its page; /readyz names it
                self._reason = f"Counting failed and is restarted: {type(error).__name__} {error}."
                log.warning(VIEWS_RESTARTED, error=repr(error))
            finally:
                await self._stop()
            await asyncio.sleep(RETRY_SECONDS)

    def _build(self) -> None:
        self._seeking.clear()
        self._needs_upgrade = False
        app = FaustApp(
            GROUP,
            broker=f"kafka://{self._bootstrap}",
            autodiscover=False,
            web_enabled=False,
            store="memory://",
            topic_allow_declare=False,  # `motcua topics` creates them, with settings that are checked
            topic_disable_leader=True,
            table_standby_replicas=0,
            broker_client_id=self._member,
            broker_session_timeout=SESSION_SECONDS,
            broker_heartbeat_interval=2.0,
            consumer_auto_offset_reset="earliest",
            producer_linger=0.005,
            Table=LatestValueTable,
        )
        app.on_rebalance_started = self._rebalance_started
        app.on_rebalance_ended = self._rebalance_ended
        app.seek_to_positions = self._seek_to_positions

        # raw bytes everywhere: a record that Faust cannot decode would end the stream or a recovery
        raw = {"key_type": bytes, "value_type": bytes}
        undecoded = {**raw, "key_serializer": "raw", "value_serializer": "raw"}

        def table(topic: Topic) -> Any:
            changelog = app.topic(topic.name, partitions=topic.partitions, compacting=True, **undecoded)
            return app.Table(topic.name, partitions=topic.partitions, changelog_topic=changelog, **raw)

        self._tallies, self._courses = table(TALLIES), table(COURSES)
        source = app.topic(*(topic.name for topic in SOURCES), **undecoded)

        async def count(stream: Any) -> None:
            await self._count(stream)

        app.agent(source, name="views", concurrency=1)(count)
        self._app = app

    async def _raise_failure(self) -> None:
        """Wait until the agent or the application fails or counting stalls, then raise the error. Never returns."""
        ends, check_at, before = EndOffsets(self._bootstrap), time.monotonic() + STALL_SECONDS, dict[Place, int]()
        try:
            while True:
                await asyncio.wait([self._failed], timeout=1.0)
                if self._failed.done():
                    self._failed.result()
                if self._app.crashed:
                    raise self._app.crash_reason or KafkaError("The Faust application crashed.")
                if time.monotonic() >= check_at:
                    pending = await self._pending(ends)
                    if pending and pending == before:
                        names = ", ".join(f"{topic}/{partition}" for topic, partition in sorted(pending))
                        raise KafkaError(f"no progress for {STALL_SECONDS:.0f} s with pending records on {names}")
                    before, check_at = pending, time.monotonic() + STALL_SECONDS
        finally:
            await ends.close()

    async def _pending(self, ends: EndOffsets) -> dict[Place, int]:
        """Return the position on each of this worker's partitions that has pending records.

        Empty while the worker is not ready, or while Kafka does not answer. If a later call returns the same positions,
        Faust has stopped delivering records or acknowledgements without an error.
        """
        if self._reason is not None:
            return {}
        places = self._places()
        try:
            end = await asyncio.wait_for(ends.read(places), STALL_SECONDS)
        except (StartError, TimeoutError):
            return {}  # Kafka does not answer, which Faust reports itself
        positions = {place: self._update().position(*place) for place in places if place not in self._deleted}
        return {place: position for place, position in positions.items() if position < end[place]}

    async def _stop(self) -> None:
        """Stop the Faust application in any state; log a failure, and leave it running after STOP_SECONDS."""
        self._stopping.set()
        stopped = asyncio.ensure_future(self._app.stop())
        await asyncio.wait([stopped], timeout=STOP_SECONDS)
        if not stopped.done():
            log.warning(VIEWS_STOP_FAILED, error="timeout")
        elif stopped.cancelled():  # by aiokafka, without a broker; this task itself is not cancelled
            log.warning(VIEWS_STOP_FAILED, error="cancelled")
        elif stopped.exception() is not None:
            log.warning(VIEWS_STOP_FAILED, error=repr(stopped.exception()))

    def _rebalance_started(self) -> None:
        if self._reason is None:
            self._reason = "Partitions are being reassigned and their tables recovered."

    def _rebalance_ended(self) -> None:
        """Mark the worker as ready, unless an upgrade is needed; forget deleted records of partitions that it lost.

        Faust calls this when the tables are recovered and the consumer is at the positions in the tables.
        """
        places = self._places()
        self._deleted = {place: first for place, first in self._deleted.items() if place in places}
        if not self._needs_upgrade:
            self._reason = None
        log.info(VIEWS_ASSIGNED, partitions=sorted(f"{topic}/{partition}" for topic, partition in places))

    def _places(self) -> set[TP]:
        return {tp for tp in self._app.consumer.assignment() if tp.topic in _SOURCE_NAMES}

    async def _seek_to_positions(self) -> Mapping[TP, int]:
        return await self._seek(self._places())

    async def _seek(self, places: Collection[TP]) -> Mapping[TP, int]:
        """Seek the partitions to the positions in the tables, and return these positions.

        A partition whose position Kafka has already deleted is logged and makes the worker not ready.
        """
        if not places:
            return {}
        self._seeking.update(places)
        firsts = await self._app.consumer.earliest_offsets(*places)
        positions = {place: self._update().position(*place) for place in places}
        for place, position in positions.items():
            if firsts[place] > position:
                self._deleted[place] = firsts[place]
                log.error(
                    VIEWS_RECORDS_DELETED,
                    topic=place.topic,
                    partition=place.partition,
                    position=position,
                    first=firsts[place],
                )
            else:
                self._deleted.pop(place, None)
        await self._app.consumer.seek_wait(positions)  # in the consumer's thread: `seek` may be lost during a fetch
        return positions

    async def _count(self, stream: Any) -> None:
        """Apply the records of the Faust agent's stream in batches; records that arrive together form one batch.

        After an error, or if a record needs a later release, counting stops: wait until the worker stops.
        """
        unacknowledged = stream.noack()

        async def process(batch: Sequence[Any]) -> None:
            await self._apply([event.message for event in batch])

        try:
            await process_batches(aiter(unacknowledged.events()), process, unacknowledged.ack)
        except UpgradeNeededError as error:
            self._needs_upgrade, self._reason = True, f"Upgrade ops: {error}"
            log.error(VIEWS_UPGRADE_NEEDED, error=str(error))
            await self._stopping.wait()  # earlier records stay counted; later ones would be counted wrongly
        except Exception as error:  # noqa: BLE001 - Faust restarts an agent that raises after the record it missed
            if not self._failed.done():
                self._failed.set_exception(error)
            await self._stopping.wait()

    async def _apply(self, records: Sequence[RawRecord]) -> None:
        """Apply a batch of records to the tables in three writes, and return when Kafka has acknowledged all of them.

        Raises UpgradeNeededError at a record that needs a later release, after the records before it were written.
        """
        update = self._update()
        too_new: UpgradeNeededError | None = None
        for record in records:
            try:
                if not update.apply(record):
                    await self._seek_back((record.topic, record.partition))
                    continue
            except UpgradeNeededError as error:
                too_new = error
                break
            self._seeking.discard((record.topic, record.partition))
            self._deleted.pop((record.topic, record.partition), None)
        await write(self._tallies, update.changed_tallies, encode_tally)
        await write(self._courses, update.changed_courses, encode_course)
        await write(self._tallies, update.changed_positions, encode_tally)
        if too_new is not None:
            raise too_new

    async def _seek_back(self, place: Place) -> None:
        """Seek a partition back to its position in the tables.

        Further calls do nothing until a record at or before that position arrives.
        """
        if place not in self._seeking:
            log.warning(VIEWS_SEEK, topic=place[0], partition=place[1])
            await self._seek([TP(*place)])

    def _update(self) -> ViewUpdate:
        return ViewUpdate(
            DecodedTable(self._tallies.data, decode_tally), DecodedTable(self._courses.data, decode_course)
        )
