"""Ledger of drawn acts, counted by department and week: the state that a centre must have after it played them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from motcua.lab.past_acts import PastAct
from shared.kernel.weeks import monday

DepartmentWeek = tuple[str, date]
"""A competent department's code, and the Monday of a week (local dates)."""


@dataclass(slots=True)
class Ledger:
    """Counts of the acts drawn so far, by the week in which each act happened.

    `lines` counts what is sent to intake. A submission that also receives the dossier (a walk-in) is one line, but in
    `acts` both a submission and a receipt, just as it becomes two events.
    """

    zone: ZoneInfo
    lines: int = 0
    submitted: Counter[DepartmentWeek] = field(default_factory=Counter)
    received: Counter[DepartmentWeek] = field(default_factory=Counter)
    acts: Counter[tuple[str, date, str]] = field(default_factory=Counter)
    """By department, week and act."""
    volume: Counter[DepartmentWeek] = field(default_factory=Counter)
    """Dossiers received by counter or post: the volume by which the general counter's rule decides."""
    _channels: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def dossiers(self) -> int:
        """The number of dossiers submitted so far."""
        return self.submitted.total()

    def weeks(self) -> Iterator[date]:
        """Yield the Mondays of all weeks with an act, ascending."""
        return iter(sorted({week for _, week, _ in self.acts}))

    def count(self, act: PastAct) -> None:
        """Add an act to the counts. The acts of one dossier must be counted in time order, from its submission."""
        week = monday(act.occurred_at.astimezone(self.zone).date())
        place = (act.department, week)
        self.lines += 1
        self.acts[(*place, act.act)] += 1
        if act.act == "submit":
            self.submitted[place] += 1
            self._channels[str(act.dossier_id)] = act.data["channel"]
            if act.receives:
                self.acts[(*place, "receive")] += 1
        if act.receives:
            self.received[place] += 1
            self.volume[place] += self._channels.pop(str(act.dossier_id)) != "online"
