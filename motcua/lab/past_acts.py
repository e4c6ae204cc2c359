"""Acts of the past as lines of `POST /acts:batch`. Ids and keys are derived, so an act can be sent again safely."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

MAX_KEY = 200
"""The longest idempotency key that intake accepts, in characters."""

Role = Literal["applicant", "clerk", "officer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastActor:
    """The person or system that performed an act. `counter` is a clerk's, if known; `department` is an officer's."""

    id: str
    role: Role
    department: str | None = None
    counter: int | None = None
    system: bool = False

    def members(self) -> dict[str, Any]:
        """Return the actor as the JSON members of a request."""
        optional = {"role": self.role, "department": self.department, "counter": self.counter}
        head = {"kind": "system" if self.system else "person", "id": self.id}
        return head | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAct:
    """An act on a dossier at an aware instant. `department` is the competent department; it is not sent."""

    key: str
    act: str
    dossier_id: UUID
    department: str
    occurred_at: datetime
    actor: PastActor
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def receives(self) -> bool:
        """Whether this act receives the dossier: a receipt of its own, or a walk-in."""
        return self.act == "receive" or (self.act == "submit" and "receive" in self.data)

    def members(self) -> dict[str, Any]:
        """Return the JSON members of a line of `POST /acts:batch`."""
        return {
            "key": self.key,
            "act": self.act,
            "dossier": {"id": str(self.dossier_id)},
            "occurred_at": utc_text(self.occurred_at),
            "actor": self.actor.members(),
            "data": self.data,
        }

    def line(self) -> bytes:
        """Return the line with its line feed. The same act always gives the same bytes."""
        return json.dumps(self.members(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def utc_text(instant: datetime) -> str:
    """Return the instant as ISO 8601 in UTC, with Z. Raises ValueError for a naive one."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant} has no offset")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def idempotency_key(*parts: str) -> str:
    """Join the parts with slashes to an idempotency key, and return it. The same parts always give the same key.

    Only visible ASCII characters remain; others are percent-encoded. A key longer than MAX_KEY is cut and ends in a
    hash of the whole.
    """
    key = "/".join(quote(part, safe=":._-+,;=@()") for part in parts)
    if len(key) <= MAX_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: MAX_KEY - len(digest) - 1]}~{digest}"


def dossier_id(at: datetime, *parts: str) -> UUID:
    """Return a dossier's UUIDv7 (RFC 9562, section 5.7): its time is `at`, its other bits are a hash of the parts."""
    digest = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:10], "big")
    millis = int(at.timestamp() * 1000) & (1 << 48) - 1
    return UUID(int=millis << 80 | 0x7 << 76 | (digest >> 66 & 0xFFF) << 64 | 0b10 << 62 | digest & (1 << 62) - 1)
