"""The periodic worker: every loop of a service that reads or writes its database at intervals."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from shared.postgres.errors import CONNECTION_ERRORS, is_transient

log = structlog.get_logger(__name__)


async def repeat(step: Callable[[], Awaitable[float]], *, failed: str, retry_seconds: float) -> None:
    """Run `step` again and again until cancelled. Each `step` returns the seconds to wait before the next one.

    After a transient database error, `failed` is logged and `step` runs again after `retry_seconds`. Any other error is
    raised, and ends the process if this is one of its parts.
    """
    while True:
        try:
            pause = await step()
        except CONNECTION_ERRORS as error:
            if not is_transient(error):
                raise
            log.warning(failed, error=f"{type(error).__name__}: {error}")
            pause = retry_seconds
        await asyncio.sleep(pause)
