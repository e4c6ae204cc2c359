"""A centre with a manual clock: papers come to counters, go in batches, and miss runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from shared.service.process import Context
from tests.integration.intake.deployment import Deployment, IntakeClient, count, fresh_key, in_process, store_calendar
from tests.support.hand_clock import HandClock, at

OPENING = "2017-05-03 07:30"
"""A Wednesday; the centre's runs leave at 11:15 and 16:45."""
WAITING = "/papers/not-handed-over"
MISSING = "/papers/results-not-here"


class Counter:
    """A replica with a manual clock, used by clerks and officers."""

    def __init__(self, client: IntakeClient, context: Context, clock: HandClock) -> None:
        self.client = client
        self.context = context
        self.clock = clock

    async def receive(self, who: str = "clerk-41", **data: Any) -> str:
        """Receive a dossier of STP on paper, a second after the previous one; returns its code."""
        self.clock.tick()  # so that keys are in the order of receipt
        return str((await self.client.walk_in(who, **data))["code"])

    async def id_of(self, code: str) -> str:
        """The dossier of a code."""
        return str(await self.context.pool.fetchval("select dossier_id::text from dossiers where code = $1", code))

    async def act(self, code: str, act: str, who: str = "officer", **data: Any) -> None:
        """Do an act, which must take effect."""
        response = await self.client.act(await self.id_of(code), act, who, data=data)
        assert response.status_code == 200, response.text

    async def hand_over(
        self, *codes: str, who: str = "clerk-41", key: str | None = None, **more: Any
    ) -> httpx.Response:
        """POST /hand-overs."""
        body = {"department": "STP", "dossiers": [{"code": code} for code in codes], "given_by": "an", "taken_by": "ba"}
        headers = self.client.headers(who, key or fresh_key())
        return await self.client.http.post(f"{self.client.base}/hand-overs", json=body | more, headers=headers)

    async def get(self, path: str, who: str = "leader", **query: Any) -> httpx.Response:
        """GET a path."""
        return await self.client.http.get(f"{self.client.base}{path}", params=query, headers=self.client.headers(who))

    async def listed(self, path: str, who: str = "leader", **query: Any) -> list[str]:
        """The codes of a list."""
        answer = await self.get(path, who, **query)
        assert answer.status_code == 200, answer.text
        return [each["code"] for each in answer.json()["items"]]


@asynccontextmanager
async def opened(
    deployment: Deployment, *, replica: int = 0, parts: tuple[str, ...] = ("http",)
) -> AsyncIterator[Counter]:
    """Run a replica on that morning, with the centre's calendar."""
    clock = HandClock(at(OPENING))
    async with in_process(deployment, replica=replica, parts=parts, clock=clock) as (client, context):
        if not await count(context.pool, "calendars"):
            await store_calendar(context)
        yield Counter(client, context, clock)
