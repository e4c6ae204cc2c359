"""A whole centre on this machine, and a client that repeats an act until it is answered."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from motcua.local.centre import LocalCentre, isolated_settings
from motcua.local.database import VERIFY
from motcua.local.embedded.kafka import Toolchain
from motcua.local.settings import MotcuaSettings
from motcua.verification.run import Report, verify
from shared.runtime.clock import machine_now
from shared.runtime.settings import load
from tests.support.scenarios import Scenario, Step, plan


@contextmanager
def whole_centre(toolchain: Toolchain, *, starts_at: datetime | None = None) -> Iterator[LocalCentre]:
    """A centre with every service, in its own folder and on its own ports. With `starts_at` its clock is simulated.

    The folder is outside pytest's: under root the database server runs as another user, whose access to pytest's
    folder another run of pytest removes.
    """
    with tempfile.TemporaryDirectory(prefix="motcua-centre-") as home:
        settings = isolated_settings(load(MotcuaSettings), home=Path(home)).model_copy(
            update={"cache": toolchain.jars.parent}
        )
        if starts_at is not None:
            settings = settings.model_copy(update={"clock": "simulated", "clock_starts_at": starts_at})
        local = LocalCentre(settings)
        try:
            local.start()
            yield local
        finally:
            local.stop()


def scenarios(local: LocalCentre, count: int) -> list[Scenario]:
    """Scenarios of every kind that start today."""
    return plan(local.centre, local.centre.local_date(machine_now()), count=count)


async def verified(local: LocalCentre, *, ledger: Path | None = None, quiescence_seconds: float = 60.0) -> Report:
    """The report of `motcua verify`."""
    return await verify(
        local.site.databases[VERIFY],
        local.site.kafka,
        local.centre,
        ledger=ledger,
        quiescence_seconds=quiescence_seconds,
    )


class PatientClient:
    """Sends acts to one or several intakes in turn; repeats an act with its idempotency key until it is answered."""

    def __init__(self, http: httpx.AsyncClient, urls: Sequence[str], tokens: Mapping[str, str], ledger: Path) -> None:
        self._http = http
        self._urls = urls
        self._tokens = tokens
        self._ledger = ledger.open("a", encoding="utf-8")
        self.sent_again = 0
        self.accepted = 0
        self.dossier_ids: dict[int, str] = {}
        self._turn = 0

    async def run(self, scenario: Scenario) -> None:
        """Send all acts of a scenario, one after the other."""
        for place, step in enumerate(scenario.steps):
            await self.step(scenario, place, step)

    async def step(self, scenario: Scenario, place: int, step: Step) -> None:
        """Send one act; the response must be the expected one."""
        key = f"scenario-{scenario.number}-{place}"
        address = "/dossiers"
        if place:
            address = f"/dossiers/{self.dossier_ids[scenario.number]}/acts/{quote(step.act)}"
        answer = await self._until_answered(address, {"data": dict(step.data)}, key, self._tokens[step.key])
        if step.refused is not None:
            assert answer.status_code == step.refused, answer.text
            return
        assert answer.is_success, f"{step.act}: {answer.status_code} {answer.text}"
        acted: dict[str, Any] = answer.json()
        self.dossier_ids[scenario.number] = acted["dossier_id"]
        self.accepted += 1
        line = {"key": key, "dossier_id": acted["dossier_id"], "sequence": acted["sequence"]}
        self._ledger.write(json.dumps(line) + "\n")
        self._ledger.flush()

    async def _until_answered(self, address: str, body: Mapping[str, Any], key: str, token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        last = ""
        for _ in range(400):
            self._turn += 1
            url = self._urls[self._turn % len(self._urls)]
            try:
                answer = await self._http.post(url + address, json=dict(body), headers=headers)
                if answer.status_code != 503 and "due-date-not-available" not in answer.text:
                    return answer
                last = answer.text
            except httpx.HTTPError as error:
                last = repr(error)  # the act may have been recorded; its idempotency key makes the retry safe
            self.sent_again += 1
            await asyncio.sleep(0.1)
        raise AssertionError(f"no answer to {address} in 400 tries, last: {last}")

    def close(self) -> None:
        """Close the ledger."""
        self._ledger.close()


@asynccontextmanager
async def patient_client(local: LocalCentre, ledger: Path, *ports: int) -> AsyncIterator[PatientClient]:
    """A client of intake, or of its replicas on `ports`, which writes each accepted act to a ledger."""
    urls = [f"http://127.0.0.1:{port}" for port in ports] or [local.site.url("intake")]
    async with httpx.AsyncClient(timeout=20.0, trust_env=False) as http:
        client = PatientClient(http, urls, local.tokens, ledger)
        try:
            yield client
        finally:
            client.close()


async def play(client: PatientClient, scenarios: Iterable[Scenario], *, at_once: int = 16) -> None:
    """Run scenarios concurrently, each in its own order."""
    gate = asyncio.Semaphore(at_once)

    async def one(scenario: Scenario) -> None:
        async with gate:
            await client.run(scenario)

    await asyncio.gather(*(one(scenario) for scenario in scenarios))
