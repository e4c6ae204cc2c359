"""Long-running parts of a process, watched together: none dies in silence."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping

import structlog

from shared.kernel.errors import MotcuaError

Part = Callable[[], Awaitable[None]]
"""Runs until it is cancelled. It may end by itself only after the stop was asked for."""

_log = structlog.get_logger(__name__)


class PartEndedError(MotcuaError):
    """A part of the process that must run for ever ended, so the process ends, too."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part} ended: {reason}")
        self.part = part
        self.reason = reason


class Signal:
    """Something that happens again and again, for whoever waits for its next time."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def next(self) -> "asyncio.Future[None]":
        """Done when it happens next. Take it before looking around, so that nothing is missed between the two."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        return self._next

    def tell(self) -> None:
        """It has happened."""
        if self._next is not None:
            self._next.set_result(None)
            self._next = None


async def supervise(parts: Mapping[str, Part], *, stop: asyncio.Event, grace_seconds: float = 10.0) -> None:
    """Run every part until `stop` is set; then cancel them in reverse order, one after the other, and return.

    A part that ends or fails before that stops all others in the same way and raises PartEndedError with its reason.
    A part that does not heed its cancellation within `grace_seconds` is left behind with a log line.
    """
    tasks = {name: asyncio.ensure_future(part()) for name, part in parts.items()}
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*tasks.values(), stopping], return_when=asyncio.FIRST_COMPLETED)
        ended = [] if stop.is_set() else [name for name, task in tasks.items() if task.done()]
        reasons = {name: _reason(tasks[name]) for name in ended}
    finally:
        stopping.cancel()
        stop.set()
        for name in reversed(tasks):
            await _end(name, tasks[name], grace_seconds)
    if ended:
        first = ended[0]
        cause = None if tasks[first].cancelled() else tasks[first].exception()
        raise PartEndedError(first, reasons[first]) from cause


def _reason(task: asyncio.Future[None]) -> str:
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return "it returned" if error is None else f"{type(error).__name__}: {error}"


async def _end(name: str, task: asyncio.Future[None], grace_seconds: float) -> None:
    if task.done():
        if not task.cancelled() and task.exception() is not None:
            _log.error("part_failed", part=name, exc_info=task.exception())
        return
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=grace_seconds)
    if not done:
        _log.error("part_does_not_stop", part=name, grace_seconds=grace_seconds)
    elif not task.cancelled() and task.exception() is not None:
        _log.error("part_failed_while_stopping", part=name, exc_info=task.exception())


@contextlib.contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """While inside, SIGTERM and SIGINT set `stop` instead of killing the process."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
