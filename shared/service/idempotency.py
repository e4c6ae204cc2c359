"""Writes over HTTP that took effect, each by its idempotency key with its first answer: asked again, they get that one.

For services whose migrations make the table `idempotency_keys (id text primary key, fingerprint text, answer jsonb)`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from shared.contracts.envelope import Actor
from shared.kernel.errors import ExpectedError, FieldError
from shared.postgres.pool import Connection
from shared.postgres.rows import RecordTable


@dataclass(frozen=True, slots=True)
class Request:
    """A write: who asks, by which idempotency key, and what for (`asked`: address and body, as JSON values)."""

    actor: Actor
    key: str
    asked: Mapping[str, Any]

    @property
    def id(self) -> str:
        """A key belongs to the API key that sent it."""
        return f"{self.actor.id} {self.key}"

    @property
    def fingerprint(self) -> str:
        """Equal for requests that ask the same."""
        return hashlib.sha256(to_json(self.asked)).hexdigest()


@dataclass(slots=True, kw_only=True)
class KeyRow:
    """An idempotency key that took effect, and its first answer. `id` is the key's owner and the key."""

    id: str
    fingerprint: str
    answer: dict[str, Any]


KEYS = RecordTable(
    KeyRow, name="idempotency_keys", key="id", columns={"id": "text", "fingerprint": "text", "answer": "jsonb"}
)


async def first_answer(connection: Connection, request: Request) -> dict[str, Any] | None:
    """What the request was answered when it took effect; None if it did not. Ask before anything else is judged, under
    a lock that equal requests share. Raises Refusal (422) for a key that was used for another request."""
    kept = await KEYS.read(connection, request.id)
    if kept is None:
        return None
    if kept.fingerprint != request.fingerprint:
        detail = "this key was used for another request: take a new one"
        raise ExpectedError(
            "idempotency-key", detail, status=422, errors=[FieldError("/header/Idempotency-Key", detail)]
        )
    return kept.answer


def answered(request: Request, answer: dict[str, Any]) -> KeyRow:
    """What to keep in KEYS, in the transaction in which the request takes effect."""
    return KeyRow(id=request.id, fingerprint=request.fingerprint, answer=answer)
