"""The one reader of the wall clock.

Two clocks stand apart: centre time (facts, codes, thresholds, message expiry) and machine time (leases, retries,
time-outs, lag, validity of keys). Durations inside one process are measured with `time.monotonic`.
"""

from datetime import UTC, datetime

from shared.kernel.clock import Clock


class SystemClock(Clock):
    """Centre time of a real centre: the machine's."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


def machine_now() -> datetime:
    """Machine time, aware, in UTC; the same on a centre whose own time is set."""
    return datetime.now(UTC)
