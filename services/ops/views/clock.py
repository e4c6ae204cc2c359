"""The centre time that ops uses as the present for the views."""

from datetime import datetime

from services.ops.views.store import ViewStore
from shared.kernel.clock import ClockKind
from shared.runtime.clock import machine_now


class ViewClock:
    """Centre time as ops knows it. ops cannot read the simulated clock of the services, and derives it from events."""

    def __init__(self, store: ViewStore, kind: ClockKind) -> None:
        self._store = store
        self._kind = kind

    def now(self) -> datetime:
        """Return machine time if the centre has a system clock, else the start of the latest window with an event.

        With a simulated clock and no event yet, it is machine time too.
        """
        return (self._store.latest if self._kind == "simulated" else None) or machine_now()
