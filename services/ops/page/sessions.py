"""Sessions of the page, in the memory of this process: a restart signs everyone out."""

import secrets
import time
from collections.abc import Callable

LIFETIME_SECONDS = 12 * 3600.0
MAX_SESSIONS = 200
"""Open sessions at one time; one more ends the oldest."""


class Sessions:
    """The open sessions of the page: each random session id with the API key that opened the session.

    A session ends after LIFETIME_SECONDS. This class does not check keys: the caller checks the key again at each
    request, so a key that was removed gives no access any more.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._open: dict[str, tuple[str, float]] = {}

    def create(self, key: str) -> str:
        """Open a session for an API key and return its id, which is a secret. Ends the oldest if there are too many."""
        while len(self._open) >= MAX_SESSIONS:
            del self._open[next(iter(self._open))]
        session_id = secrets.token_urlsafe(32)
        self._open[session_id] = (key, self._monotonic() + LIFETIME_SECONDS)
        return session_id

    def key(self, session_id: str | None) -> str | None:
        """Return the API key that opened the session; None if the session has expired or is unknown."""
        key, until = self._open.get(session_id or "", ("", 0.0))
        if self._monotonic() < until:
            return key
        self.end(session_id)
        return None

    def end(self, session_id: str | None) -> None:
        """End a session; an unknown id changes nothing."""
        self._open.pop(session_id or "", None)
