"""Supervision: if a part ends, the process ends."""

import asyncio

import pytest

from shared.runtime.supervision import PartEndedError, Signal, supervise


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def test_stop_ends_all_parts_in_reverse_order() -> None:
    """Parts are cancelled in reverse order, since later ones may depend on earlier ones."""
    ended: list[str] = []
    stop = asyncio.Event()

    def part(name: str):  # type: ignore[no-untyped-def]
        async def run() -> None:
            try:
                await _for_ever()
            finally:
                ended.append(name)

        return run

    async def stopper() -> None:
        stop.set()
        await _for_ever()

    await supervise({"pool": part("pool"), "consumer": part("consumer"), "stopper": stopper}, stop=stop)
    assert ended == ["consumer", "pool"]


async def test_failed_part_ends_the_process_with_its_reason() -> None:
    """A failing part stops all others, and its error is the reason."""
    cancelled = asyncio.Event()

    async def failing() -> None:
        raise OSError("no broker")

    async def other() -> None:
        try:
            await _for_ever()
        finally:
            cancelled.set()

    with pytest.raises(PartEndedError, match="consumer ended: OSError: no broker") as caught:
        await supervise({"relay": other, "consumer": failing}, stop=asyncio.Event())
    assert isinstance(caught.value.__cause__, OSError)
    assert cancelled.is_set()


async def test_part_that_returns_ends_the_process() -> None:
    """A part that returns before the stop ends the process like a failing one."""

    async def returning() -> None:
        return

    with pytest.raises(PartEndedError, match="ticker ended: it returned"):
        await supervise({"ticker": returning, "relay": _for_ever}, stop=asyncio.Event())


async def test_part_that_ignores_cancellation_is_abandoned() -> None:
    """A stop takes at most the grace period per part."""
    stop = asyncio.Event()
    release = asyncio.Event()

    async def stubborn() -> None:
        stop.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    await supervise({"stubborn": stubborn}, stop=stop, grace_seconds=0.05)
    release.set()


async def test_outer_cancellation_ends_the_parts() -> None:
    """Cancelling the supervisor cancels every part."""
    ended = asyncio.Event()
    started = asyncio.Event()

    async def part() -> None:
        started.set()
        try:
            await _for_ever()
        finally:
            ended.set()

    task = asyncio.create_task(supervise({"part": part}, stop=asyncio.Event()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_signal_is_not_missed_before_waiting() -> None:
    """A future taken before a notification is done, even if no task waits for it yet; later ones are not."""
    signal = Signal()
    first, second = signal.next(), signal.next()
    signal.notify()
    assert first.done()
    assert second.done()
    assert not signal.next().done()
    signal.notify()
    signal.notify()
