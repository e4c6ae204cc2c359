"""Readiness as progress: each part says by itself whether it gets on, and if not, why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Check = Callable[[], str | None]
"""None while the part gets on; otherwise a sentence that says why not. Must not block."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What `/readyz` answers: ready only if no part has a reason against it."""

    reasons: Mapping[str, str]

    @property
    def ready(self) -> bool:
        return not self.reasons


class Health:
    """The checks of one process. A part that is named and not yet registered counts as starting."""

    def __init__(self, *expected: str) -> None:
        self._checks: dict[str, Check] = dict.fromkeys(expected, lambda: "starting")

    def register(self, name: str, check: Check) -> None:
        """Let `check` speak for the part `name` from now on."""
        self._checks[name] = check

    def readiness(self) -> Readiness:
        """Ask every part. A check that itself fails is a reason, never an exception."""
        reasons: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                reason = check()
            except Exception as error:  # noqa: BLE001 - one broken check must not hide what the others say
                reason = f"its check failed: {type(error).__name__}"
            if reason is not None:
                reasons[name] = reason
        return Readiness(reasons)
