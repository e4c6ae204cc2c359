"""Acts of the past, as the lines that `POST /acts:batch` of intake accepts.

Ids and keys are derived from the act, so it can be sent again without a second effect.
"""

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
    """The person or system that performed an act.

    `counter` is a clerk's counter number, None if it is not known; `department` is an officer's department.
    """

    id: str
    role: Role
    department: str | None = None
    counter: int | None = None
    system: bool = False

    def members(self) -> dict[str, Any]:
        """Return the `actor` of a line of `POST /acts:batch`, as JSON members. Members without a value are left out."""
        optional = {"role": self.role, "department": self.department, "counter": self.counter}
        head = {"kind": "system" if self.system else "person", "id": self.id}
        return head | {name: value for name, value in optional.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAct:
    """An act on a dossier, performed at the aware instant `occurred_at`.

    `department`, the department competent for the dossier, is used for counting and not sent.
    """

    key: str
    act: str
    dossier_id: UUID
    department: str
    occurred_at: datetime
    actor: PastActor
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def receives(self) -> bool:
        """Whether the act receives the dossier: `receive`, or `submit` with a receipt in its data (a walk-in)."""
        return self.act == "receive" or (self.act == "submit" and "receive" in self.data)

    def members(self) -> dict[str, Any]:
        """Return the act as the JSON members of a line of `POST /acts:batch`."""
        return {
            "key": self.key,
            "act": self.act,
            "dossier": {"id": str(self.dossier_id)},
            "occurred_at": utc_text(self.occurred_at),
            "actor": self.actor.members(),
            "data": self.data,
        }

    def line(self) -> bytes:
        """Return the act as a line of `POST /acts:batch`, with a line feed. Equal acts give equal bytes."""
        return json.dumps(self.members(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def utc_text(instant: datetime) -> str:
    """Format an instant as ISO 8601 in UTC, with Z. Raises ValueError for an instant without an offset."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant} has no offset")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def idempotency_key(*parts: str) -> str:
    """Join the parts with slashes to a key of visible ASCII characters; other characters are percent-encoded.

    A key longer than MAX_KEY is cut, and ends in a hash of the whole key.
    """
    key = "/".join(quote(part, safe=":._-+,;=@()") for part in parts)
    if len(key) <= MAX_KEY:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{key[: MAX_KEY - len(digest) - 1]}~{digest}"


def dossier_id(at: datetime, *parts: str) -> UUID:
    """Derive the id of a dossier submitted at `at`: a UUIDv7 (RFC 9562, section 5.7) with a hash of `parts`."""
    digest = int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:10], "big")
    millis = int(at.timestamp() * 1000) & (1 << 48) - 1
    return UUID(int=millis << 80 | 0x7 << 76 | (digest >> 66 & 0xFFF) << 64 | 0b10 << 62 | digest & (1 << 62) - 1)
