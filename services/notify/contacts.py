"""Where to reach an applicant: asked of intake at the moment of sending, never kept here.

aiohttp, as for the SMS provider: a look-up is most of what a lone message costs, and httpx takes several times as long.
"""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp

from services.notify.numbers import mobile
from services.notify.store import Message
from shared.kernel.errors import StartError, TransientError


@dataclass(frozen=True, slots=True)
class Contact:
    """The ways that reach the applicant now; None where there is none that can be used.

    `papers` are those that the told event asked for in free words: they may name a person, so they are not kept either.
    """

    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    papers: tuple[str, ...] = field(default=(), repr=False)

    def address(self, channel: str) -> str | None:
        """The address on a channel, in the form that its provider takes (E.164 for an SMS)."""
        if channel == "email":
            return self.email
        return mobile(self.phone) if self.phone else None


class Contacts:
    """Intake's contact look-up; intake records every access with the message that it is for."""

    def __init__(self, *, url: str, key_file: Path, seconds: float) -> None:
        try:
            key = key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise StartError(f"NOTIFY_INTAKE_KEY_FILE: {error}: name the file that holds notify's API key") from error
        self._url = f"{url.rstrip('/')}/contacts/lookup"
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"},
            timeout=aiohttp.ClientTimeout(total=seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def look_up(self, messages: Sequence[Message]) -> dict[UUID, Contact]:
        """The contact for each of these messages, by message id; an empty one when intake knows none (any more).

        Where intake refuses what several ask, each is asked for alone, and those that it refuses then are left out.
        Raises TransientError when intake does not answer as it should; nothing was sent then.
        """
        wanted = [
            {
                "dossier_id": str(message.dossier_id),
                "message_id": str(message.message_id),
                "dossier_sequence": message.dossier_sequence,
            }
            for message in messages
        ]
        try:
            asked = {"purpose": "message", "wanted": wanted}
            async with self._http.post(self._url, json=asked, allow_redirects=False) as response:
                if response.status == HTTPStatus.UNPROCESSABLE_ENTITY and len(messages) > 1:
                    return await self._one_by_one(messages)
                response.raise_for_status()
                answer = json.loads(await response.read())
            found = {UUID(one["message_id"]): _contact(one["contact"]) for one in answer["found"]}
            return {message.message_id: found[message.message_id] for message in messages}
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            # not the error's own words: they may hold the answer
            raise TransientError(f"intake's contact look-up failed: {type(error).__name__}") from error

    async def _one_by_one(self, messages: Sequence[Message]) -> dict[UUID, Contact]:
        found: dict[UUID, Contact] = {}
        for message in messages:
            with contextlib.suppress(TransientError):
                found |= await self.look_up([message])
        return found

    async def close(self) -> None:
        """Give connections back."""
        await self._http.close()


def _contact(told: Mapping[str, Any] | None) -> Contact:
    """As intake tells it; None, of a dossier that it does not have, reaches nobody."""
    if told is None:
        return Contact()
    return Contact(phone=told["phone"], email=told["email"], papers=tuple(told["papers"]))
