"""Centre time as a value that is handed in: domain code never reads a clock."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Centre time: facts, codes, thresholds, message expiry. Leases, retries and lag use machine time instead.

    What is written here holds for a centre that lives in the present; one whose time is set answers otherwise.
    """

    @property
    def is_set(self) -> bool:
        """Whether somebody sets this centre's time: then it stands still, and jumps."""
        return False

    def now(self) -> datetime:
        """The present instant of the centre, aware, in UTC."""
        ...

    def accepts_until(self) -> datetime:
        """The latest instant at which an act may be said to have happened."""
        return self.now()

    def recorded_from(self) -> datetime:
        """The earliest instant at which what follows from facts, or falls due, can be recorded.

        A set centre's time jumps over the instants of a whole window; whatever belongs to them is recorded at its own.
        """
        return self.now()

    def at_due(self, due: datetime) -> datetime:
        """The instant by which work that fell due at `due` is judged and told: the present, since it is done only now.

        On a set centre `due` itself: how far the time jumped there says nothing about when it would have been done.
        """
        return self.now()
