"""What waits in the database of a service: the age of the oldest event that Kafka has not acknowledged."""

from typing import Any

import asyncpg

from shared.messaging.relay import Relay
from shared.postgres.outbox import read_oldest_age
from shared.postgres.periodic import Periodic
from shared.runtime import metrics

BACKLOG_NOT_READ = "backlog_not_read"

_READ_SECONDS = 5.0
_RELAY_STALL_SECONDS = 60.0
"""An event that is older has not been sent, whichever replica has the relay's lock."""

_OLDEST = metrics.gauge("motcua_relay_oldest_row_seconds", "Age of the oldest event in the outbox, as last read.")


class Backlog:
    """Reads the backlog periodically, and reports the progress of the relay by it."""

    def __init__(self, pool: asyncpg.Pool, relay: Relay) -> None:
        self._pool = pool
        self._relay = relay
        self._oldest_seconds = 0.0
        self.worker = Periodic(self._step, failed=BACKLOG_NOT_READ, retry_seconds=_READ_SECONDS)

    def relay_reason(self) -> str | None:
        """Return why events do not reach Kafka; None if they do, through this replica's relay or another one's."""
        if reason := self._relay.reason_not_ready():
            return reason
        if self._oldest_seconds > _RELAY_STALL_SECONDS:
            return f"the oldest event has been in the outbox for {self._oldest_seconds:.0f} s"
        return None

    def relay_figures(self) -> dict[str, Any]:
        """Return the age of the oldest event in the outbox, in seconds; 0 for an empty outbox."""
        return {"oldest_outbox_seconds": round(self._oldest_seconds, 1)}

    async def _step(self) -> float:
        self._oldest_seconds = await read_oldest_age(self._pool)
        _OLDEST.set(self._oldest_seconds)
        return _READ_SECONDS
