"""Where to reach an applicant: asked of intake at the moment of sending, never kept here."""

from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx

from services.notify.numbers import mobile
from shared.kernel.errors import StartError, TransientError

_NO_SUCH_DOSSIER = "urn:motcua:problem:no-such-dossier"
"""Intake's word for it; any other 404 is a wrong address of ours, and must not cost an applicant the message."""


@dataclass(frozen=True, slots=True)
class Contact:
    """The ways that reach the applicant now; None where there is none that can be used.

    `papers` are those that the told fact asked for in free words: they may name a person, so they are not kept either.
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
        self._http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=seconds, trust_env=False
        )

    async def look_up(self, dossier_id: UUID, message_id: UUID, *, dossier_sequence: int) -> Contact:
        """The applicant's contact, for a message about that fact; an empty one when intake knows none (any more).

        Raises TransientError when intake does not answer as it should; nothing was sent then.
        """
        body = {
            "dossier_id": str(dossier_id),
            "purpose": "message",
            "message_id": str(message_id),
            "dossier_sequence": dossier_sequence,
        }
        try:
            response = await self._http.post("/contacts/lookup", json=body)
            found = response.json()
            if response.status_code == 404 and found.get("type") == _NO_SUCH_DOSSIER:
                return Contact()
            response.raise_for_status()
            return Contact(phone=found["phone"], email=found["email"], papers=tuple(found.get("papers", ())))
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            # an error of httpx names the address asked, never the answer
            raise TransientError(f"intake's contact look-up failed: {type(error).__name__}") from error

    async def close(self) -> None:
        """Give connections back."""
        await self._http.aclose()
