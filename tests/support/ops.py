"""ops as a process without a database, and the expected content of its views."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from motcua.local.embedded.ports import free_port
from services.ops.domain.tallies import Tally, TallyKey
from services.ops.views.handlers import SOURCES, ViewUpdate
from services.ops.views.store import ViewStore
from shared.contracts import messages
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.topics import TOPICS
from shared.service.keys import ApiKey, write_keys
from tests.support.dossier_events import MORNING, DossierEvents
from tests.support.http import get
from tests.support.kafka import EventProducer
from tests.support.service_process import ROOT, ServiceProcess
from tests.support.waiting import eventually_sync

TOKEN = "motcua_ops_of_the_tests"
ALWAYS = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
VIEWS = ("arrivals", "stages", "messages")
_NAMESPACE = UUID("6d6f7463-0000-5000-8000-0000000000aa")


class Ops(ServiceProcess):
    """`python -m services.ops run`. It counts as ready when its views are, regardless of the lag."""

    def start(self) -> None:
        """Start it and wait until its tables are recovered. Faust reads about a thousand entries per second."""
        self.launch()
        eventually_sync(self.ready, within=120, every=0.2)

    def ready(self) -> bool:
        """Whether the views are counted and shown."""
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-4000:]
        return not {"views", "changelog"} & self.reasons().keys()

    def reasons(self) -> dict[str, str]:
        """The reasons why parts make no progress."""
        try:
            parts = get(f"{self.url}/progress", timeout=5).json()["parts"]
        except httpx.TransportError:
            return {"views": "does not answer"}
        return {name: part["reason"] for name, part in parts.items() if not part["ok"]}

    def get(self, address: str, **params: str) -> Any:
        """The response to a GET, which must succeed."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = get(f"{self.url}{address}", params=params, headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def page(self) -> str:
        """The page for operators, in English."""
        with httpx.Client(base_url=self.url, timeout=10) as browser:
            browser.post("/sign-in", data={"key": TOKEN})
            return browser.get("/?lang=en").text

    def views(self) -> dict[str, Any]:
        """All views over all time."""
        return {view: self.get(f"/views/{view}", **ALWAYS) for view in VIEWS}

    def has_counted(self, dossiers: int) -> bool:
        """Whether the views show more than that many dossiers."""
        return bool(self.get("/views/arrivals", **ALWAYS)["total"] > dossiers)

    def shows(self, expected: Any, *, within: float = 240) -> None:
        """Wait until the views equal `expected`. A failure shows the difference, the reasons and the end of the log."""
        seen: list[Any] = []

        def same() -> bool:
            seen[:] = [self.views()]
            return bool(seen[0] == expected)

        try:
            eventually_sync(same, within=within, every=1)
        except AssertionError:
            detail = f"not ready: {self.reasons()}\n{self.log.read_text()[-3000:]}"
            for view, wanted in expected.items():
                assert seen[0][view] == wanted, f"{view}: {seen[0][view]} is not {wanted}; {detail}"
            raise


def ops_process(bootstrap: str, folder: Path, number: int = 0) -> Ops:
    """A process that is not started yet, with a database URL that refuses connections."""
    keys = folder / "keys.toml"
    if not keys.exists():
        write_keys(keys, [ApiKey(id="ops", sha256=hashlib.sha256(TOKEN.encode()).hexdigest(), role="ops")])
    settings = {
        "OPS_KAFKA_BOOTSTRAP": bootstrap,
        "OPS_DATABASE_URL": "postgresql://motcua_ops@127.0.0.1:9/motcua",
        "OPS_MEMBER": f"ops-{number}",
        "OPS_PORT": str(free_port()),
        "OPS_CENTRE": str(ROOT / "config/binh-phuoc"),
        "OPS_KEYS_FILE": str(keys),
    }
    return Ops("ops", settings, folder / f"ops-{number}.log")


async def expected_views(bootstrap: str) -> dict[str, Any]:
    """The views by a single reader, which reads the topics once from beginning to end."""
    tallies: dict[TallyKey, Tally] = {}
    update = ViewUpdate({}, {})
    views = ViewStore()
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        places = [TopicPartition(topic.name, number) for topic in SOURCES for number in range(topic.partitions)]
        ends = await consumer.end_offsets(places)
        consumer.assign([place for place in places if ends[place]])
        left = {place for place in places if ends[place]}
        while left:
            for place, records in (await consumer.getmany(*left, timeout_ms=1000)).items():
                for record in records:
                    update.apply(record)
                if records[-1].offset + 1 >= ends[place]:
                    left.discard(place)
    tallies |= update.changed_tallies
    for key, tally in tallies.items():
        views.put(key, tally, datetime(2018, 1, 1, tzinfo=UTC))
    begin, end = (datetime.fromisoformat(ALWAYS[name]) for name in ("from", "to"))
    return {
        "arrivals": views.arrivals(begin, end).model_dump(mode="json"),
        "stages": views.stages(begin, end).model_dump(mode="json"),
        "messages": views.messages(begin, end).model_dump(mode="json"),
    }


@dataclass
class DossierProducer:
    """Publishes events as the relays do, with one producer, and counts dossiers and events."""

    bootstrap: str
    dossiers: int = 0
    events: int = 0
    _producer: EventProducer = field(init=False)

    async def __aenter__(self) -> "DossierProducer":
        self._producer = EventProducer(self.bootstrap)
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def send(self, *events: AnyEnvelope) -> None:
        """Publish events in this order and wait until the broker has stored them."""
        await self._producer.send(events)
        self.events += len(events)

    async def send_raw(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        """Publish a record with any bytes."""
        await self._producer.send_raw(TOPICS[topic], [(key, value, headers)])

    async def send_dossiers(self, count: int, *, start: datetime = MORNING) -> None:
        """Publish the events of `count` dossiers in turn, with pauses, messages, and an event that is sent twice."""
        running = [_events(start + timedelta(seconds=7 * number), number) for number in range(count)]
        self.dossiers += count
        while events := [event for one in running if (event := next(one, None)) is not None]:
            await self.send(*events)


def _events(start: datetime, number: int) -> Iterator[AnyEnvelope]:
    department = ("STP", "STNMT", "SXD")[number % 3]
    dossier = DossierEvents(start=start)
    yield dossier.submitted(department=department)
    yield dossier.received(department=department)
    yield from _messages(dossier, number)
    if number % 2:
        yield dossier.taken_over()
        twice = dossier.supplement_required()
        yield twice
        yield twice
        yield dossier.supplement_received("processing")
    yield dossier.settled()
    yield dossier.returned()


def _messages(dossier: DossierEvents, number: int) -> Iterator[AnyEnvelope]:
    common: dict[str, Any] = {
        "message_id": uuid5(_NAMESPACE, str(dossier.dossier_id)),
        "channel": ("sms", "email")[number % 2],
        "moment": "received",
        "dossier_sequence": 2,
    }
    planned_at = dossier.next_at
    yield dossier.publish(
        messages.MessagePlannedV1(
            **common,
            template="received",
            template_version=1,
            not_before=planned_at,
            expires_at=planned_at + timedelta(days=1),
        )
    )
    yield dossier.publish(messages.MessageSentV1(**common, attempts=1))
    if number % 5:
        yield dossier.publish(messages.MessageDeliveredV1(**common))
