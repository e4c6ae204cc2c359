"""The demo's client: plays lives over HTTP, scene by scene, and keeps a ledger of what intake accepted."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import httpx

from motcua.demo.lives import Life, Step

_AT_ONCE = 16


@dataclass(slots=True)
class Played:
    """What became of the lives. `failures` are answers that nobody expected, as sentences."""

    dossier_ids: dict[int, str] = field(default_factory=dict)
    accepted: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    failures: list[str] = field(default_factory=list)


class Player:
    """Plays against intake's API; the ledger gets one line an accepted act, before the next one is sent.

    A ledger line is `{"key", "act", "dossier_id", "sequence", "status"}`: what the client holds intake to.
    """

    def __init__(self, intake_url: str, tokens: Mapping[str, str], ledger: Path) -> None:
        self._http = httpx.AsyncClient(base_url=intake_url, timeout=30.0, trust_env=False)
        self._tokens = tokens
        self._path = ledger
        self._ledger: IO[str]
        self.played = Played()

    async def __aenter__(self) -> "Player":
        self._ledger = self._path.open("a", encoding="utf-8")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ledger.close()
        await self._http.aclose()

    async def scene(self, number: int, lives: Iterable[Life], done: Callable[[], None]) -> None:
        """Play every life's steps of one scene; lives side by side, each in its own order."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(life: Life) -> None:
            async with gate:
                for place, step in enumerate(life.steps):
                    if step.scene == number:
                        await self._do(life, place, step)
                        done()

        await asyncio.gather(*(one(life) for life in lives))

    async def read(self, lives: Sequence[Life], token: str) -> list[dict[str, Any]]:
        """Each dossier as intake now tells it."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(dossier_id: str) -> dict[str, Any]:
            async with gate:
                answer = await self._http.get(f"/dossiers/{dossier_id}", headers={"Authorization": f"Bearer {token}"})
                answer.raise_for_status()
                found: dict[str, Any] = answer.json()
                return found

        ids = [self.played.dossier_ids[life.number] for life in lives if life.number in self.played.dossier_ids]
        return await asyncio.gather(*(one(dossier_id) for dossier_id in ids))

    async def _do(self, life: Life, place: int, step: Step) -> None:
        key = f"demo-{life.number}-{place}"
        address = "/dossiers"
        if place:
            dossier_id = self.played.dossier_ids.get(life.number)
            if dossier_id is None:
                return  # its submission failed, which is told already
            address = f"/dossiers/{dossier_id}/acts/{quote(step.act)}"
        headers = {"Authorization": f"Bearer {self._tokens[step.key]}", "Idempotency-Key": key}
        try:
            answer = await self._http.post(address, json={"data": dict(step.data)}, headers=headers)
        except httpx.HTTPError as error:
            self.played.failures.append(f"{life.kind} {life.number}: {step.act}: {error!r}")
            return
        if answer.is_success and step.refused is None:
            self._accept(life, step, key, answer.status_code, answer.json())
        elif answer.status_code == step.refused:
            self.played.refused += 1
        else:
            said = answer.text[:300]
            self.played.failures.append(f"{life.kind} {life.number}: {step.act}: {answer.status_code} {said}")

    def _accept(self, life: Life, step: Step, key: str, status: int, acted: Mapping[str, Any]) -> None:
        self.played.dossier_ids[life.number] = acted["dossier_id"]
        self.played.accepted[step.act] += 1
        line = {
            "key": key,
            "act": step.act,
            "dossier_id": acted["dossier_id"],
            "sequence": acted["sequence"],
            "status": status,
        }
        self._ledger.write(json.dumps(line) + "\n")
        self._ledger.flush()
