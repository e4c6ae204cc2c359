"""Contact look-up: contacts of applicants, requested from intake at the moment of sending and never stored by notify.

It uses aiohttp, as the SMS gateway does: the look-up is most of the cost of a single message, and with httpx it takes
several times as long.
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
    """The applicant's current phone number and e-mail address as intake has them; None for one that intake lacks.

    `papers` are the papers that the message's event asks for in free text. They may contain a person's name, so notify
    stores neither the contact nor them.
    """

    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    papers: tuple[str, ...] = field(default=(), repr=False)

    def address(self, channel: str) -> str | None:
        """Return the e-mail address, or the phone number in E.164 for any other channel.

        None if it is missing, or if the phone number cannot receive an SMS.
        """
        if channel == "email":
            return self.email
        return mobile_number(self.phone) if self.phone else None


class ContactLookup:
    """HTTP client of intake's contact look-up. Intake records each access, with the message for which it was made."""

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
        """Request the contacts for these messages from intake, and return them by message id.

        A contact is empty if intake has none (any more). If intake rejects a request for several messages as invalid,
        each is requested alone, and a message whose request fails is missing in the result. Raises TransientError if
        intake does not answer as specified.
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
        """Close the connections to intake."""
        await self._http.close()


def _contact(answer: Mapping[str, Any] | None) -> Contact:
    """Return intake's answer for one message as a contact; an empty one for None, an unknown dossier."""
    if answer is None:
        return Contact()
    return Contact(phone=answer["phone"], email=answer["email"], papers=tuple(answer["papers"]))
