"""Contact look-up: intake's contacts of applicants, read at the moment of sending and never stored here.

aiohttp, as for the SMS provider: the look-up is most of the cost of a single message, and httpx takes several times as
long.
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

from services.notify.domain.message import Message
from services.notify.phone_numbers import mobile_number
from shared.kernel.errors import StartError, TransientError


@dataclass(frozen=True, slots=True)
class Contact:
    """How the applicant can be reached now; None for a channel that cannot be used.

    `papers` are the free-text papers of the event. They may contain a person's name, so they are not stored either.
    """

    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    papers: tuple[str, ...] = field(default=(), repr=False)

    def address(self, channel: str) -> str | None:
        """The address on a channel, in the form that its provider accepts (E.164 for an SMS)."""
        if channel == "email":
            return self.email
        return mobile_number(self.phone) if self.phone else None


class ContactLookup:
    """Intake's contact look-up. Intake records every access with the message that it is for."""

    def __init__(self, *, url: str, key_file: Path, seconds: float) -> None:
        try:
            key = key_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise StartError(
                f"NOTIFY_INTAKE_KEY_FILE: {error}. Set it to the file that contains notify's API key."
            ) from error
        self._url = f"{url.rstrip('/')}/contacts/lookup"
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {key}"},
            timeout=aiohttp.ClientTimeout(total=seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def fetch(self, messages: Sequence[Message]) -> dict[UUID, Contact]:
        """The contact for each of these messages, by message id; an empty one if intake has none (any more).

        If intake refuses a request for several, each is requested alone, and those that are refused then are left out.
        Raises TransientError if intake does not answer as specified; nothing was sent then.
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
            request = {"purpose": "message", "wanted": wanted}
            async with self._http.post(self._url, json=request, allow_redirects=False) as response:
                if response.status == HTTPStatus.UNPROCESSABLE_ENTITY and len(messages) > 1:
                    return await self._fetch_singly(messages)
                response.raise_for_status()
                answer = json.loads(await response.read())
            found = {UUID(one["message_id"]): _contact(one["contact"]) for one in answer["found"]}
            return {message.message_id: found[message.message_id] for message in messages}
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            # without the error's text, which may contain the answer
            raise TransientError(f"The contact look-up at intake failed: {type(error).__name__}.") from error

    async def _fetch_singly(self, messages: Sequence[Message]) -> dict[UUID, Contact]:
        found: dict[UUID, Contact] = {}
        for message in messages:
            with contextlib.suppress(TransientError):
                found |= await self.fetch([message])
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _contact(answer: Mapping[str, Any] | None) -> Contact:
    """Intake's answer as a contact; null, for a dossier that intake does not have, becomes an empty one."""
    if answer is None:
        return Contact()
    return Contact(phone=answer["phone"], email=answer["email"], papers=tuple(answer["papers"]))
