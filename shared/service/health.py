"""The two questions about a process: may requests come (`/readyz`), and does every part advance (`/progress`)?"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

Check = Callable[[], str | None]
"""None while the part makes progress, otherwise the reason. Must not block."""

AsyncCheck = Callable[[], Awaitable[str | None]]
"""None while requests can be answered, otherwise the reason. Returns within seconds."""

Figures = Callable[[], Mapping[str, Any]]
"""What a part reports besides its reason, as JSON values. Must not block."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer of `/readyz`: what prevents the process from answering requests, with the reasons."""

    reasons: Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Whether requests may come."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Progress:
    """The answer of `/progress`: for each part `ok`, its `reason` if it is not, and its figures."""

    parts: Mapping[str, Mapping[str, Any]]

    @property
    def advancing(self) -> bool:
        """Whether every part makes progress."""
        return all(part["ok"] for part in self.parts.values())


class Health:
    """The checks of one process.

    `required` checks decide about readiness, `registered` parts about progress. An `expected` part does not make
    progress, with the reason "starting", until it is registered.
    """

    def __init__(self, *expected: str) -> None:
        self._required: dict[str, AsyncCheck] = {}
        self._parts: dict[str, tuple[Check, Figures]] = dict.fromkeys(expected, (lambda: "starting", dict))

    def require(self, name: str, check: AsyncCheck) -> None:
        """Add a condition for answering requests, replacing a previous one of this name."""
        self._required[name] = check

    def register(self, name: str, check: Check, figures: Figures = dict) -> None:
        """Add the part `name` with its check and figures, replacing the previous ones."""
        self._parts[name] = (check, figures)

    async def readiness(self) -> Readiness:
        """Call every required check and return the reasons found. Never raises: a check that raises is a reason."""
        reasons: dict[str, str] = {}
        for name, check in self._required.items():
            try:
                reason = await check()
            except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
                reason = _broken(error)
            if reason is not None:
                reasons[name] = reason
        return Readiness(reasons)

    def progress(self) -> Progress:
        """Call the check and the figures of every part. Never raises: a check that raises is a reason."""
        parts: dict[str, Mapping[str, Any]] = {}
        for name, (check, figures) in self._parts.items():
            try:
                reason, found = check(), figures()
            except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
                reason, found = _broken(error), {}
            parts[name] = {"ok": True, **found} if reason is None else {"ok": False, "reason": reason, **found}
        return Progress(parts)


def _broken(error: Exception) -> str:
    return f"the check failed: {type(error).__name__}"
