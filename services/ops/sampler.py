"""One look after the other at what waits, for everybody who wants to see it."""

import asyncio
from collections import deque

import structlog

from services.ops.report import LagReport, lag_report
from services.ops.views import Views
from services.ops.watching import Reading, Watcher
from services.ops.worker import GROUP
from shared.kernel.errors import StartError

log = structlog.get_logger()

LOOK_SECONDS = 2.0
IDLE_SECONDS = 10.0
"""Between two looks while nobody watches."""
_READINGS = 6


class Sampler:
    """Looks until cancelled and keeps the last readings; wakes whoever waits for the next."""

    def __init__(self, watcher: Watcher, views: Views) -> None:
        self._watcher = watcher
        self._views = views
        self._readings: deque[Reading] = deque(maxlen=_READINGS)
        self._looked = asyncio.Condition()
        self._watched = asyncio.Event()
        self._viewers = 0
        self.ended = False
        self.looks = 0
        self.reason: str | None = "nothing has been read yet"

    def reason_not_ready(self) -> str | None:
        """None while the database and Kafka tell what waits."""
        return self.reason

    def report(self) -> LagReport | None:
        """What the last readings say; None before the first."""
        return lag_report(list(self._readings)) if self._readings else None

    async def run(self) -> None:
        """Look, and look again: more often while somebody watches."""
        try:
            while True:
                await self._look()
                try:
                    await asyncio.wait_for(self._watched.wait(), IDLE_SECONDS - LOOK_SECONDS)
                except TimeoutError:
                    log.debug("nobody_watches")
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            self.ended = True
            async with self._looked:
                self._looked.notify_all()
            await self._watcher.close()

    async def next(self) -> None:
        """Wait for the next look, or for the end: then `ended` is true. Whoever waits here makes looks frequent."""
        self._viewers += 1
        self._watched.set()
        try:
            async with self._looked:
                if not self.ended:
                    await self._looked.wait()
        finally:
            self._viewers -= 1
            if not self._viewers:
                self._watched.clear()

    async def _look(self) -> None:
        own = {(GROUP, *place): position for place, position in self._views.positions().items()}
        try:
            reading = await self._watcher.look(also=own)
        except StartError as error:
            self.reason = str(error)
            log.warning("lag_unread", error=str(error))
        else:
            self._readings.append(reading)
            self.reason = reading.broker_silent
        self.looks += 1
        async with self._looked:
            self._looked.notify_all()
