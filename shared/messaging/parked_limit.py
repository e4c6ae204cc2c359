"""How much a consumer may park before it stops: a bad record parks one dossier, a bad release one after the other."""

from collections import deque
from collections.abc import Sequence
from typing import Any

from shared.messaging.partition import StopConsumingError

PARKED_DOSSIERS_LIMIT = 20
"""Distinct newly parked dossiers per PARKED_WINDOW records that stop the consumer: a bad release, not bad records."""
PARKED_WINDOW = 1000


class ParkedLimit:
    """The dossiers that one consumer parked within its last PARKED_WINDOW records."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, Sequence[Any]]] = deque()
        self._records = 0

    def seen(self, records: int, parked: Sequence[Any]) -> None:
        """Count a transaction: its records, and a key for each dossier newly parked. Raises StopConsumingError where
        that is one dossier too many."""
        self._recent.append((records, parked))
        self._records += records
        while self._records > PARKED_WINDOW and len(self._recent) > 1:
            self._records -= self._recent.popleft()[0]
        if not parked:
            return
        dossiers = {key for _, keys in self._recent for key in keys}
        if len(dossiers) > PARKED_DOSSIERS_LIMIT:
            raise StopConsumingError(
                f"{len(dossiers)} dossiers were parked within {PARKED_WINDOW} records: this looks like a fault of this "
                "release or its configuration. See `motcua parked list`; mend, start again, then replay them"
            )
