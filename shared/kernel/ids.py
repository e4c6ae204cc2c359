"""Identifiers: UUIDv7 for dossiers, derived ids for facts."""

import secrets
from datetime import datetime
from uuid import UUID, uuid5

_FACTS = UUID("6d6f7463-7561-5000-8000-000000000001")


def uuid7(at: datetime) -> UUID:
    """A new time-ordered id (RFC 9562, section 5.7) for the aware instant `at`; milliseconds, then 74 random bits."""
    millis = int(at.timestamp() * 1000)
    value = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


def derived_id(cause: str, event_type: str, place: int) -> UUID:
    """The id of a fact: the same cause, type and place among that cause's facts always give the same id.

    So a cause that is decided again (after a restore) gives facts that readers recognise.
    """
    return uuid5(_FACTS, f"{cause}|{event_type}|{place}")
