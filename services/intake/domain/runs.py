"""When papers leave the counters for the departments: the centre's times of day, on its calendar. Pure."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import get_args

from shared.kernel.centre import Centre, RunKind
from shared.kernel.worktime import Worktime


class Timetable:
    """Every run over the calendar's span, by kind.

    A run leaves at its local time on each day on which that time is working time, closing times included: so none
    leaves on a day off, or on the afternoon of a half day.
    """

    def __init__(self, centre: Centre, worktime: Worktime) -> None:
        self._runs: Mapping[RunKind, Sequence[datetime]] = {
            kind: _runs(centre, worktime, kind) for kind in get_args(RunKind)
        }

    def last(self, kind: RunKind, now: datetime) -> datetime | None:
        """The latest run at or before an instant; None before the first one."""
        runs = self._runs[kind]
        place = bisect_right(runs, now)
        return runs[place - 1] if place else None

    def first_after(self, kind: RunKind, at: datetime) -> datetime | None:
        """The run with which papers of that instant leave: the first one after it. None where none is known."""
        runs = self._runs[kind]
        place = bisect_right(runs, at)
        return runs[place] if place < len(runs) else None


def _runs(centre: Centre, worktime: Worktime, kind: RunKind) -> list[datetime]:
    entered = centre.runs.get(kind, ())
    if not entered:
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


def kinds_of_counters(centre: Centre, on: date) -> Mapping[int, RunKind]:
    """With which runs papers leave each counter, as it is on that local date, or was last."""
    return {
        number: "department" if (centre.counter(number, on) or rows[-1]).kind == "department" else "general"
        for number, rows in centre.counters.items()
    }


def working_days_since(worktime: Worktime, since: datetime, now: datetime) -> int:
    """How many working days have begun after the local date of `since`, today's included; as far as the calendar
    reaches."""
    first, last = (bisect_right(worktime.working_days, worktime.local_date(at)) for at in (since, now))
    return max(0, last - first)
