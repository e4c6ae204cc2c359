"""The Faust application: counts what comes into tables whose changelogs anybody can follow.

The position that counts is the one in the tables, not the one that Faust commits: it is written last, once Kafka has
acknowledged everything before it, and whoever takes a partition over goes on there. So nothing is lost when a worker
dies, and what is read twice is recognised (docs/adr/0015-views-are-exact.md).
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.types import TP

from services.ops.batching import in_batches
from services.ops.codec import course_bytes, key_bytes, read_course, read_tally, tally_bytes
from services.ops.counting import SOURCES, Counting, CourseKey, Raw
from services.ops.domain.tallies import Key
from services.ops.seeking import TablesConsumer
from shared.contracts.registry import UpgradeNeededError
from shared.contracts.topics import COURSES, TALLIES, Topic
from shared.kernel.errors import StartError
from shared.messaging.lag import Ends

log = structlog.get_logger()

GROUP = "ops"
AGAIN_SECONDS = 2.0
STOP_SECONDS = 8.0
SESSION_SECONDS = 10
LOOK_SECONDS = 10.0
"""How often a worker looks whether it counts at all while records wait."""

K = TypeVar("K", Key, CourseKey)
V = TypeVar("V")
Place = tuple[str, int]


class _Table(faust.Table):  # type: ignore[misc]  # faust's generics resolve to Any here
    """A table whose values begin with a number that only grows: a late write of a worker that was displaced meanwhile
    never replaces a later one."""

    def apply_changelog_batch(self, batch: Any) -> None:
        latest: dict[bytes, int] = {}
        kept = []
        for event in batch:
            key, number = event.message.key, _number(event.message.value)
            if number >= latest.setdefault(key, _number(self.data.get(key))):
                latest[key] = number
                kept.append(event)
        super().apply_changelog_batch(kept)


def _number(value: bytes | None) -> int:
    return int(json.loads(value)[0]) if value else -1


class _App(faust.App):  # type: ignore[misc]  # as above
    """Tells when partitions move, and when every table has been recovered and records flow; asks to be brought to
    where the tables stand."""

    on_moving: Callable[[], None]
    on_flowing: Callable[[], None]
    seek_to_positions: Callable[[], Awaitable[Mapping[TP, int]]]

    def on_rebalance_start(self) -> None:
        super().on_rebalance_start()
        self.on_moving()

    def on_rebalance_end(self) -> None:
        super().on_rebalance_end()
        self.on_flowing()

    def _new_transport(self) -> Any:
        transport = super()._new_transport()
        transport.Consumer = TablesConsumer
        return transport


class _Decoded(Mapping[K, V]):
    """A table as values: its entries stay bytes until somebody asks for them."""

    def __init__(self, data: Any, read: Callable[[bytes], V]) -> None:
        self._data = data
        self._read = read

    def __getitem__(self, key: K) -> V:
        return self._read(self._data[key_bytes(key)])

    def __iter__(self) -> Iterator[K]:
        raise NotImplementedError("a table is asked by key")

    def __len__(self) -> int:
        return len(self._data)


class Worker:
    """One of the workers that share the partitions. `run` never gives up: after an error it begins anew, from what
    Kafka has."""

    def __init__(self, bootstrap: str, *, member: str) -> None:
        self._bootstrap = bootstrap
        self._member = member
        self._reason: str | None = "not joined yet"
        self._failed: asyncio.Future[None]
        self._over: asyncio.Event
        self._app: _App
        self._tallies: Any
        self._courses: Any
        self._sought: set[Place] = set()
        self._gone: dict[Place, int] = {}

    def reason_not_ready(self) -> str | None:
        """None while this worker has its partitions, recovered, and counts all of them."""
        if self._reason is None and self._gone:
            (topic, partition), first = min(self._gone.items())
            return (
                f"records before offset {first} of {topic}/{partition} are gone from Kafka before they were counted, "
                "and none after them is: check the topic's retention, and bring the topic back with its offsets"
            )
        return self._reason

    async def run(self) -> None:
        """Count until cancelled."""
        while True:
            self._failed, self._over = asyncio.get_running_loop().create_future(), asyncio.Event()
            self._build()
            try:
                await self._app.start()
                await self._until_failed()
            except Exception as error:  # noqa: BLE001 - a watcher must not end the centre that it watches; it tells why
                self._reason = f"counting failed, it begins anew: {type(error).__name__} {error}"
                log.warning("views_begin_anew", error=repr(error))
            finally:
                await self._stop()
            await asyncio.sleep(AGAIN_SECONDS)

    def _build(self) -> None:
        self._sought.clear()
        app = _App(
            GROUP,
            broker=f"kafka://{self._bootstrap}",
            autodiscover=False,
            web_enabled=False,
            store="memory://",
            topic_allow_declare=False,  # `motcua topics` makes them, with settings that are checked
            topic_disable_leader=True,
            table_standby_replicas=0,
            broker_client_id=self._member,
            broker_session_timeout=SESSION_SECONDS,
            broker_heartbeat_interval=2.0,
            consumer_auto_offset_reset="earliest",
            producer_linger=0.005,
            Table=_Table,
        )
        app.on_moving, app.on_flowing, app.seek_to_positions = self._moving, self._flowing, self._seek_to_positions

        # raw bytes everywhere: a record that Faust cannot decode would end the stream, or a recovery
        raw = {"key_type": bytes, "value_type": bytes}
        unread = {**raw, "key_serializer": "raw", "value_serializer": "raw"}

        def table(topic: Topic) -> Any:
            changelog = app.topic(topic.name, partitions=topic.partitions, compacting=True, **unread)
            return app.Table(topic.name, partitions=topic.partitions, changelog_topic=changelog, **raw)

        self._tallies, self._courses = table(TALLIES), table(COURSES)
        source = app.topic(*(topic.name for topic in SOURCES), **unread)

        async def count(stream: Any) -> None:
            await self._count(stream)

        app.agent(source, name="views", concurrency=1)(count)
        self._app = app

    async def _until_failed(self) -> None:
        """Raises what must begin anew."""
        ends, look_at, before = Ends(self._bootstrap), time.monotonic() + LOOK_SECONDS, dict[Place, int]()
        try:
            while True:
                await asyncio.wait([self._failed], timeout=1.0)
                if self._failed.done():
                    self._failed.result()
                if self._app.crashed:
                    raise self._app.crash_reason or KafkaError("the application crashed")
                if time.monotonic() >= look_at:
                    behind = await self._behind(ends)
                    if behind and behind == before:
                        names = ", ".join(f"{topic}/{partition}" for topic, partition in sorted(behind))
                        raise KafkaError(f"nothing was counted for {LOOK_SECONDS:.0f} s while records wait on {names}")
                    before, look_at = behind, time.monotonic() + LOOK_SECONDS
        finally:
            await ends.close()

    async def _behind(self, ends: Ends) -> dict[Place, int]:
        """The positions of this worker's partitions in which records wait; none while it does not mean to count.

        The last resort: were Faust to stop giving records, or acknowledgements, without an error, nothing else would
        tell.
        """
        if self._reason is not None:
            return {}
        places = self._places()
        try:
            end = await asyncio.wait_for(ends.read(places), LOOK_SECONDS)
        except (StartError, TimeoutError):
            return {}  # Kafka is silent: nothing can be said, and Faust tells by itself
        positions = {place: self._counting().position(*place) for place in places if place not in self._gone}
        return {place: position for place, position in positions.items() if position < end[place]}

    async def _stop(self) -> None:
        """Throw the application away, whatever state it is in; one that does not stop in time is left behind."""
        self._over.set()
        stopping = asyncio.ensure_future(self._app.stop())
        await asyncio.wait([stopping], timeout=STOP_SECONDS)
        if not stopping.done():
            log.warning("views_did_not_stop", error="too slow")
        elif stopping.cancelled():  # by itself, as aiokafka does while the broker is away: not meant for us
            log.warning("views_did_not_stop", error="it cancelled itself")
        elif stopping.exception() is not None:
            log.warning("views_did_not_stop", error=repr(stopping.exception()))

    def _moving(self) -> None:
        if self._reason is None:
            self._reason = "partitions are being shared out, and their tables recovered"

    def _flowing(self) -> None:
        """Called when tables are recovered and Faust stands where they do, also after each rebalance."""
        places = self._places()
        self._gone = {place: first for place, first in self._gone.items() if place in places}
        if self._reason is not None and not self._reason.startswith("upgrade"):
            self._reason = None
        log.info("views_assigned", partitions=sorted(f"{topic}/{partition}" for topic, partition in places))

    def _places(self) -> set[TP]:
        return {tp for tp in self._app.consumer.assignment() if tp.topic in _NAMES}

    async def _seek_to_positions(self) -> Mapping[TP, int]:
        return await self._seek(self._places())

    async def _seek(self, places: Collection[TP]) -> Mapping[TP, int]:
        """Go on where the tables stand, and note where Kafka no longer has that."""
        if not places:
            return {}
        self._sought.update(places)
        firsts = await self._app.consumer.earliest_offsets(*places)
        positions = {place: self._counting().position(*place) for place in places}
        for place, position in positions.items():
            if firsts[place] > position:
                self._gone[place] = firsts[place]
                log.error(
                    "views_records_gone",
                    topic=place.topic,
                    partition=place.partition,
                    position=position,
                    first=firsts[place],
                )
            else:
                self._gone.pop(place, None)
        await self._app.consumer.seek_wait(positions)  # in the consumer's thread: `seek` may be lost in a fetch
        return positions

    async def _count(self, stream: Any) -> None:
        """The agent: what comes at about the same time makes a batch, so batches grow with the load."""
        unacknowledged = stream.noack()

        async def take_in(batch: Sequence[Any]) -> None:
            await self._take_in([event.message for event in batch])

        try:
            await in_batches(aiter(unacknowledged.events()), take_in, unacknowledged.ack)
        except UpgradeNeededError as error:
            self._reason = f"upgrade me: {error}"
            log.error("views_need_upgrade", error=str(error))
            await self._over.wait()  # what was counted stays; nothing after it is counted wrongly
        except Exception as error:  # noqa: BLE001 - an agent that raises is started again, behind a hole
            if not self._failed.done():
                self._failed.set_exception(error)
            await self._over.wait()

    async def _take_in(self, records: Sequence[Raw]) -> None:
        """Count a batch and return when Kafka has acknowledged all of it, step by step."""
        counting = self._counting()
        too_new: UpgradeNeededError | None = None
        for record in records:
            try:
                if not counting.receive(record):
                    await self._go_back((record.topic, record.partition))
                    continue
            except UpgradeNeededError as error:
                too_new = error
                break
            self._sought.discard((record.topic, record.partition))
            self._gone.pop((record.topic, record.partition), None)
        await _write(self._tallies, counting.changed_tallies, tally_bytes)
        await _write(self._courses, counting.changed_courses, course_bytes)
        await _write(self._tallies, counting.changed_positions, tally_bytes)
        if too_new is not None:
            raise too_new

    async def _go_back(self, place: Place) -> None:
        """Faust stands further on than the tables do, so it is sent back: once, until it is there."""
        if place not in self._sought:
            log.warning("views_go_back", topic=place[0], partition=place[1])
            await self._seek([TP(*place)])

    def _counting(self) -> Counting:
        return Counting(_Decoded(self._tallies.data, read_tally), _Decoded(self._courses.data, read_course))


async def _write(table: Any, entries: Mapping[K, V], written: Callable[[V], bytes]) -> None:
    """Set entries and return when Kafka has acknowledged each; raises what kept one from getting there.

    Not by `table[key] = value`: Faust would take the changelog's partition from the last record of the batch.
    """
    sent = []
    for key, value in entries.items():
        raw_key, raw_value = key_bytes(key), written(value)
        table.data[raw_key] = raw_value  # at once: whoever is cut off here finds it counted
        sent.append(table.send_changelog(key.partition, raw_key, raw_value))
    if sent:
        await asyncio.wait(sent)
        for one in sent:
            one.result()


_NAMES = frozenset(topic.name for topic in SOURCES)
