"""Workload of the benchmarks: all acts of dossiers of the half year of 2017, in order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from motcua.lab.past_acts import PastAct
from motcua.lab.scenarios.half_year.scenario import HalfYear
from shared.kernel.centre import Centre

_WEEKS = 10
"""Long enough for every dossier of the first weeks to be resolved."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Acts in order of time, for each dossier from submission to result. `starts_at` is before the first act."""

    acts: Sequence[PastAct]
    starts_at: datetime

    @property
    def dossiers(self) -> int:
        """Number of dossiers."""
        return len({act.dossier_id for act in self.acts})

    @property
    def ends_at(self) -> datetime:
        """One second after the last act."""
        return self.acts[-1].occurred_at + timedelta(seconds=1)

    def split(self, share: float) -> tuple["Workload", "Workload"]:
        """Split off the given share of the acts at the start. Acts at the same instant stay together."""
        index = max(1, int(len(self.acts) * share))
        while index < len(self.acts) and self.acts[index].occurred_at == self.acts[index - 1].occurred_at:
            index += 1
        first = Workload(self.acts[:index], self.starts_at)
        return first, Workload(self.acts[index:], first.acts[-1].occurred_at)


def half_year_workload(centre: Centre, dossiers: int) -> Workload:
    """Return the acts of the first `dossiers` dossiers, the same ones on each call. Takes some seconds."""
    half_year = HalfYear(centre, weeks=_WEEKS)
    chosen: set[object] = set()
    acts = []
    for act in half_year.acts():
        if act.act == "submit" and len(chosen) < dossiers:
            chosen.add(act.dossier_id)
        if act.dossier_id in chosen:
            acts.append(act)
    return Workload(acts, half_year.starts_at)
