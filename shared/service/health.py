"""Readiness as progress: each part of the process reports whether it makes progress, and if not, why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Check = Callable[[], str | None]
"""None while the part makes progress, otherwise the reason. Must not block."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The answer of `/readyz`: ready if no part gives a reason against it."""

    reasons: Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Whether every part makes progress."""
        return not self.reasons


class Health:
    """The checks of one process. An expected part counts as starting until it registers its check."""

    def __init__(self, *expected: str) -> None:
        self._checks: dict[str, Check] = dict.fromkeys(expected, lambda: "starting")

    def register(self, name: str, check: Check) -> None:
        """Set the check of the part `name`."""
        self._checks[name] = check

    def readiness(self) -> Readiness:
        """Run every check. A check that fails itself is a reason, never an exception."""
        reasons: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                reason = check()
            except Exception as error:  # noqa: BLE001 - one broken check must not hide the others
                reason = f"the check failed: {type(error).__name__}"
            if reason is not None:
                reasons[name] = reason
        return Readiness(reasons)
