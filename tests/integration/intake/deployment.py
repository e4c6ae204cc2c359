"""Replicas of intake for tests: real HTTP, database and broker, with an API key of each role."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from fastapi import FastAPI

from services.intake.__main__ import MIGRATIONS
from services.intake.app import build
from services.intake.settings import IntakeSettings
from services.sla.calendars.events import calendar_event
from services.sla.domain.calendar import compile_calendar
from shared.contracts.topics import TOPICS
from shared.kernel.clock import Clock
from shared.messaging.admin import create_topics
from shared.postgres.migrate import migrate
from shared.postgres.published_calendars import CALENDARS, CalendarRow
from shared.runtime.supervision import supervise
from shared.service.keys import ApiKey, new_key, write_keys
from shared.service.process import Context, running
from tests.support import ServiceDatabase, eventually, free_port, unique

ROOT = Path(__file__).resolve().parents[3]
_KEYS: Mapping[str, Mapping[str, Any]] = {
    "clerk": {"role": "clerk", "counter": 2},
    "clerk-41": {"role": "clerk", "counter": 41},
    "clerk-44": {"role": "clerk", "counter": 44},
    "officer": {"role": "officer", "department": "STP"},
    "officer-syt": {"role": "officer", "department": "SYT"},
    "portal": {"role": "applicant", "kind": "system"},
    "portal-2": {"role": "applicant", "kind": "system"},
    "leader": {"role": "leader"},
    "ops": {"role": "ops"},
    "auditor": {"role": "auditor"},
    "notify": {"role": "service", "kind": "system"},
    "importer": {"role": "importer", "kind": "system"},
}
_COUNT = itertools.count(1)

KNOWN = "2.000908"
"""A procedure of STP whose requirements are not entered."""
WITH_PAPERS = "2.000635"
"""A procedure of STP that requires `form` and `identity`; `authority` is optional."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What replicas share: database, broker and API keys."""

    database: str
    bootstrap: str
    keys_file: Path
    tokens: Mapping[str, str]
    starts_at: datetime | None = None
    """The first instant of a simulated clock; None with a system clock."""

    def settings(self, replica: int, port: int) -> IntakeSettings:
        """The settings of one replica."""
        return IntakeSettings(
            kafka_bootstrap=self.bootstrap,
            database_url=self.database,
            member=f"intake-{replica}",
            port=port,
            centre=ROOT / "config" / "binh-phuoc",
            keys_file=self.keys_file,
            clock="system" if self.starts_at is None else "simulated",
            clock_starts_at=self.starts_at,
        )

    def environment(self, replica: int, port: int) -> dict[str, str]:
        """The same settings as a process's environment."""
        return {
            "INTAKE_KAFKA_BOOTSTRAP": self.bootstrap,
            "INTAKE_DATABASE_URL": self.database,
            "INTAKE_MEMBER": f"intake-{replica}",
            "INTAKE_PORT": str(port),
            "INTAKE_CENTRE": str(ROOT / "config" / "binh-phuoc"),
            "INTAKE_KEYS_FILE": str(self.keys_file),
        }


def build_deployment(database: ServiceDatabase, folder: Path, bootstrap: str = "127.0.0.1:9") -> Deployment:
    """Migrate the schema and write the keys. Without a broker, only the part `http` can run."""
    url = database.url("intake")
    migrate(url, "intake", MIGRATIONS)
    entries: list[ApiKey] = []
    tokens = {}
    for name, fields in _KEYS.items():
        more = dict(fields)
        tokens[name], entry = new_key(name, more.pop("role"), **more)
        entries.append(entry)
    write_keys(folder / "keys.toml", entries)
    return Deployment(url, bootstrap, folder / "keys.toml", tokens)


class IntakeClient:
    """An HTTP client of one replica."""

    def __init__(self, base: str, tokens: Mapping[str, str], http: httpx.AsyncClient) -> None:
        self.base = base
        self.tokens = tokens
        self.http = http

    def headers(self, who: str, key: str | None = None) -> dict[str, str]:
        """The headers of a request with the API key `who`."""
        return {"Authorization": f"Bearer {self.tokens[who]}"} | ({"Idempotency-Key": key} if key else {})

    async def submit(self, who: str = "clerk", key: str | None = None, **body: Any) -> httpx.Response:
        """POST /dossiers; `body` defaults to a submission of KNOWN."""
        body.setdefault("data", {"procedure": KNOWN})
        return await self.http.post(f"{self.base}/dossiers", json=body, headers=self.headers(who, key or fresh_key()))

    async def walk_in(self, who: str = "clerk", key: str | None = None, **data: Any) -> dict[str, Any]:
        """Submit and receive a dossier; returns the response."""
        response = await self.submit(who, key, data={"procedure": KNOWN, "receive": {}, **data})
        assert response.status_code == 201, response.text
        return dict(response.json())

    async def act(
        self, dossier_id: str, act: str, who: str = "clerk", key: str | None = None, **body: Any
    ) -> httpx.Response:
        """POST one act."""
        url = f"{self.base}/dossiers/{dossier_id}/acts/{act}"
        return await self.http.post(url, json=body, headers=self.headers(who, key or fresh_key()))

    async def read(self, dossier_id: str, who: str = "clerk", **query: Any) -> httpx.Response:
        """GET one dossier."""
        url = f"{self.base}/dossiers/{dossier_id}"
        return await self.http.get(url, params=query, headers=self.headers(who), timeout=60)

    async def look_up(
        self, *wanted: Mapping[str, Any], who: str = "notify", purpose: str = "message"
    ) -> httpx.Response:
        """POST /contacts/lookup."""
        body = {"purpose": purpose, "wanted": wanted}
        return await self.http.post(f"{self.base}/contacts/lookup", json=body, headers=self.headers(who))

    async def batch(self, lines: Iterable[Mapping[str, Any] | bytes], who: str = "clerk") -> list[dict[str, Any]]:
        """POST a batch; returns the answers."""
        content = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
        response = await self.http.post(
            f"{self.base}/acts:batch",
            content=content,
            headers=self.headers(who) | {"Content-Type": "application/x-ndjson"},
            timeout=120,
        )
        assert response.status_code == 200, response.text
        return [json.loads(line) for line in response.text.splitlines()]


def fresh_key() -> str:
    """A new idempotency key."""
    return unique("key")


@asynccontextmanager
async def in_process(
    deployment: Deployment, *, replica: int = 0, parts: Collection[str] = ("http",), clock: Clock | None = None
) -> AsyncIterator[tuple[IntakeClient, Context]]:
    """Run a replica in this process; `parts` are those of the service (http, consumer, relay)."""
    port = free_port()
    if "consumer" in parts or "relay" in parts:
        await create_topics(deployment.bootstrap, TOPICS.values(), replication=1)
    async with running("intake", deployment.settings(replica, port), build, clock=clock) as process:
        context, app, supervised = process.context, process.app, process.parts
        assert isinstance(app, FastAPI)
        stop = asyncio.Event()
        chosen = {name: part for name, part in supervised.items() if name in (*parts, "member")}
        task = asyncio.create_task(supervise(chosen, stop=stop))
        base = f"http://127.0.0.1:{port}"
        try:
            async with httpx.AsyncClient(timeout=60) as http:
                await eventually(lambda: _answers(http, base), within=20)
                yield IntakeClient(base, deployment.tokens, http), context
        finally:
            stop.set()
            await task


async def store_calendar(context: Context) -> None:
    """Store the centre's calendar as if sla had published it."""
    event = calendar_event(compile_calendar(context.centre.calendar), 1, "03/QĐ")
    row = CalendarRow(key=event.name, version=1, published=event.model_dump(mode="json"))
    async with context.pool.acquire() as connection:
        await CALENDARS.insert(connection, [row])


async def _answers(http: httpx.AsyncClient, base: str) -> bool:
    try:
        return (await http.get(f"{base}/healthz")).status_code == 200
    except httpx.TransportError:
        return False


async def count(pool: asyncpg.Pool, table: str, **where: Any) -> int:
    """The number of rows of a table with these values."""
    clause = " and ".join(f"{column} = ${n}" for n, column in enumerate(where, 1)) or "true"
    return int(await pool.fetchval(f"select count(*) from {table} where {clause}", *where.values()))
