"""Readiness as progress: each part of the process reports whether it makes progress, or why it does not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Check = Callable[[], str | None]
"""None while the part makes progress, otherwise the reason. Must not block."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer of `/readyz`: for each part that makes no progress, its name and the reason."""

    reasons: Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Whether every part makes progress."""
        return not self.reasons


class Health:
    """The readiness checks of one process.

    An `expected` part is not ready, with the reason "starting", until it registers its check.
    """

    def __init__(self, *expected: str) -> None:
        self._checks: dict[str, Check] = dict.fromkeys(expected, lambda: "starting")

    def register(self, name: str, check: Check) -> None:
        """Add the check of the part `name`, replacing its previous check."""
        self._checks[name] = check

    def readiness(self) -> Readiness:
        """Call every check and return the reasons found. Never raises: a check that raises counts as a reason."""
        reasons: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                reason = check()
            except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
                reason = f"the check failed: {type(error).__name__}"
            if reason is not None:
                reasons[name] = reason
        return Readiness(reasons)
