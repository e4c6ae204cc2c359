"""What waits in the database of a service: events that Kafka has not acknowledged, and rows that are set aside."""

import time
from typing import Any

import asyncpg
import structlog

from shared.messaging.relay import Relay
from shared.postgres.outbox import read_oldest_age
from shared.postgres.periodic import Periodic, Worker
from shared.postgres.set_aside import count_by_worker
from shared.runtime import metrics

BACKLOG_NOT_READ = "backlog_not_read"
ROWS_SET_ASIDE = "rows_set_aside"

_READ_SECONDS = 5.0
_RELAY_STALL_SECONDS = 60.0
"""An event that is older has not been sent, whichever replica has the relay's lock."""

_OLDEST = metrics.gauge("motcua_relay_oldest_row_seconds", "Age of the oldest event in the outbox, as last read.")
_SET_ASIDE = metrics.gauge("motcua_worker_set_aside_rows", "Rows that workers skip, as last counted.", ("worker",))
_ALARM_SECONDS = 60.0

log = structlog.get_logger(__name__)


class Backlog:
    """Reads the backlog periodically, reports the progress of the relay by it, and logs rows that are set aside."""

    def __init__(self, pool: asyncpg.Pool, relay: Relay) -> None:
        self._pool = pool
        self._relay = relay
        self._oldest_seconds = 0.0
        self._set_aside: dict[str, int] = {}
        self._alarm_at = 0.0
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

    def worker_figures(self, name: str, worker: Worker) -> dict[str, Any]:
        """Return the figures of a worker, with the number of rows that it has set aside."""
        return {**worker.figures(), "rows_set_aside": self._set_aside.get(name, 0)}

    async def _step(self) -> float:
        self._oldest_seconds = await read_oldest_age(self._pool)
        _OLDEST.set(self._oldest_seconds)
        counts = await count_by_worker(self._pool)
        for worker in self._set_aside.keys() | counts:
            _SET_ASIDE.labels(worker).set(counts.get(worker, 0))
        self._set_aside = counts
        if counts and time.monotonic() >= self._alarm_at:
            self._alarm_at = time.monotonic() + _ALARM_SECONDS
            log.error(ROWS_SET_ASIDE, rows=counts)
        return _READ_SECONDS
