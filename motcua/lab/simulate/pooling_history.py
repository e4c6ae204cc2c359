"""Application of a pooling rule to past weeks, if each proposal is signed at once. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from motcua.lab.simulate.arrivals import ArrivalArrays
from services.routing.domain.decisions import CurrentReceiving, Receiving, next_week_start
from services.routing.domain.pooling_rule import propose_change
from services.routing.domain.volumes import Week, closes_at
from shared.kernel.centre import PoolingRule
from shared.kernel.worktime import OutsideCalendarError


@dataclass(frozen=True, slots=True)
class PooledPeriod:
    """A period, both days included, in which the general counter receives a department's dossiers."""

    department: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class PoolingHistory:
    """The periods in which a rule pools departments, the number of changes, and the departments pooled at the end."""

    periods: tuple[PooledPeriod, ...]
    changes: int
    pooled_at_end: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """The closing of one week, and the first date on which a change that follows from it may take effect.

    `place` is the week's index in the list of weeks.
    """

    place: int
    earliest_from: date


def closings(arrivals: ArrivalArrays) -> list[Closing]:
    """Return the weeks that close early enough for a change to take effect before the arrivals end."""
    found = []
    for place, start in enumerate(arrivals.weeks()):
        last = closes_at(start, arrivals.centre, arrivals.worktime, arrivals.standard_day)
        try:
            earliest_from = (
                None if last is None else next_week_start(arrivals.worktime, arrivals.worktime.local_date(last))
            )
        except OutsideCalendarError:
            break
        if earliest_from is not None and earliest_from <= arrivals.last:
            found.append(Closing(place, earliest_from))
    return found


def apply_rule(
    rule: PoolingRule, volumes: Mapping[str, Sequence[Week]], closed: Sequence[Closing], *, last: date
) -> PoolingHistory:
    """Return the pooled periods and the changes that a pooling rule would have produced, by each department's weeks.

    At each week closing in `closed`, the rule may change a department's receiving place. Every department starts at its
    own counters; open periods end at `last`.
    """
    periods, changes, pooled = [], 0, []
    for department, weeks in volumes.items():
        current = CurrentReceiving("department")
        receiving: Receiving = "department"
        for closing in closed:
            if current.since is not None and closing.earliest_from <= current.since:
                continue  # signed, but not in force yet
            proposed = propose_change(weeks[: closing.place + 1], current, rule, earliest_from=closing.earliest_from)
            if proposed is None:
                continue
            if receiving == "general" and current.since is not None:
                day_before = date.fromordinal(closing.earliest_from.toordinal() - 1)
                periods.append(PooledPeriod(department, current.since, day_before))
            receiving, changes = proposed.receiving, changes + 1
            current = CurrentReceiving(receiving, since=closing.earliest_from)
        if receiving == "general" and current.since is not None:
            periods.append(PooledPeriod(department, current.since, last))
            pooled.append(department)
    return PoolingHistory(tuple(periods), changes, tuple(sorted(pooled)))
