"""Sla in the test's process, with a real broker and database, a clock set by the test, and workers called by it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from services.sla import __file__ as sla_file
from services.sla.app import build, load_rules
from services.sla.calendars.worker import Sweep
from services.sla.clocks.handlers import ClockHandlers
from services.sla.clocks.store import count_outdated
from services.sla.clocks.worker import Ticker
from services.sla.settings import SlaSettings
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.registry import decode
from shared.contracts.topics import DEADLINES, DOSSIERS
from shared.kernel.vocabulary import Role
from shared.messaging.consumer import Consumer
from shared.postgres.migrate import migrate
from shared.runtime.supervision import supervise
from shared.service.keys import ApiKey, new_key, write_keys
from shared.service.process import Context, running
from tests.support import eventually
from tests.support.hand_clock import HandClock, at
from tests.support.kafka import send

MIGRATIONS = Path(sla_file).parent / "migrations"
KEYS: tuple[tuple[str, Role, str | None], ...] = (
    ("leader", "leader", None),
    ("stp", "officer", "STP"),
    ("stc", "officer", "STC"),
    ("ca", "officer", "CA"),
    ("applicant", "applicant", None),
    ("auditor", "auditor", None),
    ("importer", "importer", None),
)


@dataclass(slots=True)
class Sla:
    """One replica. The test calls `ticker` and `sweep`. `tokens` are the API keys of KEYS by name."""

    context: Context
    consumer: Consumer
    app: FastAPI
    ticker: Ticker
    sweep: Sweep
    clock: HandClock
    bootstrap: str
    tokens: dict[str, str]

    async def consume(self, *events: AnyEnvelope) -> None:
        """Publish events to Kafka and wait until they have taken effect."""
        await send(self.bootstrap, events)
        last = {event.dossier_id: event.sequence for event in events}

        async def is_applied() -> bool:
            rows = await self.context.pool.fetch(
                "select dossier_id, (fences -> $2 ->> 0)::int as sequence from dossiers "
                "where dossier_id = any($1::uuid[])",
                list(last),
                DOSSIERS.name,
            )
            found = {row["dossier_id"]: row["sequence"] for row in rows}
            return all((found.get(key) or 0) >= sequence for key, sequence in last.items())

        await eventually(is_applied, within=30)

    async def catch_up(self) -> None:
        """Wait until everything on Kafka, including other tests' dossiers, has taken effect."""

        async def is_applied() -> bool:
            return len(await self.consumer.caught_up(DOSSIERS)) == DOSSIERS.partitions

        await eventually(is_applied, within=30)

    async def published(self, dossier_id: UUID) -> list[AnyEnvelope]:
        """All deadline events of a dossier, by sequence."""
        rows = await self.context.pool.fetch(
            "select type, version, value from events where key = $1 and topic = $2 order by sequence",
            str(dossier_id),
            DEADLINES.name,
        )
        return [decode(row["type"], row["version"], row["value"].encode()) for row in rows]

    async def types(self, dossier_id: UUID) -> list[str]:
        """The types of all deadline events of a dossier."""
        return [event.type.removeprefix("deadline.") for event in await self.published(dossier_id)]

    async def deadline(self, dossier_id: UUID) -> dict[str, Any]:
        """The response to a leader's request for the dossier's deadline."""
        async with self.client("leader") as leader:
            shown: dict[str, Any] = (await leader.get(f"/dossiers/{dossier_id}/deadline")).json()
        return shown

    async def tick(self) -> None:
        """Tick until no threshold is pending."""
        while await self.ticker.tick():
            pass

    async def sweep_all(self) -> None:
        """Sweep until no clock of an older calendar version is left."""

        async def none_left() -> bool:
            await self.sweep.step()
            return not await count_outdated(self.context.pool)

        await eventually(none_left, within=30)

    async def row(self, dossier_id: UUID) -> asyncpg.Record:
        """The dossier's row."""
        found = await self.context.pool.fetchrow("select * from dossiers where dossier_id = $1", dossier_id)
        assert found is not None
        return found

    def client(self, name: str) -> httpx.AsyncClient:
        """A client of the service with the API key of that name."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://sla",
            headers={"Authorization": f"Bearer {self.tokens[name]}"},
        )


@asynccontextmanager
async def sla_running(
    bootstrap: str, database_url: str, folder: Path, *, centre: Path, now: str, member: str = "sla-0", **more: Any
) -> AsyncIterator[Sla]:
    """A replica that consumes and relays, without its own ticker, sweep and HTTP server."""
    migrate(database_url, "sla", MIGRATIONS)
    tokens: dict[str, str] = {}
    keys: list[ApiKey] = []
    for name, role, department in KEYS:
        tokens[name], key = new_key(name, role, department=department)
        keys.append(key)
    write_keys(folder / f"{member}-keys.toml", keys)
    settings = SlaSettings(
        kafka_bootstrap=bootstrap,
        database_url=database_url,
        member=member,
        centre=centre,
        keys_file=folder / f"{member}-keys.toml",
        **more,
    )
    clock = HandClock(at(now))
    async with running("sla", settings, build, clock=clock) as process:
        context, app, parts, consumer = process.context, process.app, process.parts, process.consumer
        clocks = ClockHandlers(await load_rules(context))
        ticker, sweep = Ticker(context, clocks, consumer, tick_seconds=1), Sweep(context, clocks, tick_seconds=1)
        stop = asyncio.Event()
        parts_to_run = {name: part for name, part in parts.items() if name not in ("ticker", "sweep", "http")}
        supervised = asyncio.create_task(supervise(parts_to_run, stop=stop))
        try:
            await eventually(lambda: consumer.reason_not_ready() is None, within=30)
            yield Sla(context, consumer, app, ticker, sweep, clock, bootstrap, tokens)
        finally:
            stop.set()
            await supervised
