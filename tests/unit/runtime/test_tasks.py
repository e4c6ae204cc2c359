"""No part of a process dies in silence."""

import asyncio

import pytest

from shared.runtime.supervision import PartEndedError, Signal, supervise


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def test_stop_ends_all_parts_in_reverse_order() -> None:
    """What was started last may lean on what was started first."""
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
    """A consumer that died must not leave a process that looks alive."""
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


async def test_part_that_returns_counts_as_dead() -> None:
    """A loop that ends without being asked has stopped its work as surely as one that failed."""

    async def returning() -> None:
        return

    with pytest.raises(PartEndedError, match="ticker ended: it returned"):
        await supervise({"ticker": returning, "relay": _for_ever}, stop=asyncio.Event())


async def test_part_that_ignores_cancellation_does_not_hold_the_stop() -> None:
    """An orderly stop is bounded."""
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
    """Whoever cancels the supervisor leaves nothing running."""
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


async def test_a_signal_is_not_missed_between_taking_and_waiting() -> None:
    """Everybody who took the next time is told, also of what happened before they waited; later ones wait anew."""
    signal = Signal()
    first, second = signal.next(), signal.next()
    signal.notify()
    assert first.done()
    assert second.done()
    assert not signal.next().done()
    signal.notify()
    signal.notify()
