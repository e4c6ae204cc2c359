"""Acts at a steady rate, whatever the centre answers meanwhile: each has its instant, and its time counts from there.

A client that waited for answers before it sent the next act would leave out the very moments in which all wait.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import aiohttp

from motcua.local.centre import LocalCentre
from shared.runtime.clock import machine_now
from tests.bench.bench import NoResultError
from tests.support.scenarios import Scenario, Step

_IDLE_SECONDS = 2.0
_ANSWER_SECONDS = 120.0
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Planned:
    """An act to be sent `after` so many seconds: step `place` of a life."""

    after: float
    life: Scenario
    place: int

    @property
    def step(self) -> Step:
        """The act itself."""
        return self.life.steps[self.place]


@dataclass(frozen=True, slots=True)
class Done:
    """An act that was answered. `meant_at` is when it should have been sent; `sequence` is that of its last event."""

    act: str
    meant_at: datetime
    seconds: float
    accepted: bool
    sent_again: int = 0
    dossier_id: str = ""
    sequence: int = 0


def schedule(lives: Sequence[Scenario], *, rate: float, seconds: float, apart: float) -> list[Planned]:
    """An act each 1/`rate` seconds; the steps of one life at least `apart` seconds from each other.

    A life that can go on goes on before another begins. Raises ValueError where the lives do not suffice.
    """
    fresh, turns_apart = iter(lives), ceil(apart * rate)
    waiting: deque[tuple[int, Scenario, int]] = deque()
    planned = []
    for turn in range(round(rate * seconds)):
        if waiting and waiting[0][0] <= turn:
            _, life, place = waiting.popleft()
        else:
            found = next(fresh, None)
            if found is None:
                raise ValueError(f"{len(lives)} lives do not suffice for {rate * seconds:.0f} acts {apart} s apart")
            life, place = found, 0
        planned.append(Planned(turn / rate, life, place))
        if place + 1 < len(life.steps):
            waiting.append((turn + turns_apart, life, place + 1))  # ascending, since all wait equally long
    return planned


async def send(local: LocalCentre, planned: Sequence[Planned]) -> list[Done]:
    """Send each at its instant, and wait for the last answer. Raises NoResultError for an answer that is not as meant.

    A step waits for the answer to the one before it; where that comes too late, the step is late, and that counts.
    """
    answers: dict[tuple[int, int], asyncio.Task[Done]] = {}
    # a connection left idle for longer may be closed by the server just as it is used again
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS)
    timeout = aiohttp.ClientTimeout(_ANSWER_SECONDS)
    try:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http, asyncio.TaskGroup() as tasks:
            client = _Client(http, local, answers)
            began, began_at = time.monotonic(), machine_now()
            for one in planned:
                await asyncio.sleep(max(0.0, began + one.after - time.monotonic()))
                meant = _Meant(began + one.after, began_at + timedelta(seconds=one.after))
                answers[one.life.number, one.place] = tasks.create_task(client.act(one, meant))
    except BaseExceptionGroup as several:  # one act that fails ends them all
        raise several.exceptions[0] from several
    return [answer.result() for answer in answers.values()]


@dataclass(frozen=True, slots=True)
class _Meant:
    """The instant that was meant, on both clocks."""

    monotonic: float
    at: datetime


@dataclass(frozen=True, slots=True)
class _Client:
    http: aiohttp.ClientSession
    local: LocalCentre
    answers: dict[tuple[int, int], "asyncio.Task[Done]"]

    async def act(self, one: Planned, meant: _Meant) -> Done:
        step = one.step
        address = f"{self.local.site.url('intake')}/dossiers"
        if one.place:
            submitted = await self.answers[one.life.number, 0]
            await self.answers[one.life.number, one.place - 1]
            address += f"/{submitted.dossier_id}/acts/{step.act}"
        headers = {
            "Authorization": f"Bearer {self.local.tokens[step.key]}",
            "Idempotency-Key": f"steady-{one.life.number}-{one.place}",
        }
        status, content, tries = await self._until_answered(address, {"data": dict(step.data)}, headers)
        seconds = time.monotonic() - meant.monotonic
        if status == step.refused:
            return Done(step.act, meant.at, seconds, accepted=False, sent_again=tries - 1)
        if status >= 300 or step.refused is not None:
            raise NoResultError(f"{step.act} of a {one.life.kind}: {status} {content}")
        return Done(
            step.act,
            meant.at,
            seconds,
            accepted=True,
            sent_again=tries - 1,
            dossier_id=content["dossier_id"],
            sequence=content["sequence"],
        )

    async def _until_answered(
        self, address: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any], int]:
        """Status, answer, and which try got it: a connection may break, and the act's key makes it safe to send
        again."""
        for tries in range(1, _TRIES + 1):
            try:
                async with self.http.post(address, json=body, headers=headers) as answer:
                    return answer.status, await answer.json(content_type=None), tries
            except (aiohttp.ClientConnectionError, TimeoutError) as error:
                broken = error
        raise NoResultError(f"no answer to {address} in {_TRIES} tries, last {broken!r}")
