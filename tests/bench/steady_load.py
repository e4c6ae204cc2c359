"""Send acts at a constant rate, regardless of the answers, and measure latency from the scheduled instant of each act.

A client that waits for an answer before it sends the next act would not measure the time in which acts queue
(coordinated omission).
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
from tests.bench.bench import InvalidRunError
from tests.support.scenarios import Scenario, Step

_KEEPALIVE_SECONDS = 2.0
_TIMEOUT_SECONDS = 120.0
_TRIES = 3


@dataclass(frozen=True, slots=True)
class ScheduledAct:
    """An act to be sent `after` seconds from the start: the step `index` of a scenario."""

    after: float
    scenario: Scenario
    index: int

    @property
    def step(self) -> Step:
        """The act itself."""
        return self.scenario.steps[self.index]


@dataclass(frozen=True, slots=True)
class AnsweredAct:
    """An act with its answer. `seconds` is measured from `scheduled_at`; `sequence` is that of the act's last event."""

    act: str
    scheduled_at: datetime
    seconds: float
    accepted: bool
    retries: int = 0
    dossier_id: str = ""
    sequence: int = 0


def schedule(scenarios: Sequence[Scenario], *, rate: float, seconds: float, apart: float) -> list[ScheduledAct]:
    """Schedule one act every 1/`rate` seconds, with the steps of one scenario at least `apart` seconds apart.

    Scenarios in progress are continued before another one begins. Raises ValueError if there are not enough scenarios.
    """
    unused_scenarios, slots_apart = iter(scenarios), ceil(apart * rate)
    # the scenarios in progress: first slot of the next step, scenario, index of the step
    in_progress: deque[tuple[int, Scenario, int]] = deque()
    scheduled = []
    for slot in range(round(rate * seconds)):
        if in_progress and in_progress[0][0] <= slot:
            _, scenario, index = in_progress.popleft()
        else:
            unused = next(unused_scenarios, None)
            if unused is None:
                raise ValueError(
                    f"{len(scenarios)} scenarios do not suffice for {rate * seconds:.0f} acts {apart} s apart"
                )
            scenario, index = unused, 0
        scheduled.append(ScheduledAct(slot / rate, scenario, index))
        if index + 1 < len(scenario.steps):
            in_progress.append((slot + slots_apart, scenario, index + 1))  # in order: the distance is constant
    return scheduled


async def send(local: LocalCentre, scheduled: Sequence[ScheduledAct]) -> list[AnsweredAct]:
    """Send each act at its instant, and wait for all answers. Raises InvalidRunError for an unexpected answer.

    A step is sent only after the answer to the previous step of its scenario. The delay counts as latency of the step.
    """
    answers: dict[tuple[int, int], asyncio.Task[AnsweredAct]] = {}
    # the server may close a connection that is idle for longer, just when it is used again
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_SECONDS)
    timeout = aiohttp.ClientTimeout(_TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http, asyncio.TaskGroup() as tasks:
            client = _Client(http, local, answers)
            began, began_at = time.monotonic(), machine_now()
            for act in scheduled:
                await asyncio.sleep(max(0.0, began + act.after - time.monotonic()))
                instant = _Instant(began + act.after, began_at + timedelta(seconds=act.after))
                answers[act.scenario.number, act.index] = tasks.create_task(client.perform(act, instant))
    except BaseExceptionGroup as group:  # the first act that fails ends the run
        raise group.exceptions[0] from group
    return [answer.result() for answer in answers.values()]


@dataclass(frozen=True, slots=True)
class _Instant:
    """The scheduled instant of an act, on the monotonic clock and on the system clock."""

    monotonic: float
    at: datetime


@dataclass(frozen=True, slots=True)
class _Client:
    http: aiohttp.ClientSession
    local: LocalCentre
    answers: dict[tuple[int, int], "asyncio.Task[AnsweredAct]"]

    async def perform(self, act: ScheduledAct, scheduled: _Instant) -> AnsweredAct:
        step = act.step
        address = f"{self.local.site.url('intake')}/dossiers"
        if act.index:
            submitted = await self.answers[act.scenario.number, 0]
            await self.answers[act.scenario.number, act.index - 1]
            address += f"/{submitted.dossier_id}/acts/{step.act}"
        headers = {
            "Authorization": f"Bearer {self.local.tokens[step.key]}",
            "Idempotency-Key": f"steady-{act.scenario.number}-{act.index}",
        }
        status, content, tries = await self._post(address, {"data": dict(step.data)}, headers)
        seconds = time.monotonic() - scheduled.monotonic
        if status == step.refused:
            return AnsweredAct(step.act, scheduled.at, seconds, accepted=False, retries=tries - 1)
        if status >= 300 or step.refused is not None:
            raise InvalidRunError(f"{step.act} of a {act.scenario.kind}: {status} {content}")
        return AnsweredAct(
            step.act,
            scheduled.at,
            seconds,
            accepted=True,
            retries=tries - 1,
            dossier_id=content["dossier_id"],
            sequence=content["sequence"],
        )

    async def _post(
        self, address: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, dict[str, Any], int]:
        """Return status, answer and number of tries. Retries after a broken connection: the act's key makes it safe."""
        for tries in range(1, _TRIES + 1):
            try:
                async with self.http.post(address, json=body, headers=headers) as answer:
                    return answer.status, await answer.json(content_type=None), tries
            except (aiohttp.ClientConnectionError, TimeoutError) as error:
                last_error = error
        raise InvalidRunError(f"no answer from {address} in {_TRIES} tries; last error: {last_error!r}")
