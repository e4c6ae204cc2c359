"""The runs that carry papers from the counters to the departments: local times of day on the centre's calendar."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import get_args

from shared.kernel.centre import Centre, RunKind
from shared.kernel.worktime import Worktime


class Timetable:
    """Every run in the calendar's range, by kind.

    A run leaves at its local time on each day on which that time is working time, closing times included. So no run
    leaves on a day off or on the free afternoon of a half day.
    """

    def __init__(self, centre: Centre, worktime: Worktime) -> None:
        self._runs: Mapping[RunKind, Sequence[datetime]] = {
            kind: _runs(centre, worktime, kind) for kind in get_args(RunKind)
        }

    def last(self, kind: RunKind, now: datetime) -> datetime | None:
        """The latest run at or before `now`; None before the first one."""
        runs = self._runs[kind]
        place = bisect_right(runs, now)
        return runs[place - 1] if place else None

    def first_after(self, kind: RunKind, at: datetime) -> datetime | None:
        """The first run after `at`, which takes papers of that instant; None if the calendar has none."""
        runs = self._runs[kind]
        place = bisect_right(runs, at)
        return runs[place] if place < len(runs) else None


def _runs(centre: Centre, worktime: Worktime, kind: RunKind) -> list[datetime]:
    if not centre.runs.get(kind):
        return []
    found: set[datetime] = set()
    for opens, closes in zip(worktime.opens, worktime.closes, strict=True):
        day = worktime.local_date(opens)
        in_force = centre.runs_on(day, kind)
        for leaves_at in in_force.leaves_at if in_force else ():
            at = datetime.combine(day, leaves_at, worktime.zone).astimezone(UTC)
            if opens <= at <= closes:
                found.add(at)
    return sorted(found)


def run_kinds(centre: Centre, on: date) -> Mapping[int, RunKind]:
    """The kind of run that serves each counter, by the counter's entry on a local date, or else its last entry."""
    return {
        number: "department" if (centre.counter(number, on) or rows[-1]).kind == "department" else "general"
        for number, rows in centre.counters.items()
    }


def working_days_since(worktime: Worktime, since: datetime, now: datetime) -> int:
    """The number of working days after the local date of `since` up to today, within the calendar's range."""
    first, last = (bisect_right(worktime.working_days, worktime.local_date(at)) for at in (since, now))
    return max(0, last - first)
