"""The runs that carry papers from the counters to the departments, and the kind of run that serves each counter.

A run leaves at a local time of day on the centre's calendar.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import get_args

from shared.kernel.centre import Centre, RunKind
from shared.kernel.worktime import Worktime


class Timetable:
    """The instants of all runs in the calendar's range, by kind of run (`department` or `general`).

    They are computed once, in memory. A run leaves at its local time on each day on which that time is working time,
    closing times included. So no run leaves on a day off or on the free afternoon of a half day.
    """

    def __init__(self, centre: Centre, worktime: Worktime) -> None:
        self._runs: Mapping[RunKind, Sequence[datetime]] = {
            kind: _runs(centre, worktime, kind) for kind in get_args(RunKind)
        }

    def last(self, kind: RunKind, now: datetime) -> datetime | None:
        """Return the latest run of this kind at or before `now`; None before the first one."""
        runs = self._runs[kind]
        place = bisect_right(runs, now)
        return runs[place - 1] if place else None

    def first_after(self, kind: RunKind, at: datetime) -> datetime | None:
        """Return the first run of this kind after `at`, or None if the calendar has none.

        This run takes papers that came to a counter at `at`; a run exactly at `at` does not.
        """
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
    """Return the kind of run that serves each counter, by the counter's number.

    The counter's entry on a local date decides, or if it has none on that date, its last entry.
    """
    return {
        number: "department" if (centre.counter(number, on) or rows[-1]).kind == "department" else "general"
        for number, rows in centre.counters.items()
    }


def working_days_since(worktime: Worktime, since: datetime, now: datetime) -> int:
    """Return the number of working days after the local date of `since` up to and including that of `now`.

    Days outside the calendar's range are not counted.
    """
    first, last = (bisect_right(worktime.working_days, worktime.local_date(at)) for at in (since, now))
    return max(0, last - first)
