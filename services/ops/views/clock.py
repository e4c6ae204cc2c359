"""The present instant of the views."""

from datetime import datetime

from services.ops.views.store import ViewStore
from shared.kernel.clock import ClockKind
from shared.runtime.clock import machine_now


class ViewClock:
    """Centre time as far as ops knows it, which has no access to a service's simulated clock."""

    def __init__(self, store: ViewStore, kind: ClockKind) -> None:
        self._store = store
        self._kind = kind

    def now(self) -> datetime:
        """Return machine time with a system clock, the start of the latest window with a simulated clock.

        Before the first event, a simulated clock also follows machine time.
        """
        return (self._store.latest if self._kind == "simulated" else None) or machine_now()
