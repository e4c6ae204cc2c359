"""A rule lived through: every proposal is signed as soon as it is made, and takes effect when it may. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from motcua.lab.simulate.arrivals import Past
from services.routing.domain.closing import closes_at
from services.routing.domain.decisions import next_start
from services.routing.domain.pooling import Receiving, Standing, Week, change
from shared.kernel.centre import PoolingRule
from shared.kernel.worktime import OutsideCalendarError


@dataclass(frozen=True, slots=True)
class Span:
    """The general counter receives for a department, from the first to the last day, both included."""

    department: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Lived:
    """What a rule comes to: when it pools whom, and how many changes that takes."""

    spans: tuple[Span, ...]
    changes: int
    pooled_at_end: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """A week that closes within the span, as the `place`-th, and the first date on which what follows may count."""

    place: int
    coming: date


def closings(past: Past) -> list[Closing]:
    """The weeks that close in time to count before the span ends."""
    found = []
    for place, start in enumerate(past.weeks()):
        last = closes_at(start, past.centre, past.worktime, past.standard_day)
        try:
            coming = None if last is None else next_start(past.worktime, past.worktime.local_date(last))
        except OutsideCalendarError:
            break
        if coming is not None and coming <= past.last:
            found.append(Closing(place, coming))
    return found


def live(rule: PoolingRule, volumes: Mapping[str, Sequence[Week]], closed: Sequence[Closing], *, last: date) -> Lived:
    """Every department starts at its own counters."""
    spans, changes, pooled = [], 0, []
    for department, weeks in volumes.items():
        standing = Standing("department")
        receiving: Receiving = "department"
        for closing in closed:
            if standing.since is not None and closing.coming <= standing.since:
                continue  # signed, and not yet in force
            proposed = change(weeks[: closing.place + 1], standing, rule, coming=closing.coming)
            if proposed is None:
                continue
            if receiving == "general" and standing.since is not None:
                spans.append(Span(department, standing.since, date.fromordinal(closing.coming.toordinal() - 1)))
            receiving, changes = proposed.receiving, changes + 1
            standing = Standing(receiving, since=closing.coming)
        if receiving == "general" and standing.since is not None:
            spans.append(Span(department, standing.since, last))
            pooled.append(department)
    return Lived(tuple(spans), changes, tuple(sorted(pooled)))
