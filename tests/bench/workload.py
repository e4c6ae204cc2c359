"""What is done to the centre while it is measured: whole lives of the half year of 2017, in order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from motcua.lab.past_acts import PastAct
from motcua.lab.scenarios.half_year.scenario import HalfYear
from shared.kernel.centre import Centre

_WEEKS = 10
"""Enough for everything that comes in the first weeks to have ended."""


@dataclass(frozen=True, slots=True)
class Load:
    """Acts in order of time, each dossier's from its submission to its end; `starts_at` is before the first one."""

    acts: Sequence[PastAct]
    starts_at: datetime

    @property
    def dossiers(self) -> int:
        """How many dossiers there are."""
        return len({act.dossier_id for act in self.acts})

    @property
    def ends_at(self) -> datetime:
        """Just after the last act."""
        return self.acts[-1].occurred_at + timedelta(seconds=1)

    def cut(self, share: float) -> tuple["Load", "Load"]:
        """The first acts and the others; those of one instant stay together."""
        place = max(1, int(len(self.acts) * share))
        while place < len(self.acts) and self.acts[place].occurred_at == self.acts[place - 1].occurred_at:
            place += 1
        first = Load(self.acts[:place], self.starts_at)
        return first, Load(self.acts[place:], first.acts[-1].occurred_at)


def whole_lives(centre: Centre, dossiers: int) -> Load:
    """The lives of as many dossiers, the first that came; the same acts each time. Takes some seconds."""
    drawn = HalfYear(centre, weeks=_WEEKS)
    chosen: set[object] = set()
    acts = []
    for act in drawn.acts():
        if act.act == "submit" and len(chosen) < dossiers:
            chosen.add(act.dossier_id)
        if act.dossier_id in chosen:
            acts.append(act)
    return Load(acts, drawn.starts_at)
