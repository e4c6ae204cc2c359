"""A counter on a day that the test sets: papers come in, go in batches, and are missed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from shared.service.process import Context
from tests.integration.intake.office import House, Office, count, fresh_key, hear_calendar, in_process
from tests.support.hand_clock import HandClock, at

OPENING = "2017-05-03 07:30"
"""A Wednesday; the centre's runs leave at 11:15 and 16:45."""
LATE = "/papers/not-handed-over"
MISSING = "/papers/results-not-here"


class Counter:
    """An office on a day that the test sets, as its clerks and officers see it."""

    def __init__(self, office: Office, context: Context, clock: HandClock) -> None:
        self.office = office
        self.context = context
        self.clock = clock

    async def receive(self, who: str = "clerk-41", **data: Any) -> str:
        """A dossier of STP, received on paper a second after the one before it; its code."""
        self.clock.tick()  # so that key order is theirs
        return str((await self.office.walk_in(who, **data))["code"])

    async def id_of(self, code: str) -> str:
        """The dossier of a code."""
        return str(await self.context.pool.fetchval("select dossier_id::text from dossiers where code = $1", code))

    async def act(self, code: str, act: str, who: str = "officer", **data: Any) -> None:
        """An act that takes effect."""
        response = await self.office.act(await self.id_of(code), act, who, data=data)
        assert response.status_code == 200, response.text

    async def hand_over(
        self, *codes: str, who: str = "clerk-41", key: str | None = None, **more: Any
    ) -> httpx.Response:
        """POST /hand-overs."""
        body = {"department": "STP", "dossiers": [{"code": code} for code in codes], "given_by": "an", "taken_by": "ba"}
        headers = self.office.headers(who, key or fresh_key())
        return await self.office.http.post(f"{self.office.base}/hand-overs", json=body | more, headers=headers)

    async def get(self, path: str, who: str = "leader", **query: Any) -> httpx.Response:
        """GET."""
        return await self.office.http.get(f"{self.office.base}{path}", params=query, headers=self.office.headers(who))

    async def listed(self, path: str, who: str = "leader", **query: Any) -> list[str]:
        """The codes of a list."""
        answer = await self.get(path, who, **query)
        assert answer.status_code == 200, answer.text
        return [each["code"] for each in answer.json()["dossiers"]]


@asynccontextmanager
async def opened(house: House, *, replica: int = 0, parts: tuple[str, ...] = ("http",)) -> AsyncIterator[Counter]:
    """A replica on that morning, which has heard the centre's calendar."""
    clock = HandClock(at(OPENING))
    async with in_process(house, replica=replica, parts=parts, clock=clock) as (office, context):
        if not await count(context.pool, "calendars"):
            await hear_calendar(context)
        yield Counter(office, context, clock)
