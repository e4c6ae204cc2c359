"""Centre time is passed in as a value: domain code never reads a clock."""

from datetime import datetime
from typing import Literal, Protocol

ClockKind = Literal["system", "simulated"]
"""A centre's clock follows the machine's time, or a test or replay advances it. The kind never changes."""


class Clock(Protocol):
    """Centre time: events, codes, thresholds, message expiry. Leases, retries and lag use machine time instead.

    The default answers are those of a system clock; a simulated clock overrides them.
    """

    @property
    def is_simulated(self) -> bool:
        """Whether the time only changes when a client advances it (`PUT /clock`)."""
        return False

    def now(self) -> datetime:
        """The present instant of the centre, aware, in UTC."""
        ...

    def accepts_until(self) -> datetime:
        """The latest instant at which an act may have happened."""
        return self.now()

    def recorded_from(self) -> datetime:
        """The earliest instant at which an event or a threshold can be recorded.

        A simulated clock jumps over the instants of a whole window, so each is recorded at its own instant.
        """
        return self.now()

    def at_due(self, due: datetime) -> datetime:
        """The instant at which work that fell due at `due` is decided and recorded: the present instant.

        With a simulated clock it is `due` itself: the length of a jump does not show when the work would be done.
        """
        return self.now()
