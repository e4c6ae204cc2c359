"""The periodic worker: every loop of a service that reads or writes its database at intervals."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

from shared.kernel.errors import public_text
from shared.postgres.errors import is_transient
from shared.runtime import metrics

STALL_SECONDS = 30.0
"""A step that takes longer than this is reported as no progress."""

_FAILURES = metrics.counter("motcua_worker_failures_total", "Failed steps of periodic workers.", ("failure",))

log = structlog.get_logger(__name__)


class Worker(Protocol):
    """A part of a process that works by itself and reports its progress."""

    async def run(self) -> None:
        """Work until cancelled."""

    def reason_not_ready(self) -> str | None:
        """Return why the worker makes no progress; None if it does. Must not block."""

    def figures(self) -> dict[str, Any]:
        """Return what /progress shows of the worker. Must not block."""


class Periodic:
    """Repeats `step`, which returns the seconds to wait before the next one, and reports its progress.

    After any error of a step, `failed` is logged and `step` runs again after `retry_seconds`: a failing worker is an
    alarm and does not end the process, whose other parts continue.
    """

    def __init__(self, step: Callable[[], Awaitable[float]], *, failed: str, retry_seconds: float) -> None:
        self._step = step
        self._failed = failed
        self._retry_seconds = retry_seconds
        self._next_at = self._stepped_at = time.monotonic()
        self._failure: str | None = None

    async def run(self) -> None:
        """Repeat the step until cancelled."""
        while True:
            try:
                pause = await self._step()
            except Exception as error:  # noqa: BLE001 - the loop continues, and /progress reports the failure
                pause = self._retry_seconds
                self._record(error)
            else:
                self._failure = None
                self.beat()
                self._next_at += pause
            await asyncio.sleep(pause)

    def beat(self) -> None:
        """Record progress within a step of many transactions."""
        self._next_at = self._stepped_at = time.monotonic()

    def reason_not_ready(self) -> str | None:
        """Return why the worker makes no progress; None if it does."""
        if self._failure is not None:
            return f"every step fails: {self._failure}"
        late = time.monotonic() - self._next_at
        return f"no step for {late:.0f} s" if late > STALL_SECONDS else None

    def figures(self) -> dict[str, Any]:
        """Return the seconds since the last step ended."""
        return {"seconds_since_step": round(time.monotonic() - self._stepped_at, 1)}

    def _record(self, error: Exception) -> None:
        _FAILURES.labels(self._failed).inc()
        if is_transient(error):
            log.warning(self._failed, error=f"{type(error).__name__}: {error}")
        else:
            self._failure = public_text(error)
            log.error(self._failed, error=type(error).__name__, exc_info=error)
