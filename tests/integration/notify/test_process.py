"""notify as a process with a real broker, database and sinks: the whole chain, also when it is killed."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio

from motcua.local.embedded import kafka
from motcua.local.embedded.postgres import Postgres
from motcua.local.sinks.behaviour import Behaviour
from motcua.local.sinks.inbox import InboxMessage, read_inbox
from services.notify.planning.expected_plans import expected_plans
from services.notify.sending.worker import MAX_CONCURRENT
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.messages import MessageEvent, MessagePlannedV1
from shared.contracts.topics import ASSIGNMENTS, DOSSIERS, MESSAGES
from shared.messaging.relay import partition_of
from tests.integration.notify.office import MOBILE, Surroundings, recent_dossier, surroundings
from tests.support import Databases, eventually, free_port
from tests.support.dossier_events import DossierEvents
from tests.support.http import get
from tests.support.kafka import read_events, send, send_later_version
from tests.support.service_process import ServiceProcess
from tests.support.topics import recreate_topics

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Site:
    """A running notify, its surroundings, and access to what it stores and publishes."""

    process: ServiceProcess
    around: Surroundings
    bootstrap: str
    home: Path
    database: asyncpg.Connection

    async def publish(self, *dossiers: DossierEvents) -> None:
        await self.publish_all(event for dossier in dossiers for event in dossier.events)

    async def publish_all(self, events: Iterable[AnyEnvelope]) -> None:
        await send(self.bootstrap, list(events))

    async def state(self, dossier: DossierEvents, *, channel: str = "sms") -> str | None:
        """The state of the dossier's message on a channel; None if none is planned."""
        query = "select state from messages where dossier_id = $1 and channel = $2"
        state: str | None = await self.database.fetchval(query, dossier.dossier_id, channel)
        return state

    async def reaches(self, dossier: DossierEvents, *states: str, channel: str = "sms", within: float = 40) -> None:
        """Wait until the dossier's message on a channel is in one of these states."""

        async def reached() -> bool:
            state = await self.state(dossier, channel=channel)
            assert state in states, state
            return True

        await eventually(reached, within=within)

    async def inbox(self, dossier: DossierEvents) -> list[InboxMessage]:
        query = "select message_id::text from messages where dossier_id = $1"
        ids = {row["message_id"] for row in await self.database.fetch(query, dossier.dossier_id)}
        return read_inbox(self.home, message_ids=ids)

    async def sms_behaves(self, **behaviour: Any) -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.put(f"{self.around.sms_url}/behaviour", json=behaviour)

    async def sms_requests(self) -> int:
        async with httpx.AsyncClient(trust_env=False) as http:
            return int((await http.get(f"{self.around.sms_url}/requests")).json()["requests"])

    async def published(self, *dossiers: DossierEvents) -> list[AnyEnvelope]:
        """The events on the messages topic about these dossiers, in sequence for each."""
        subjects = {str(dossier.dossier_id) for dossier in dossiers}
        return [event for event in await read_events(self.bootstrap, MESSAGES) if event.subject in subjects]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def it(broker: kafka.Broker, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One notify for these tests, with empty topics; a test that kills it starts it again."""
    home = tmp_path_factory.mktemp("notify")
    databases = Databases(postgres)
    url = databases.fresh("notify").url("notify")
    async with AsyncExitStack() as stack:
        stack.callback(databases.drop_all)
        await recreate_topics(broker.bootstrap)
        settings = {"kafka_bootstrap": broker.bootstrap, "send_seconds": 4.0, "lease_seconds": 12.0}
        around = await stack.enter_async_context(surroundings(url, home, port=free_port(), **settings))
        database = await asyncpg.connect(url, server_settings={"search_path": "notify"})
        stack.push_async_callback(database.close)
        process = ServiceProcess("notify", around.environment, home / "notify.log")
        stack.push_async_callback(asyncio.to_thread, process.stop)
        await asyncio.to_thread(process.start)
        yield Site(process, around, broker.bootstrap, home, database)


async def test_events_become_sms_and_email(it: Site) -> None:
    """Events on three topics become an SMS and an e-mail; plans and outcomes are on the messages topic in sequence."""
    dossier = recent_dossier()
    dossier.assignment_decided(2)
    dossier.deadline_set("2017-11-27 16:30")
    await it.publish(dossier)
    await it.reaches(dossier, "delivered")
    await it.reaches(dossier, "sent", channel="email")
    sms, mail = sorted(await it.inbox(dossier), key=lambda message: message.channel, reverse=True)
    assert (sms.to, f"Ho so {dossier.code} da tiep nhan" in sms.text) == (MOBILE, True)
    assert f"Hồ sơ {dossier.code} đã được tiếp nhận" in mail.text

    async def all_published() -> bool:
        events = await it.published(dossier)
        kinds = [
            event.type for event in events if isinstance(event.data, MessageEvent) and event.data.channel == "email"
        ]
        assert kinds == ["message.planned", "message.sent"]
        assert "message.delivered" in [event.type for event in events]
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        planned = {event.data.message_id for event in events if isinstance(event.data, MessagePlannedV1)}
        assert planned == {plan.message_id for plan in expected_plans(dossier.events)}
        return True

    await eventually(all_published, within=20)


async def test_kill_between_sending_and_recording_leaves_a_doubt(it: Site) -> None:
    """Both providers accepted the message without an answer, and notify was killed before it recorded anything.

    The SMS is repeated with its key, so the applicant gets one; e-mail has no key, so it is unknown and not repeated.
    """
    await it.sms_behaves(answers="nothing", receipts="none", times=1)
    it.around.mail.behaviour = Behaviour(answers="nothing", times=1)
    before = await it.sms_requests()
    dossier = recent_dossier()
    dossier.withdrawn()
    await it.publish(dossier)

    async def both_have_it() -> bool:
        return len(await it.inbox(dossier)) == 2

    await eventually(both_have_it, within=40)
    await asyncio.to_thread(it.process.kill)
    assert (await it.state(dossier), await it.state(dossier, channel="email")) == ("planned", "planned")
    await asyncio.to_thread(it.process.start)
    await it.reaches(dossier, "sent")
    await it.reaches(dossier, "unknown", channel="email")
    assert len(await it.inbox(dossier)) == 2
    assert await it.sms_requests() == before + 2


async def test_kill_with_messages_under_way_leaves_only_these_in_doubt(it: Site) -> None:
    """At most MAX_CONCURRENT messages are in doubt.

    No mail was accepted yet, which the next process cannot know: a recorded attempt is unknown, the others are sent.
    """
    await asyncio.to_thread(it.process.stop)
    it.around.mail.behaviour = Behaviour(delay_seconds=600)
    before = it.around.mail.requests
    patient = {"NOTIFY_SEND_SECONDS": "60", "NOTIFY_LEASE_SECONDS": "180"}
    process = ServiceProcess("notify", it.around.environment | patient, it.home / "notify-patient.log")
    dossiers = [recent_dossier(reach=("email",)) for _ in range(MAX_CONCURRENT + 8)]
    for dossier in dossiers:
        dossier.withdrawn()
    await it.publish(*dossiers)
    try:
        await asyncio.to_thread(process.start)
        await eventually(lambda: it.around.mail.requests == before + MAX_CONCURRENT, within=60)
    finally:
        await asyncio.to_thread(process.kill)
    steps = "select dossier_id, next_step, attempts from messages where dossier_id = any($1::uuid[])"
    rows = await it.database.fetch(steps, [dossier.dossier_id for dossier in dossiers])
    marked = {row["dossier_id"] for row in rows if row["next_step"] == "await_answer"}
    assert len(marked) == MAX_CONCURRENT
    assert {(row["next_step"], row["attempts"]) for row in rows} == {("await_answer", 1), ("send", 0)}
    it.around.mail.behaviour = Behaviour()
    await it.database.execute("update messages set leased_until = clock_timestamp() where leased_until is not null")
    await asyncio.to_thread(it.process.start)
    for dossier in dossiers:
        await it.reaches(dossier, "unknown" if dossier.dossier_id in marked else "sent", channel="email", within=60)
        assert len(await it.inbox(dossier)) == (0 if dossier.dossier_id in marked else 1)


async def test_message_overtaken_during_an_outage_is_not_sent(it: Site) -> None:
    """The papers came while notify was down: its sender waits until the consumer has handled what is on Kafka."""
    it.around.intake.broken = True
    dossier = recent_dossier(reach=("sms",))
    dossier.supplement_required()
    await it.publish(dossier)
    await it.reaches(dossier, "planned")
    await asyncio.to_thread(it.process.kill)
    await send(it.bootstrap, [dossier.supplement_received()])
    it.around.intake.broken = False
    requested = len(it.around.intake.requested)
    await asyncio.to_thread(it.process.start)
    await it.reaches(dossier, "dropped")
    assert await it.inbox(dossier) == []
    assert len(it.around.intake.requested) == requested


async def test_kill_with_backlog_plans_and_sends_every_alert_once(it: Site) -> None:
    """After kill -9 in the middle of 60 dossiers no alert is missing or duplicated, and the plans are as expected."""
    await it.sms_behaves(delay_seconds=0.2, receipts="none")
    before = await it.sms_requests()
    dossiers = [recent_dossier(reach=("sms",)) for _ in range(60)]
    for dossier in dossiers:
        dossier.withdrawn()
    await it.publish(*dossiers)

    async def begun() -> bool:
        return await it.sms_requests() > before

    await eventually(begun, within=40)
    await asyncio.to_thread(it.process.kill)
    states = [await it.state(dossier) for dossier in dossiers]
    assert states.count("sent") < 60
    await asyncio.to_thread(it.process.start)
    for dossier in dossiers:
        await it.reaches(dossier, "sent", within=60)
        assert len(await it.inbox(dossier)) == 1
    expected = {plan.message_id for plan in expected_plans(event for dossier in dossiers for event in dossier.events)}

    async def all_published() -> bool:
        # a relay that is killed between sending and deleting sends the same record again, which readers ignore
        events = list({event.id: event for event in await it.published(*dossiers)}.values())
        planned = [event.data.message_id for event in events if isinstance(event.data, MessagePlannedV1)]
        assert (len(planned), set(planned)) == (60, expected)
        assert len(events) == 120
        return True

    await eventually(all_published, within=20)


async def test_stopped_partition_sends_nothing(it: Site) -> None:
    """While an event of one of the three topics cannot be read, its partition's dossiers wait; others are informed."""
    await it.sms_behaves(receipts="none")
    waiting = recent_dossier(reach=("sms",))
    await send_later_version(it.bootstrap, waiting.assignment_decided(2))

    async def has_stopped() -> bool:
        report = await asyncio.to_thread(get, f"{it.process.url}/progress", timeout=5)
        assert list(report.json()["parts"]["consumer"]["stopped"]) == [f"{ASSIGNMENTS.name}/{_partition(waiting)}"]
        return report.status_code == 503

    await eventually(has_stopped, within=30)
    waiting.withdrawn()
    await it.publish_all(event for event in waiting.events if DOSSIERS.name == event.data.TOPIC)
    await it.reaches(waiting, "planned")
    others = [recent_dossier(reach=("sms",)) for _ in range(10)]
    others = [dossier for dossier in others if _partition(dossier) != _partition(waiting)]
    for dossier in others:
        dossier.withdrawn()
    await it.publish(*others)
    for dossier in others:
        await it.reaches(dossier, "sent")
    assert (await it.state(waiting), await it.inbox(waiting)) == ("planned", [])
    assert (await asyncio.to_thread(get, f"{it.process.url}/readyz", timeout=5)).status_code == 200


def _partition(dossier: DossierEvents) -> int:
    return partition_of(str(dossier.dossier_id).encode(), DOSSIERS.partitions)
