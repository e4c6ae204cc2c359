"""Supervision of the long-running parts of a process: if one part ends, all are stopped and the process ends."""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping

import structlog

from shared.kernel.errors import MotcuaError

Part = Callable[[], Awaitable[None]]
"""A long-running part of a process. It runs until cancelled, and may return only after a stop was requested."""

PART_FAILED = "part_failed"
PART_FAILED_WHILE_STOPPING = "part_failed_while_stopping"
PART_DOES_NOT_STOP = "part_does_not_stop"

_log = structlog.get_logger(__name__)


class PartEndedError(MotcuaError):
    """The part `part` returned or failed before a stop was requested, so the process ends as well."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part} ended: {reason}")
        self.part = part
        self.reason = reason


class Signal:
    """A notification that can be repeated: any number of tasks of one event loop wait for the next `notify`."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def next(self) -> "asyncio.Future[None]":
        """Return a future that is done at the next `notify`; all callers until then share it.

        Call `next` before reading the state that the signal announces, or a change in between is missed. Wait with
        `asyncio.wait`, which does not cancel the shared future: `notify` raises if the future was cancelled.
        """
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        return self._next

    def notify(self) -> None:
        """Wake every task that awaits a future of `next`. Later calls of `next` return a new future."""
        if self._next is not None:
            self._next.set_result(None)
            self._next = None


async def supervise(parts: Mapping[str, Part], *, stop: asyncio.Event, grace_seconds: float = 10.0) -> None:
    """Run all parts concurrently until `stop` is set, then cancel them one by one, in reverse order, and return.

    If a part ends or fails before `stop` is set, `stop` is set, all others are cancelled in the same way, and
    PartEndedError is raised. A part that does not end within `grace_seconds` of its cancellation is logged and
    abandoned.
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
            _log.error(PART_FAILED, part=name, exc_info=task.exception())
        return
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=grace_seconds)
    if not done:
        _log.error(PART_DOES_NOT_STOP, part=name, grace_seconds=grace_seconds)
    elif not task.cancelled() and task.exception() is not None:
        _log.error(PART_FAILED_WHILE_STOPPING, part=name, exc_info=task.exception())


@contextlib.contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Context manager: within the block, SIGTERM and SIGINT set `stop` instead of ending the process."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
