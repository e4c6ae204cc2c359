"""Centre time as a value that is handed in: domain code never reads a clock."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Centre time: facts, codes, thresholds, message expiry. Leases, retries and lag use machine time instead."""

    def now(self) -> datetime:
        """The present instant of the centre, aware, in UTC."""
        ...
