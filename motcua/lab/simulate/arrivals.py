"""Past arrivals as arrays, one element per dossier, for the simulation of rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from motcua.lab.simulate.sources import ReceivedDossier
from services.routing.domain.volumes import Week
from shared.kernel.centre import Centre, PoolingRule, ServiceTime
from shared.kernel.dated import Dated
from shared.kernel.errors import StartError
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import OutsideCalendarError, Worktime

ASSUMED = ServiceTime(valid_from=date.min, decision="assumed", procedure=None, median_minutes=12, p90_minutes=30)
"""The time at the counter for a centre that does not enter one."""
_SHOWN = 20
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ArrivalArrays:
    """The arrivals from `first` to `last` (both included) by the channels of the rule, in order of receipt.

    The arrays have one element per arrival. `department` is an index in `departments`. `at` is in seconds since 1970,
    moved to the next opening if the centre is closed. `hour` is the local hour since 1970, `day` a proleptic ordinal;
    both are those of the receipt. `mu` and `sigma` are the parameters of the log-normal time at a counter, in minutes.
    """

    centre: Centre
    worktime: Worktime
    standard_day: timedelta
    rule: PoolingRule
    first: date
    last: date
    departments: tuple[str, ...]
    department: NDArray[np.int64]
    at: NDArray[np.float64]
    hour: NDArray[np.int64]
    day: NDArray[np.int64]
    mu: NDArray[np.float64]
    sigma: NDArray[np.float64]
    online: int
    """Arrivals by other channels, which are not in the arrays."""
    assumed: bool
    """Whether a time at the counter is assumed because the centre does not enter one."""

    def weeks(self) -> list[date]:
        """Return the Mondays of the weeks. `first` and `last` may cut off the first and the last week."""
        start = monday(self.first)
        return [start + n * WEEK for n in range((monday(self.last) - start) // WEEK + 1)]

    def volumes(self) -> dict[str, list[Week]]:
        """Return, by department, its weeks: the arrivals, and the working days within `first` to `last`, of each."""
        starts = self.weeks()
        counts = np.zeros((len(self.departments), len(starts)), dtype=np.int64)
        np.add.at(counts, (self.department, (self.day - starts[0].toordinal()) // 7), 1)
        return {
            code: [Week(start, int(counts[n, w]), self._working_days(start, code)) for w, start in enumerate(starts)]
            for n, code in enumerate(self.departments)
        }

    def _working_days(self, start: date, department: str) -> int:
        """Count the working days of a week, within `first` to `last`, on which the department exists."""
        days = (start + n * _DAY for n in range(7))
        return sum(
            self.first <= day <= self.last
            and self.worktime.is_working_day(day)
            and self.centre.department(department, day) is not None
            for day in days
        )


def arrival_arrays(
    received: Iterable[ReceivedDossier],
    centre: Centre,
    worktime: Worktime,
    standard_day: timedelta,
    rule: PoolingRule,
    *,
    first: date,
    last: date,
) -> ArrivalArrays:
    """Convert arrivals to arrays. Those received before `first` or after `last` are ignored.

    Raises StartError for dates outside the calendar, an unknown department, and a week with enough working days in
    which the whole centre received nothing: a record with a gap has no usable volumes.
    """
    if last < first:
        raise StartError(f"--to {last} is before --from {first}.")
    for day in (first, last):
        if not worktime.first_date <= day <= worktime.last_date:
            raise StartError(f"{day} is outside the calendar, {worktime.first_date} to {worktime.last_date}.")
    within = sorted(
        (one for one in received if first <= one.at.astimezone(centre.zone).date() <= last), key=lambda one: one.at
    )
    counted = [one for one in within if one.channel in rule.channels]
    codes = tuple(code for code, rows in centre.departments.items() if any(_overlaps(row, first, last) for row in rows))
    unknown = sorted({one.department for one in counted} - set(codes))
    if unknown:
        raise StartError(
            f"The centre has no department {', '.join(unknown)} from {first} to {last}. Enter it in departments.csv."
        )
    place = {code: number for number, code in enumerate(codes)}
    local = [one.at.astimezone(centre.zone) for one in counted]
    times = [centre.service_time(one.procedure, at.date()) or ASSUMED for one, at in zip(counted, local, strict=True)]
    opened = [_opening(worktime, one.at) for one in counted]
    found = ArrivalArrays(
        centre=centre,
        worktime=worktime,
        standard_day=standard_day,
        rule=rule,
        first=first,
        last=last,
        departments=codes,
        department=np.array([place[one.department] for one in counted], dtype=np.int64),
        at=np.array([at.timestamp() for at in opened], dtype=np.float64),
        hour=np.array([_hour(at) for at in local], dtype=np.int64),
        day=np.array([at.date().toordinal() for at in local], dtype=np.int64),
        mu=np.array([time.mu for time in times], dtype=np.float64),
        sigma=np.array([time.sigma for time in times], dtype=np.float64),
        online=len(within) - len(counted),
        assumed=any(time is ASSUMED for time in times),
    )
    _require_no_gap(found)
    return found


def _overlaps(row: Dated, first: date, last: date) -> bool:
    return row.valid_from <= last and (row.valid_to is None or first <= row.valid_to)


def _require_no_gap(found: ArrivalArrays) -> None:
    volumes = found.volumes()
    empty = [
        start
        for place, start in enumerate(found.weeks())
        if all(weeks[place].dossiers == 0 for weeks in volumes.values())
        and any(weeks[place].counts(found.rule) for weeks in volumes.values())
    ]
    if empty:
        weeks = ", ".join(map(str, empty[:_SHOWN]))
        raise StartError(
            f"The record has a gap: the open centre received no dossier in the week of {weeks}. "
            "Complete the record, or choose --from and --to so that the gap is outside."
        )


def _opening(worktime: Worktime, at: datetime) -> datetime:
    try:
        return worktime.from_opening(at)
    except OutsideCalendarError:
        return at


def _hour(local: datetime) -> int:
    offset = local.utcoffset()
    assert offset is not None  # converted to the centre's zone before
    return int((local.timestamp() + offset.total_seconds()) // 3600)
