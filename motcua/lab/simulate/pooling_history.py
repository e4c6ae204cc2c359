"""Application of a pooling rule to past weeks, if each proposal is signed at once. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from motcua.lab.simulate.arrivals import ArrivalArrays
from services.routing.domain.closing import closes_at
from services.routing.domain.decisions import next_start
from services.routing.domain.pooling import Receiving, Standing, Week, change
from shared.kernel.centre import PoolingRule
from shared.kernel.worktime import OutsideCalendarError


@dataclass(frozen=True, slots=True)
class PooledPeriod:
    """A period, both days included, in which the general counter receives for a department."""

    department: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class PoolingHistory:
    """The periods in which a rule pools departments, and the number of changes."""

    periods: tuple[PooledPeriod, ...]
    changes: int
    pooled_at_end: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """The closing of the week at index `place`, and the first date on which a change that follows may take effect."""

    place: int
    coming: date


def closings(arrivals: ArrivalArrays) -> list[Closing]:
    """Return the weeks that close early enough for a change to take effect before the arrivals end."""
    found = []
    for place, start in enumerate(arrivals.weeks()):
        last = closes_at(start, arrivals.centre, arrivals.worktime, arrivals.standard_day)
        try:
            coming = None if last is None else next_start(arrivals.worktime, arrivals.worktime.local_date(last))
        except OutsideCalendarError:
            break
        if coming is not None and coming <= arrivals.last:
            found.append(Closing(place, coming))
    return found


def apply_rule(
    rule: PoolingRule, volumes: Mapping[str, Sequence[Week]], closed: Sequence[Closing], *, last: date
) -> PoolingHistory:
    """Apply a rule to each department's weeks. Every department starts at its own counters."""
    periods, changes, pooled = [], 0, []
    for department, weeks in volumes.items():
        current = Standing("department")
        receiving: Receiving = "department"
        for closing in closed:
            if current.since is not None and closing.coming <= current.since:
                continue  # signed, but not in force yet
            proposed = change(weeks[: closing.place + 1], current, rule, coming=closing.coming)
            if proposed is None:
                continue
            if receiving == "general" and current.since is not None:
                day_before = date.fromordinal(closing.coming.toordinal() - 1)
                periods.append(PooledPeriod(department, current.since, day_before))
            receiving, changes = proposed.receiving, changes + 1
            current = Standing(receiving, since=closing.coming)
        if receiving == "general" and current.since is not None:
            periods.append(PooledPeriod(department, current.since, last))
            pooled.append(department)
    return PoolingHistory(tuple(periods), changes, tuple(sorted(pooled)))
