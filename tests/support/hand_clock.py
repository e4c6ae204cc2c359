"""A centre's clock that a test sets, for a service that runs in the test's own process."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.kernel.clock import Clock

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def at(local: str) -> datetime:
    """The instant of a local time in Vietnam such as `2017-11-06 07:00`."""
    return datetime.fromisoformat(local).replace(tzinfo=ZONE).astimezone(UTC)


class HandClock(Clock):
    """A clock that only a test advances."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def set(self, local: str) -> None:
        """Set the clock to that local time."""
        self._now = at(local)

    def tick(self) -> None:
        """Advance the clock by a second."""
        self._now += timedelta(seconds=1)
