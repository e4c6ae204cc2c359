"""Wait until a condition is true. No other place in the tests sleeps."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast, overload

T = TypeVar("T")


@overload
async def eventually(check: Callable[[], Awaitable[T]], *, within: float, every: float = 0.05) -> T: ...
@overload
async def eventually(check: Callable[[], T], *, within: float, every: float = 0.05) -> T: ...
async def eventually(check: Callable[[], T | Awaitable[T]], *, within: float, every: float = 0.05) -> T:
    """Call `check` (plain or async) until its result is true, and return the result.

    An AssertionError in `check` counts as false. After `within` seconds the test fails with the last AssertionError or
    the last result.
    """
    deadline = time.monotonic() + within
    while True:
        try:
            answer = check()
            value = cast(T, await answer if inspect.isawaitable(answer) else answer)
            if value:
                return value
            failure = AssertionError(f"not true within {within} s; last result: {value!r}")
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise failure
        await asyncio.sleep(every)


def eventually_sync(check: Callable[[], T], *, within: float, every: float = 0.05) -> T:
    """`eventually` for a test without an event loop. Blocks."""
    deadline = time.monotonic() + within
    while not (value := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {within} s; last result: {value!r}")
        time.sleep(every)
    return value
