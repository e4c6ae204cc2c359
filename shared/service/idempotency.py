"""Idempotency keys of writes over HTTP: a repeated request is answered with its first answer.

The table `idempotency_keys` belongs to the delivery schema of every service. A key is stored in the transaction in
which its request takes effect, and as long as the row that the request changed.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from shared.contracts.envelope import Actor
from shared.kernel.errors import FieldError, KeyReusedError
from shared.postgres.pool import Connection
from shared.postgres.rows import RecordTable

T = TypeVar("T")

POINTER = "/header/Idempotency-Key"


def fingerprint(content: Mapping[str, Any]) -> str:
    """A hash that is equal for requests with the same content; the order of members does not matter."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Request:
    """A write: the actor, the idempotency key, and the content (address and body as JSON values)."""

    actor: Actor
    key: str
    content: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The stored key. It includes the owner of the API key, so two clients may use the same key."""
        return key_id(self.actor, self.key)

    @property
    def fingerprint(self) -> str:
        """The hash of the content."""
        return fingerprint(self.content)


def key_id(actor: Actor, key: str) -> str:
    """The stored form of an idempotency key: its owner and the key."""
    return f"{actor.id}/{key}"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """An idempotency key whose request took effect, and its first answer. `subject` is the row that it changed."""

    id: str
    fingerprint: str
    subject: UUID | None
    answer: dict[str, Any]


KEYS = RecordTable(
    KeyRow,
    name="idempotency_keys",
    key="id",
    columns={"id": "text", "fingerprint": "text", "subject": "uuid", "answer": "jsonb"},
)


def require_same(stored: str, received: str) -> None:
    """Raises KeyReusedError if the key's first request had another fingerprint."""
    if stored != received:
        refusal = KeyReusedError()
        raise KeyReusedError(errors=[FieldError(POINTER, refusal.detail)])


async def known_keys(connection: Connection, ids: Collection[str]) -> dict[str, KeyRow]:
    """The stored keys among `ids`. Call it under a lock that equal requests share, before any other check."""
    return await KEYS.read_all(connection, ids)


async def once(
    connection: Connection, request: Request, answer_type: TypeAdapter[T], write: Callable[[], Awaitable[T]]
) -> T:
    """The result of `write`, which takes effect once: a known key gets its first answer.

    Call it in an open transaction that holds a lock which equal requests share. Raises KeyReusedError for a key of
    another request, and what `write` raises.
    """
    stored = await KEYS.read(connection, request.id)
    if stored is not None:
        require_same(stored.fingerprint, request.fingerprint)
        return answer_type.validate_python(stored.answer)
    answer = await write()
    row = KeyRow(request.id, request.fingerprint, None, answer_type.dump_python(answer, mode="json"))
    await KEYS.insert(connection, [row])
    return answer
