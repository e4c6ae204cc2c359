"""notify with a real database and real sinks; only intake's contact look-up and the consumer are replaced."""

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
from services.notify.planning.streams import create_handler
from services.notify.settings import NotifySettings
from services.notify.tables import DOSSIERS
from services.notify.texts import load_texts
from shared.catalogue import load_centre
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.topics import Topic
from shared.kernel.vocabulary import Role
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
from shared.service.provided import provide
from tests.support import ServiceDatabase, eventually, free_port
from tests.support.asgi_server import serving
from tests.support.dossier_events import DossierEvents

CENTRE = Path(__file__).parents[3] / "config" / "binh-phuoc"
PHONE, MOBILE, EMAIL = "0168 123 4567", "+84381234567", "nguoi.dan@example.vn"
RECEIPT_KEY = "receipts-of-the-test"
IMPATIENT: dict[str, Any] = {"send_seconds": 1.0, "lease_seconds": 3.0}
"""Short time limits, for tests in which a provider does not answer."""


class Wanted(BaseModel):
    """One requested contact."""

    dossier_id: UUID
    message_id: UUID


class LookUp(BaseModel):
    """The request body of intake's contact look-up."""

    purpose: str
    wanted: list[Wanted]


@dataclass
class Intake:
    """Intake's contact look-up by its contract. `contacts` overrides the default one; `broken` answers 503.

    `requested` lists the messages whose contacts were returned, `request_sizes` the number of each answered request.
    """

    contacts: dict[UUID, dict[str, str | None] | None] = field(default_factory=dict)
    requested: list[UUID] = field(default_factory=list)
    request_sizes: list[int] = field(default_factory=list)
    broken: bool = False

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/contacts/lookup")
        async def look_up(body: LookUp) -> JSONResponse:
            if self.broken:
                return JSONResponse({"type": "urn:motcua:problem:unavailable"}, status_code=503)
            self.requested += [one.message_id for one in body.wanted]
            self.request_sizes.append(len(body.wanted))
            default: dict[str, str | None] = {"name": "Nguyễn Văn A", "phone": PHONE, "email": EMAIL}
            found = []
            for one in body.wanted:
                contact = self.contacts.get(one.dossier_id, default)
                answer: dict[str, Any] | None = None if contact is None else {**contact, "papers": []}
                found.append({"dossier_id": str(one.dossier_id), "message_id": str(one.message_id), "contact": answer})
            return JSONResponse({"found": found})

        return app


@dataclass
class IdleConsumer:
    """A consumer that reads nothing: `handle` applies events, and a test sets the `partitions` that are caught up."""

    partitions: set[int] = field(default_factory=lambda: set(range(6)))
    published: Signal = field(default_factory=Signal)

    async def caught_up_in_group(
        self, *topics: Topic, awaited: Collection[int], within_seconds: float
    ) -> frozenset[int]:
        """The partitions that the test set."""
        return frozenset(self.partitions)


@dataclass
class Office:
    """One notify with its surroundings. `keys` are tokens by role; all replicas share `consumer`."""

    home: Path
    context: Context[NotifySettings]
    intake: Intake
    mail: Control
    sms_url: str
    urls: list[str]
    keys: dict[str, str]
    http: httpx.AsyncClient
    consumer: IdleConsumer

    @property
    def pool(self) -> asyncpg.Pool:
        return self.context.pool

    async def sms_behaves(self, **behaviour: Any) -> None:
        """Set the behaviour of the SMS provider."""
        answer = await self.http.put(f"{self.sms_url}/behaviour", json=behaviour)
        assert answer.status_code == 200, answer.text

    def mail_behaves(self, **behaviour: Any) -> None:
        """Set the behaviour of the mail server."""
        self.mail.behaviour = Behaviour(**behaviour)

    async def sms_requests(self) -> int:
        """The number of messages that were handed over to the SMS provider."""
        return int((await self.http.get(f"{self.sms_url}/requests")).json()["requests"])

    async def handle(self, events: Sequence[AnyEnvelope]) -> None:
        """Handle events, each in its own transaction."""
        handler = create_handler(load_texts(self.context.centre))
        for event in events:
            async with self.context.unit(DOSSIERS, [event.dossier_id]) as (_, unit):
                handler(event, unit)

    async def messages(self, dossier: DossierEvents, channel: str = "sms") -> list[dict[str, Any]]:
        """The dossier's messages on a channel, in the order of their events."""
        rows = await self.pool.fetch(
            "select * from messages where dossier_id = $1 and channel = $2 order by dossier_sequence, planned_at",
            dossier.dossier_id,
            channel,
        )
        return [dict(row) for row in rows]

    async def becomes(
        self, dossier: DossierEvents, *states: str, within: float = 15, channel: str = "sms"
    ) -> dict[str, Any]:
        """Wait until the dossier's last message on a channel is in one of these states, and return it."""
        found: dict[str, Any] = {}

        async def reached() -> bool:
            found.update((await self.messages(dossier, channel))[-1])
            assert found["state"] in states, f"{found['state']} {found['reason']} {found['next_step']}"
            return True

        await eventually(reached, within=within)
        return found

    async def inbox(self, dossier: DossierEvents, channel: str = "sms") -> list[InboxMessage]:
        """What the applicant received about this dossier on a channel."""
        ids = {str(message["message_id"]) for message in await self.messages(dossier, channel)}
        return [message for message in read_inbox(self.home, message_ids=ids) if message.channel == channel]

    async def outcomes(self, dossier: DossierEvents, channel: str = "sms") -> list[tuple[str, dict[str, Any]]]:
        """The events that notify published about the dossier's messages on a channel: type and data, in sequence."""
        query = "select type, value from events where key = $1 order by sequence"
        rows = await self.pool.fetch(query, str(dossier.dossier_id))
        published = [(row["type"], json.loads(row["value"])["data"]) for row in rows]
        return [(kind, data) for kind, data in published if data["channel"] == channel]


@dataclass
class Surroundings:
    """Sinks, intake's replacement and keys; `environment` has notify's settings for them as environment variables."""

    intake: Intake
    mail: Control
    sms_url: str
    keys: dict[str, str]
    environment: dict[str, str]


@asynccontextmanager
async def surroundings(database_url: str, home: Path, *, port: int, **settings: Any) -> AsyncIterator[Surroundings]:
    """Start what notify calls; the provider sends its receipts to `port`. `settings` are notify's own."""
    await asyncio.to_thread(migrate, database_url, "notify", MIGRATIONS)
    (home / "receipts").write_text(RECEIPT_KEY)
    (home / "intake").write_text("a-key-of-the-replacement")
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
    """Start everything except consumer and relay: a test applies events with `handle`."""
    ports = [free_port() for _ in range(replicas)]
    async with AsyncExitStack() as stack:
        around = await stack.enter_async_context(surroundings(database.url("notify"), home, port=ports[0], **settings))
        contexts: list[Context[NotifySettings]] = []
        consumer = IdleConsumer()
        for number, port in enumerate(ports):
            own = around.environment | {"NOTIFY_MEMBER": f"notify-{number}", "NOTIFY_PORT": str(port)}
            values = {name.removeprefix("NOTIFY_").lower(): value for name, value in own.items()}
            contexts.append(await stack.enter_async_context(_replica(NotifySettings.model_validate(values), consumer)))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=10, trust_env=False))
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        yield Office(home, contexts[0], around.intake, around.mail, around.sms_url, urls, around.keys, http, consumer)


@dataclass(frozen=True)
class _Context(Context[NotifySettings]):
    """A context that creates the given consumer instead of one that needs a broker."""

    consumer: IdleConsumer

    def create_consumer(self, streams: Sequence[Stream[Any]]) -> Consumer:
        """The given consumer."""
        return self.consumer  # type: ignore[return-value]  # it has the methods that the senders call


@asynccontextmanager
async def _replica(settings: NotifySettings, consumer: IdleConsumer) -> AsyncIterator[Context[NotifySettings]]:
    centre = load_centre(settings.centre)
    pool = await create_pool(settings.database_url, "notify")
    publisher = Publisher("notify", centre.code, 1, centre.catalogue_version)
    relay = Relay(settings.database_url, "notify", bootstrap=settings.kafka_bootstrap, client_id=settings.member)
    plain = Context("notify", settings, centre, pool, publisher, SystemClock(), relay, Health("consumer", "relay"))
    context = _Context(**vars(plain), consumer=consumer)
    parts = await build(context)
    app = create_app("notify", health=context.health, keys=KeyRing(settings.keys_file))
    provide(app, [plain, *parts.provides])  # routes depend on exactly Context
    for router in parts.routers:
        app.include_router(router)
    workers = [asyncio.ensure_future(worker.run()) for worker in parts.workers.values()]
    try:
        async with serving(app, settings.port):
            yield context
    finally:
        for worker in workers:
            worker.cancel()
        for ended in await asyncio.gather(*workers, return_exceptions=True):
            assert isinstance(ended, asyncio.CancelledError), ended
        pool.terminate()


def recent_dossier(**more: Any) -> DossierEvents:
    """A dossier submitted and received half an hour ago."""
    dossier = DossierEvents(start=machine_now() - timedelta(minutes=30), **more)
    dossier.submitted()
    dossier.received()
    return dossier
