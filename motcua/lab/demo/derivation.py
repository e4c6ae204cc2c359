"""What the drawn acts come to by the pure rules of the clock, without any service: the second opinion on due dates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from motcua.lab.past_acts import PastAct
from services.intake.dossiers.registry import ACT_OF_EVENT
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.clock import ClockChange, Ground, What, derive_by_catalogue
from services.sla.replay import CLOCK_CHANGES
from shared.kernel.centre import Centre

_CLOCK: Mapping[str, tuple[What, Ground | None]] = {
    ACT_OF_EVENT[event].name: what for event, what in CLOCK_CHANGES.items()
}


@dataclass(frozen=True, slots=True)
class Promise:
    """How a dossier's clock stands: running, paused or ended; by when, if a date is due; and what became of it."""

    state: str
    due_at: datetime | None
    outcome: str | None

    def __str__(self) -> str:
        due = f"due {self.due_at.isoformat()}" if self.due_at else "no due date"
        return f"{self.state}, {due}" + (f", {self.outcome}" if self.outcome else "")


class Derivation:
    """Notes acts as they are drawn, in order of time; then derives each received dossier's promise."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._calendar = compile_calendar(centre.calendar)
        self._procedures: dict[UUID, str] = {}
        self._courses: dict[UUID, list[ClockChange]] = {}

    def note(self, act: PastAct) -> None:
        """Take an act into account; before the receipt a dossier has no clock."""
        if act.act == "submit":
            self._procedures[act.dossier_id] = act.data["procedure"]
        if act.receives:
            self._courses[act.dossier_id] = [ClockChange("received", act.occurred_at, act.occurred_at)]
        elif act.act in _CLOCK and act.dossier_id in self._courses:
            what, ground = _CLOCK[act.act]
            self._courses[act.dossier_id].append(ClockChange(what, act.occurred_at, act.occurred_at, ground))

    def promises(self) -> Iterator[tuple[UUID, Promise]]:
        """Each dossier that was received, and what its acts come to. Raises ClockError for acts that contradict."""
        for dossier_id, course in self._courses.items():
            found = derive_by_catalogue(self._procedures[dossier_id], course, self._centre, self._calendar)
            yield dossier_id, Promise(found.state, found.due_at, found.outcome)
