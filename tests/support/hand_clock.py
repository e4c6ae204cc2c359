"""A centre's clock that a test sets, for a service that runs in the test's own process."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.kernel.clock import Clock

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def at(local: str) -> datetime:
    """An instant from local time in Vietnam, `2017-11-06 07:00`."""
    return datetime.fromisoformat(local).replace(tzinfo=ZONE).astimezone(UTC)


class HandClock(Clock):
    """Centre time that the test sets."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def set(self, local: str) -> None:
        """To that local time."""
        self._now = at(local)

    def tick(self) -> None:
        """A second passes."""
        self._now += timedelta(seconds=1)
