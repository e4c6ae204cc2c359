"""Routing in the test's process, on a real broker and database; the test advances the clock and closes weeks."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from services.routing.app import build
from services.routing.general_counter.worker import WeekCloser
from services.routing.settings import RoutingSettings
from services.sla.calendars.events import calendar_event as published_calendar_event
from services.sla.domain.calendar import compile_calendar
from shared.contracts.assignments import AssignmentDecidedV1
from shared.contracts.envelope import Actor, AnyEnvelope
from shared.contracts.registry import decode
from shared.contracts.topics import DOSSIERS
from shared.kernel.vocabulary import Channel, Role
from shared.messaging.consumer import Consumer
from shared.postgres.migrate import migrate
from shared.postgres.outbox import Cause, Publisher
from shared.postgres.published_calendars import PublishedCalendar
from shared.runtime.supervision import supervise
from shared.service.keys import ApiKey, new_key, write_keys
from shared.service.process import Context, running
from tests.integration.routing.site import MIGRATIONS
from tests.support import eventually
from tests.support.dossier_events import DossierEvents
from tests.support.hand_clock import HandClock, at
from tests.support.kafka import send
from tests.support.unique import unique

PROCEDURE_OF = {"STP": "2.000908", "STC": "1.000001", "CA": "L.7"}
ROLES: tuple[Role, ...] = ("leader", "auditor", "clerk")


@dataclass(slots=True)
class GeneralCounter:
    """One replica, whose `closer` is driven by the test."""

    context: Context
    consumer: Consumer
    app: FastAPI
    closer: WeekCloser
    clock: HandClock
    tokens: dict[str, str]
    sent: list[DossierEvents] = field(default_factory=list)

    async def consume(self, envelopes: Iterable[AnyEnvelope]) -> None:
        """Produce events to Kafka and wait until they have taken effect."""
        await send(self.context.settings.kafka_bootstrap, envelopes)

        async def applied() -> bool:
            return len(await self.consumer.caught_up_in_group(DOSSIERS)) == DOSSIERS.partitions

        await eventually(applied, within=30)

    async def receive(
        self, week: date, department: str, dossiers: int, *, channel: Channel = "counter", day: int = 1
    ) -> list[DossierEvents]:
        """Consume receipts of so many dossiers on a day of the week (Monday is 0), a minute apart."""
        start = at(f"{week + timedelta(days=day)} 08:00")
        found = []
        for number in range(dossiers):
            dossier = DossierEvents(start=start + timedelta(minutes=number))
            dossier.submitted(PROCEDURE_OF[department], department, channel)
            dossier.received(PROCEDURE_OF[department], department)
            found.append(dossier)
        self.sent += found
        await self.consume(envelope for dossier in found for envelope in dossier.events)
        return found

    async def close(self, week: date) -> None:
        """Close the week: set the clock to the Tuesday after it, a minute after the opening."""
        self.clock.set(f"{week + timedelta(days=8)} 07:01")
        await eventually(self.closer.close_oldest, within=30)

    async def assignments(self, dossiers: Sequence[DossierEvents]) -> dict[str, AssignmentDecidedV1]:
        """The last assignment that was published about each dossier."""
        rows = await self.context.pool.fetch(
            "select distinct on (key) key, type, version, value from events where key = any($1::text[]) "
            "order by key, sequence desc",
            [str(dossier.dossier_id) for dossier in dossiers],
        )
        found = {row["key"]: decode(row["type"], row["version"], row["value"].encode()).data for row in rows}
        return {key: data for key, data in found.items() if isinstance(data, AssignmentDecidedV1)}

    async def get(self, path: str, *, who: Role = "leader", **query: str) -> dict[str, Any]:
        """The response to a GET that must succeed."""
        async with self.client(who) as client:
            response = await client.get(path, params=query)
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    async def post(
        self, path: str, body: dict[str, Any], *, who: Role = "leader", key: str | None = None
    ) -> httpx.Response:
        """Send a write, with a new idempotency key by default."""
        async with self.client(who) as client:
            return await client.post(path, json=body, headers={"Idempotency-Key": key or unique("key")})

    async def proposals(self, state: str | None = None) -> list[dict[str, Any]]:
        """The proposals, as the leader reads them."""
        page = await (self.get("/proposals") if state is None else self.get("/proposals", state=state))
        found: list[dict[str, Any]] = page["items"]
        return found

    def client(self, who: Role) -> httpx.AsyncClient:
        """An HTTP client of the service with an API key of that role."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://routing",
            headers={"Authorization": f"Bearer {self.tokens[who]}"},
        )


def calendar_event(centre_folder: Any, version: int = 1) -> AnyEnvelope:
    """The centre's compiled calendar as sla publishes it."""
    calendar = compile_calendar(centre_folder.calendar)
    cause = Cause(
        id=f"calendar/{version}",
        actor=Actor(kind="system", id="sla", role="service"),
        recorded_at=at("2018-01-01 00:00"),
        correlation="test",
        causation="test",
    )
    publisher = Publisher("sla", "small", 1, "test")
    event = published_calendar_event(calendar, version, "03/QĐ")
    return publisher.event(event, subject=event.name, sequence=version, time=cause.recorded_at, cause=cause, place=0)


@asynccontextmanager
async def general_counter_running(
    bootstrap: str, database_url: str, folder: Path, *, centre: Path, now: str
) -> AsyncIterator[GeneralCounter]:
    """A replica that runs its consumer and relay, without its week closer and HTTP server."""
    migrate(database_url, "routing", MIGRATIONS)
    tokens: dict[str, str] = {}
    keys: list[ApiKey] = []
    for role in ROLES:
        tokens[role], key = new_key(role, role, counter=1 if role == "clerk" else None)
        keys.append(key)
    write_keys(folder / "keys.toml", keys)
    settings = RoutingSettings(
        kafka_bootstrap=bootstrap,
        database_url=database_url,
        member="routing-0",
        centre=centre,
        keys_file=folder / "keys.toml",
    )
    clock = HandClock(at(now))
    async with running("routing", settings, build, clock=clock) as process:
        context, app, parts, consumer = process.context, process.app, process.parts, process.consumer
        closer = WeekCloser(context, PublishedCalendar(context.centre.calendar.name), consumer)
        stop = asyncio.Event()
        running_parts = {name: part for name, part in parts.items() if name not in ("weeks", "http")}
        supervised = asyncio.create_task(supervise(running_parts, stop=stop))
        try:
            await eventually(lambda: consumer.reason_not_ready() is None, within=30)
            yield GeneralCounter(context, consumer, app, closer, clock, tokens)
        finally:
            stop.set()
            await supervised


def monday(day: str) -> date:
    """The date of a Monday; fails for another weekday."""
    found = datetime.fromisoformat(day).date()
    assert found.weekday() == 0
    return found
