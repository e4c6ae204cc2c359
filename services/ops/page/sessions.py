"""Who is signed in at the page: kept in this process's memory alone, so a restart signs everybody out."""

import secrets
import time
from collections.abc import Callable

LIFE_SECONDS = 12 * 3600.0
_MOST = 200
"""Signed in at once; the oldest is signed out for one more."""


class Sessions:
    """Random names of sessions, each with the API key that opened it: whether the key is still valid is asked anew at
    every request, so a removed key ends its sessions, too."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._open: dict[str, tuple[str, float]] = {}

    def begin(self, key: str) -> str:
        """A new session's name, which is its secret."""
        while len(self._open) >= _MOST:
            del self._open[next(iter(self._open))]
        name = secrets.token_urlsafe(32)
        self._open[name] = (key, self._monotonic() + LIFE_SECONDS)
        return name

    def key(self, name: str | None) -> str | None:
        """The API key of an open session; None for one that is over or never was."""
        key, until = self._open.get(name or "", ("", 0.0))
        if self._monotonic() < until:
            return key
        self.end(name)
        return None

    def end(self, name: str | None) -> None:
        """Sign out; nothing for a session that is over."""
        self._open.pop(name or "", None)
