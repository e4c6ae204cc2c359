"""Read samples of the lag periodically, once for the API and all viewers of the page."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

import structlog

from services.ops.lag.reader import LagReader, LagSample
from services.ops.lag.report import lag_report
from services.ops.lag.schemas import LagReport
from services.ops.lag.store import GroupPartition, StoredOffset
from shared.kernel.errors import StartError
from shared.postgres.periodic import Periodic

LAG_READ_FAILED = "lag_read_failed"

SAMPLE_SECONDS = 2.0
IDLE_SECONDS = 10.0
"""Interval without a viewer."""
_MAX_SAMPLES = 6

log = structlog.get_logger(__name__)


class Sampler:
    """Reads samples of the lag periodically and stores the last few in memory, from which the rates are calculated.

    `own_offsets` returns the offsets of ops itself, which are stored in Kafka instead of the database. `revision`
    counts the attempts to read a sample. `error` is why the last attempt failed in whole or in part; None if it did
    not fail.
    """

    def __init__(self, reader: LagReader, own_offsets: Callable[[], Mapping[GroupPartition, StoredOffset]]) -> None:
        self._reader = reader
        self._own_offsets = own_offsets
        self._samples: deque[LagSample] = deque(maxlen=_MAX_SAMPLES)
        self._sampled = asyncio.Condition()
        self._has_viewers = asyncio.Event()
        self._viewers = 0
        self.stopped = False
        self.revision = 0
        self.error: str | None = "No sample of the lag has been read yet."

    def reason_not_ready(self) -> str | None:
        """Return None if both the database and Kafka answered the last attempt, else what is wrong."""
        return self.error

    def report(self) -> LagReport | None:
        """Return the report of the stored samples; None before the first sample.

        After failed attempts the report is that of the last sample that was read.
        """
        return lag_report(list(self._samples)) if self._samples else None

    async def run(self) -> None:
        """Read samples until cancelled, every SAMPLE_SECONDS if the page has a viewer, otherwise every IDLE_SECONDS.

        At the end, `stopped` becomes true, waiting callers continue, and the connections are closed.
        """
        try:
            await Periodic(self._step, failed=LAG_READ_FAILED, retry_seconds=SAMPLE_SECONDS).run()
        finally:
            self.stopped = True
            async with self._sampled:
                self._sampled.notify_all()
            await self._reader.close()

    async def wait_for_next(self) -> None:
        """Wait until the next attempt to read a sample has ended, or until the sampler stops (`stopped` is then true).

        A waiting caller counts as a viewer.
        """
        self._viewers += 1
        self._has_viewers.set()
        try:
            async with self._sampled:
                if not self.stopped:
                    await self._sampled.wait()
        finally:
            self._viewers -= 1
            if not self._viewers:
                self._has_viewers.clear()

    async def _step(self) -> float:
        await self._sample()
        try:
            await asyncio.wait_for(self._has_viewers.wait(), IDLE_SECONDS - SAMPLE_SECONDS)
        except TimeoutError:
            log.debug("no_viewers")
        return SAMPLE_SECONDS

    async def _sample(self) -> None:
        try:
            sample = await self._reader.read(own_offsets=self._own_offsets())
        except StartError as error:
            self.error = str(error)
            log.warning(LAG_READ_FAILED, error=str(error))
        else:
            self._samples.append(sample)
            self.error = sample.kafka_error
        self.revision += 1
        async with self._sampled:
            self._sampled.notify_all()
