"""The limit of parked dossiers: a bad record parks one dossier, but a bad release parks one after another."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from shared.messaging.partition import StopConsumingError

PARKED_DOSSIERS_LIMIT = 20
"""More distinct newly parked dossiers than this per PARKED_WINDOW records stop the consumer."""
PARKED_WINDOW = 1000


class ParkedLimit:
    """The dossiers that one consumer parked within its last PARKED_WINDOW records."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, Sequence[Any]]] = deque()
        self._records = 0

    def count(self, records: int, parked: Sequence[Any]) -> None:
        """Count a transaction: the number of its records, and one key for each newly parked dossier.

        Raises StopConsumingError above the limit.
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
