"""Expected clocks: derived from the drawn acts by sla's pure rules, to compare with what the services stored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from motcua.lab.past_acts import PastAct
from services.intake.dossiers.registry import ACT_OF_EVENT
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.clock import ChangeKind, ClockChange, Ground, derive_by_catalogue
from services.sla.rebuild import CLOCK_CHANGES
from shared.kernel.centre import Centre

_CLOCK: Mapping[str, tuple[ChangeKind, Ground | None]] = {
    ACT_OF_EVENT[event].name: what for event, what in CLOCK_CHANGES.items()
}


@dataclass(frozen=True, slots=True)
class ClockStatus:
    """A dossier's clock: running, paused or ended, the due date if there is one, and the outcome if it has ended."""

    state: str
    due_at: datetime | None
    outcome: str | None

    def __str__(self) -> str:
        due = f"due {self.due_at.isoformat()}" if self.due_at else "no due date"
        return f"{self.state}, {due}" + (f", {self.outcome}" if self.outcome else "")


class ExpectedClocks:
    """Collects drawn acts, in time order, and derives the clock of each received dossier from them."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._calendar = compile_calendar(centre.calendar)
        self._procedures: dict[UUID, str] = {}
        self._changes: dict[UUID, list[ClockChange]] = {}

    def add(self, act: PastAct) -> None:
        """Add a drawn act. Acts that do not affect a clock, or come before the dossier's receipt, are ignored."""
        if act.act == "submit":
            self._procedures[act.dossier_id] = act.data["procedure"]
        if act.receives:
            self._changes[act.dossier_id] = [ClockChange("received", act.occurred_at, act.occurred_at)]
        elif act.act in _CLOCK and act.dossier_id in self._changes:
            what, ground = _CLOCK[act.act]
            self._changes[act.dossier_id].append(ClockChange(what, act.occurred_at, act.occurred_at, ground))

    def statuses(self) -> Iterator[tuple[UUID, ClockStatus]]:
        """Derive and yield the id and the clock of each received dossier. Raises ClockError for contradictory acts."""
        for dossier_id, changes in self._changes.items():
            found = derive_by_catalogue(self._procedures[dossier_id], changes, self._centre, self._calendar)
            yield dossier_id, ClockStatus(found.state, found.due_at, found.outcome)
