"""The only module that reads the machine's clock.

Centre time (events, codes, thresholds, message expiry) and machine time (leases, retries, time-outs, lag, validity of
keys) are separate. Durations inside one process are measured with `time.monotonic`.
"""

from datetime import UTC, datetime

from shared.kernel.clock import Clock


class SystemClock(Clock):
    """Centre time that follows the machine's clock."""

    def now(self) -> datetime:
        """The machine's present time, as an aware datetime in UTC."""
        return datetime.now(UTC)


def machine_now() -> datetime:
    """The machine's present time, as an aware datetime in UTC, even if the centre has a simulated clock."""
    return datetime.now(UTC)
