"""One act of the past, as a line of `POST /acts:batch`; its ids are derived, so that sending it again is safe."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

MAX_KEY = 200
"""The longest idempotency key that intake takes, in characters."""

Role = Literal["applicant", "clerk", "officer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doer:
    """Who did it. A clerk stands at a counter, where that is known; an officer belongs to a department."""

    id: str
    role: Role
    department: str | None = None
    counter: int | None = None
    system: bool = False

    def named(self) -> dict[str, Any]:
        """As a request names an actor."""
        told = {"role": self.role, "department": self.department, "counter": self.counter}
        head = {"kind": "system" if self.system else "person", "id": self.id}
        return head | {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAct:
    """What somebody did to a dossier at an aware instant. `department` is the competent one; it is not sent."""

    key: str
    act: str
    dossier_id: UUID
    department: str
    occurred_at: datetime
    doer: Doer
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def receives(self) -> bool:
        """Whether the dossier is received by this act: by a receipt of its own, or as a walk-in."""
        return self.act == "receive" or (self.act == "submit" and "receive" in self.data)

    def members(self) -> dict[str, Any]:
        """What a line of `POST /acts:batch` holds."""
        return {
            "key": self.key,
            "act": self.act,
            "dossier": {"id": str(self.dossier_id)},
            "occurred_at": utc(self.occurred_at),
            "actor": self.doer.named(),
            "data": self.data,
        }

    def line(self) -> bytes:
        """The line with its end; the same act always gives the same bytes."""
        return json.dumps(self.members(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def utc(instant: datetime) -> str:
    """The instant as it stands on the wire: UTC, with Z. Raises ValueError for a naive one."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant} has no offset")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def idempotency_key(*parts: str) -> str:
    """A key of visible ASCII characters; other ones are percent-encoded, and what is too long ends in a hash."""
    key = "/".join(quote(part, safe=":._-+,;=@()") for part in parts)
    if len(key) <= MAX_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: MAX_KEY - len(digest) - 1]}~{digest}"


def dossier_id(at: datetime, *parts: str) -> UUID:
    """The UUIDv7 (RFC 9562, section 5.7) of a dossier that began at `at`: its other bits are a hash of the parts."""
    digest = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:10], "big")
    millis = int(at.timestamp() * 1000) & (1 << 48) - 1
    return UUID(int=millis << 80 | 0x7 << 76 | (digest >> 66 & 0xFFF) << 64 | 0b10 << 62 | digest & (1 << 62) - 1)
