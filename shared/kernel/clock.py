"""The interface of the centre's clock. Domain code never reads a clock; it gets centre time as a value."""

from datetime import datetime
from typing import Literal, Protocol

ClockKind = Literal["system", "simulated"]
"""A centre's clock follows the machine's time, or a test or replay advances it. The kind never changes."""


class Clock(Protocol):
    """A source of centre time: the time of events, codes, thresholds and message expiry.

    Leases, retries and lag use machine time instead. The method bodies here are those of a system clock; a simulated
    clock overrides them.
    """

    @property
    def is_simulated(self) -> bool:
        """Whether the time only changes when a client advances it (`PUT /clock`)."""
        return False

    def now(self) -> datetime:
        """The current centre time, aware, in UTC."""
        ...

    def accepts_until(self) -> datetime:
        """The latest instant at which an act may have happened.

        A system clock returns its current time, a simulated clock what a client set last (`PUT /clock`).
        """
        return self.now()

    def recorded_from(self) -> datetime:
        """The earliest instant that an event or a passed threshold may get as its time of recording.

        A system clock returns its current time. A simulated clock returns its first instant: one advance passes many
        instants, and what happens at each of them is recorded with that instant.
        """
        return self.now()

    def at_due(self, due: datetime) -> datetime:
        """The centre time with which work that fell due at `due` is decided and recorded.

        A system clock returns its current time. A simulated clock returns `due`, because after an advance its current
        time may be long after the work fell due.
        """
        return self.now()
