"""Sessions of the page, in the memory of this process: a restart signs everyone out."""

import secrets
import time
from collections.abc import Callable

LIFETIME_SECONDS = 12 * 3600.0
MAX_SESSIONS = 200
"""Open sessions at one time; one more ends the oldest."""


class Sessions:
    """Random session ids, each with the API key that opened the session.

    The caller checks the key again at each request, so a removed key also ends its sessions.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._open: dict[str, tuple[str, float]] = {}

    def create(self, key: str) -> str:
        """Open a session and return its id, which is a secret."""
        while len(self._open) >= MAX_SESSIONS:
            del self._open[next(iter(self._open))]
        session_id = secrets.token_urlsafe(32)
        self._open[session_id] = (key, self._monotonic() + LIFETIME_SECONDS)
        return session_id

    def key(self, session_id: str | None) -> str | None:
        """Return the API key of an open session; None for an expired or unknown id."""
        key, until = self._open.get(session_id or "", ("", 0.0))
        if self._monotonic() < until:
            return key
        self.end(session_id)
        return None

    def end(self, session_id: str | None) -> None:
        """End a session; an unknown id changes nothing."""
        self._open.pop(session_id or "", None)
