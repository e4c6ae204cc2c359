"""The limit of parked dossiers: a bad record parks one dossier, a bad release parks one dossier after another."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from shared.messaging.partition import StopConsumingError

PARKED_DOSSIERS_LIMIT = 20
"""More distinct newly parked dossiers than this per PARKED_WINDOW records stop the consumer."""
PARKED_WINDOW = 1000


class ParkedLimit:
    """Counts the distinct dossiers that one consumer parked within its last PARKED_WINDOW records."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, Sequence[Any]]] = deque()
        self._records = 0

    def count(self, records: int, parked: Sequence[Any]) -> None:
        """Add one transaction: the number of its records, and in `parked` one key for each newly parked record.

        Raises StopConsumingError if more than PARKED_DOSSIERS_LIMIT distinct keys were parked within the window.
        """
        self._recent.append((records, parked))
        self._records += records
        while self._records > PARKED_WINDOW and len(self._recent) > 1:
            self._records -= self._recent.popleft()[0]
        if not parked:
            return
        dossiers = {key for _, keys in self._recent for key in keys}
        if len(dossiers) > PARKED_DOSSIERS_LIMIT:
            raise StopConsumingError(
                f"{len(dossiers)} dossiers were parked within {PARKED_WINDOW} records, so this release or its "
                "configuration is probably faulty. List them with `motcua parked list`, correct the fault, start the "
                "service again, then replay them."
            )
