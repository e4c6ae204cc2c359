"""Idempotency keys of writes over HTTP: a repeated request gets the answer of the first one and changes nothing.

Every service has a table `idempotency_keys` in its schema. A key is stored in the transaction in which its request
takes effect, and is retained as long as the row that the request changed.
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
    """Return a hash of a request's content. Equal contents have equal hashes; the order of members does not matter."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Request:
    """A write over HTTP: the actor, the idempotency key that the client sent, and the content.

    `content` is the address and the body as JSON values.
    """

    actor: Actor
    key: str
    content: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The key as stored: with the actor's id before it, so that two clients may use the same key."""
        return key_id(self.actor, self.key)

    @property
    def fingerprint(self) -> str:
        """The hash of the request's content."""
        return fingerprint(self.content)


def key_id(actor: Actor, key: str) -> str:
    """Return an idempotency key as stored: with the actor's id before it."""
    return f"{actor.id}/{key}"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A stored idempotency key whose request took effect, with the fingerprint of that request and its answer.

    `subject` is the id of the row that the request changed, or None.
    """

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
    """Raises KeyReusedError unless the fingerprint `stored` with a key equals that of the `received` request."""
    if stored != received:
        refusal = KeyReusedError()
        raise KeyReusedError(errors=[FieldError(POINTER, refusal.detail)])


async def known_keys(connection: Connection, ids: Collection[str]) -> dict[str, KeyRow]:
    """Return the stored keys among `ids`, by id.

    Call it under a lock that equal requests share, and before any other check of the request.
    """
    return await KEYS.read_all(connection, ids)


async def once(
    connection: Connection, request: Request, answer_type: TypeAdapter[T], write: Callable[[], Awaitable[T]]
) -> T:
    """Call `write` and return its result, or return the stored answer if the request's key is known.

    The new key is stored with the result. Call it in an open transaction that holds a lock which equal requests share.
    Raises KeyReusedError if the known key belongs to a request with another content, and what `write` raises.
    """
    stored = await KEYS.read(connection, request.id)
    if stored is not None:
        require_same(stored.fingerprint, request.fingerprint)
        return answer_type.validate_python(stored.answer)
    answer = await write()
    row = KeyRow(request.id, request.fingerprint, None, answer_type.dump_python(answer, mode="json"))
    await KEYS.insert(connection, [row])
    return answer
