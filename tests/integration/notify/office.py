"""notify's planning, senders and HTTP on a real database and real sinks; only intake's look-up is stood in for."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from motcua.local.sinks.behaviour import Behaviour, Control
from motcua.local.sinks.inbox import Inbox, InboxMessage, read_inbox
from motcua.local.sinks.sms import create_sms_simulator
from motcua.local.sinks.smtp import SmtpSink
from services.notify.__main__ import MIGRATIONS
from services.notify.app import build
from services.notify.handlers import planner
from services.notify.settings import NotifySettings
from services.notify.store import DOSSIERS
from services.notify.texts import load_texts
from shared.catalogue import load_centre
from shared.contracts.envelope import AnyEnvelope, Role
from shared.contracts.topics import Topic
from shared.messaging.applier import Stream
from shared.messaging.consumer import Consumer
from shared.messaging.relay import Relay
from shared.postgres.migrate import migrate
from shared.postgres.outbox import Publisher
from shared.postgres.pool import create_pool
from shared.runtime.clock import SystemClock, machine_now
from shared.runtime.supervision import Signal
from shared.service.health import Health
from shared.service.http import create_app
from shared.service.keys import KeyRing, new_key, write_keys
from shared.service.process import Context
from tests.support import ServiceDatabase, eventually, free_port
from tests.support.life import Life
from tests.support.serving import serving

CENTRE = Path(__file__).parents[3] / "config" / "binh-phuoc"
PHONE, MOBILE, EMAIL = "0168 123 4567", "+84381234567", "nguoi.dan@example.vn"
RECEIPT_KEY = "receipts-of-the-test"
IMPATIENT: dict[str, Any] = {"send_seconds": 1.0, "lease_seconds": 3.0}
"""Settings for tests in which a provider keeps silent: how long they wait for it."""


class Wanted(BaseModel):
    """One contact that intake's look-up is asked for."""

    dossier_id: UUID
    message_id: UUID


class LookUp(BaseModel):
    """What intake's contact look-up takes."""

    purpose: str
    wanted: list[Wanted]


@dataclass
class Intake:
    """Intake's contact look-up as its contract says. `contacts` overrides the usual one; `broken` answers 503.

    `asked` lists the messages that contacts were given for, `requests` how many each answered request asked for.
    """

    contacts: dict[UUID, dict[str, str | None] | None] = field(default_factory=dict)
    asked: list[UUID] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    broken: bool = False

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/contacts/lookup")
        async def look_up(body: LookUp) -> JSONResponse:
            if self.broken:
                return JSONResponse({"type": "urn:motcua:problem:unavailable"}, status_code=503)
            self.asked += [one.message_id for one in body.wanted]
            self.requests.append(len(body.wanted))
            usual: dict[str, str | None] = {"name": "Nguyễn Văn A", "phone": PHONE, "email": EMAIL}
            found = []
            for one in body.wanted:
                contact = self.contacts.get(one.dossier_id, usual)
                told: dict[str, Any] | None = None if contact is None else {**contact, "papers": []}
                found.append({"dossier_id": str(one.dossier_id), "message_id": str(one.message_id), "contact": told})
            return JSONResponse({"found": found})

        return app


@dataclass
class Heard:
    """Stands where the consumer would: `hear` lets events take effect, so a test says what counts as heard."""

    partitions: set[int] = field(default_factory=lambda: set(range(6)))
    published: Signal = field(default_factory=Signal)

    async def caught_up_in_group(
        self, *topics: Topic, awaited: Collection[int], within_seconds: float
    ) -> frozenset[int]:
        """As the consumer says it."""
        return frozenset(self.partitions)


@dataclass
class Office:
    """One notify with its surroundings. `keys` are tokens by role, `heard` is shared by all replicas."""

    home: Path
    context: Context[NotifySettings]
    intake: Intake
    mail: Control
    sms_url: str
    urls: list[str]
    keys: dict[str, str]
    http: httpx.AsyncClient
    heard: Heard

    @property
    def pool(self) -> asyncpg.Pool:
        return self.context.pool

    async def sms_behaves(self, **behaviour: Any) -> None:
        """Set the SMS provider's behaviour for what comes next."""
        answer = await self.http.put(f"{self.sms_url}/behaviour", json=behaviour)
        assert answer.status_code == 200, answer.text

    def mail_behaves(self, **behaviour: Any) -> None:
        """The same for the mail server."""
        self.mail.behaviour = Behaviour(**behaviour)

    async def sms_requests(self) -> int:
        """How many messages the SMS provider was offered."""
        return int((await self.http.get(f"{self.sms_url}/requests")).json()["requests"])

    async def hear(self, events: Sequence[AnyEnvelope]) -> None:
        """Let the handler hear events, each in a transaction of its own, as the consumer does."""
        handler = planner(load_texts(self.context.centre))
        for event in events:
            async with self.context.unit(DOSSIERS, [event.dossier_id]) as (_, unit):
                handler(event, unit)

    async def messages(self, life: Life, channel: str = "sms") -> list[dict[str, Any]]:
        """The dossier's messages on a channel, in the order of the events told."""
        rows = await self.pool.fetch(
            "select * from messages where dossier_id = $1 and channel = $2 order by dossier_sequence, planned_at",
            life.dossier_id,
            channel,
        )
        return [dict(row) for row in rows]

    async def becomes(self, life: Life, *states: str, within: float = 15, channel: str = "sms") -> dict[str, Any]:
        """The dossier's last message on a channel, once it is in one of these states."""
        found: dict[str, Any] = {}

        async def look() -> bool:
            found.update((await self.messages(life, channel))[-1])
            assert found["state"] in states, f"{found['state']} {found['reason']} {found['next_step']}"
            return True

        await eventually(look, within=within)
        return found

    async def inbox(self, life: Life, channel: str = "sms") -> list[InboxMessage]:
        """What the applicant got about this dossier on a channel."""
        ids = {str(message["message_id"]) for message in await self.messages(life, channel)}
        return [message for message in read_inbox(self.home, message_ids=ids) if message.channel == channel]

    async def outcomes(self, life: Life, channel: str = "sms") -> list[tuple[str, dict[str, Any]]]:
        """What notify told about the dossier's messages on a channel: type and data, in sequence."""
        query = "select type, value from events where key = $1 order by sequence"
        rows = await self.pool.fetch(query, str(life.dossier_id))
        told = [(row["type"], json.loads(row["value"])["data"]) for row in rows]
        return [(kind, data) for kind, data in told if data["channel"] == channel]


@dataclass
class Surroundings:
    """Sinks, the stand-in and the keys; `environment` names notify's settings for them, as a process takes them."""

    intake: Intake
    mail: Control
    sms_url: str
    keys: dict[str, str]
    environment: dict[str, str]


@asynccontextmanager
async def surroundings(database_url: str, home: Path, *, port: int, **settings: Any) -> AsyncIterator[Surroundings]:
    """Start what notify talks to; its receipts go to `port`. `settings` are notify's own."""
    await asyncio.to_thread(migrate, database_url, "notify", MIGRATIONS)
    (home / "receipts").write_text(RECEIPT_KEY)
    (home / "intake").write_text("a-key-of-the-stand-in")
    keys: dict[str, str] = {}
    entries = []
    wanted: list[tuple[str, Role, str | None]] = [
        ("leader", "leader", None),
        ("officer", "officer", "STP"),
        ("other", "officer", "SYT"),
        ("applicant", "applicant", None),
    ]
    for name, role, department in wanted:
        keys[name], entry = new_key(name, role, department=department)
        entries.append(entry)
    write_keys(home / "keys.toml", entries)
    intake, mail, inbox = Intake(), Control(), Inbox(home)
    async with AsyncExitStack() as stack:
        intake_url = await stack.enter_async_context(serving(intake.app()))
        simulator = create_sms_simulator(
            inbox, receipt_url=f"http://127.0.0.1:{port}/receipts", receipt_key=RECEIPT_KEY
        )
        sms_url = await stack.enter_async_context(serving(simulator))
        sink = SmtpSink(inbox, mail, host="127.0.0.1", port=0)
        await sink.start()
        stack.callback(sink.close)
        values = {
            "kafka_bootstrap": "127.0.0.1:1",  # without a broker nothing is consumed or relayed
            "database_url": database_url,
            "member": "notify-0",
            "port": port,
            "centre": CENTRE,
            "keys_file": home / "keys.toml",
            "intake_url": intake_url,
            "intake_key_file": home / "intake",
            "receipt_key_file": home / "receipts",
            "send_seconds": 5.0,
            "lease_seconds": 15.0,
            "smtp_host": "127.0.0.1",
            "smtp_port": sink.port,
            "smtp_receipt_window_seconds": 0.5,
            "sms_url": sms_url,
            "sms_settled_seconds": 0.5,
            "sms_receipt_window_seconds": 0.5,
        }
        environment = {f"NOTIFY_{name.upper()}": str(value) for name, value in (values | settings).items()}
        yield Surroundings(intake, mail, sms_url, keys, environment)


@asynccontextmanager
async def office(database: ServiceDatabase, home: Path, *, replicas: int = 1, **settings: Any) -> AsyncIterator[Office]:
    """Start it all, but neither consumer nor relay: events are heard by `hear`."""
    ports = [free_port() for _ in range(replicas)]
    async with AsyncExitStack() as stack:
        around = await stack.enter_async_context(surroundings(database.url("notify"), home, port=ports[0], **settings))
        contexts: list[Context[NotifySettings]] = []
        heard = Heard()
        for number, port in enumerate(ports):
            own = around.environment | {"NOTIFY_MEMBER": f"notify-{number}", "NOTIFY_PORT": str(port)}
            values = {name.removeprefix("NOTIFY_").lower(): value for name, value in own.items()}
            contexts.append(await stack.enter_async_context(_replica(NotifySettings.model_validate(values), heard)))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=10, trust_env=False))
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        yield Office(home, contexts[0], around.intake, around.mail, around.sms_url, urls, around.keys, http, heard)


@dataclass(frozen=True)
class _Context(Context[NotifySettings]):
    """A context whose consumer reads nothing: see Heard."""

    heard: Heard

    def create_consumer(self, streams: Sequence[Stream[Any]]) -> Consumer:
        """The stand-in."""
        return self.heard  # type: ignore[return-value]  # it has what the senders ask of a consumer


@asynccontextmanager
async def _replica(settings: NotifySettings, heard: Heard) -> AsyncIterator[Context[NotifySettings]]:
    centre = load_centre(settings.centre)
    pool = await create_pool(settings.database_url, "notify")
    publisher = Publisher("notify", centre.code, 1, centre.catalogue_version)
    relay = Relay(settings.database_url, "notify", bootstrap=settings.kafka_bootstrap, client_id=settings.member)
    context = _Context(
        "notify", settings, centre, pool, publisher, SystemClock(), relay, Health("consumer", "relay"), heard
    )
    parts = await build(context)
    app = create_app("notify", health=context.health, keys=KeyRing(settings.keys_file))
    for router in parts.routers:
        app.include_router(router)
    workers = [asyncio.ensure_future(work()) for work in parts.workers.values()]
    try:
        async with serving(app, settings.port):
            yield context
    finally:
        for worker in workers:
            worker.cancel()
        for ended in await asyncio.gather(*workers, return_exceptions=True):
            assert isinstance(ended, asyncio.CancelledError), ended
        pool.terminate()


def life_now(**more: Any) -> Life:
    """A dossier submitted and received half an hour ago."""
    life = Life(start=machine_now() - timedelta(minutes=30), **more)
    life.submitted()
    life.received()
    return life
