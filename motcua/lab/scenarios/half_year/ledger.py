"""What was drawn, counted by department and week: what a player's centre must come to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from motcua.lab.past_acts import PastAct
from shared.kernel.weeks import monday

Place = tuple[str, date]
"""A competent department's code, and the Monday of a week (local dates)."""


@dataclass(slots=True)
class Ledger:
    """Counts of what has been taken out of a half year so far; acts are counted in the week in which they happened.

    A walk-in is one line and two acts, submission and receipt, as it is two events.
    """

    zone: ZoneInfo
    lines: int = 0
    submitted: Counter[Place] = field(default_factory=Counter)
    received: Counter[Place] = field(default_factory=Counter)
    acts: Counter[tuple[str, date, str]] = field(default_factory=Counter)
    """By department, week and act."""
    volume: Counter[Place] = field(default_factory=Counter)
    """Dossiers received that came by the counter or by post: what the decision on a department's counter rests on."""
    _channels: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def dossiers(self) -> int:
        """How many dossiers were submitted."""
        return self.submitted.total()

    def weeks(self) -> Iterator[date]:
        """The Mondays of all weeks with an act, ascending."""
        return iter(sorted({week for _, week, _ in self.acts}))

    def count(self, act: PastAct) -> None:
        """Take an act into account."""
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
