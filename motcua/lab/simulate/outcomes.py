"""Outcomes of a rule on past arrivals: counters freed, officers' hours returned, and waits at the general counter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from motcua.lab.simulate.arrivals import ArrivalArrays
from motcua.lab.simulate.pooling_history import PooledPeriod, PoolingHistory, apply_rule, closings
from motcua.lab.simulate.queue import serve
from services.routing.domain.load import officers_of, windows_of
from shared.kernel.centre import PoolingRule
from shared.kernel.errors import StartError

REPLICATIONS = 30
SCALES = (0.5, 1.0, 2.0)
"""Factors for the times at the counter. The entered times are not measured, so half and twice are simulated too."""
_MINUTE = 60.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Waits at the general counter in minutes, over all replications.

    `overtime_hours` are the officers' hours after closing time, the mean of the replications.
    """

    mean: float
    p90: float
    longest: float
    overtime_hours: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one rule.

    `freed_mean` and `freed_at_end` are numbers of department counters that are not needed: the mean over working days,
    and on the last one.

    `hours_returned` are the opening hours of freed counters minus the handling hours moved to the general counter.
    `moved` is the number of dossiers that the general counter receives, `share` their part of all (0 to 1), and `peak`
    their largest number in one hour.
    `waiting` has one element per factor of SCALES. It is None if no department is pooled.
    """

    rule: PoolingRule
    pooling: PoolingHistory
    freed_mean: float
    freed_at_end: int
    hours_returned: float
    moved: int
    share: float
    peak: int
    waiting: tuple[Waiting, ...] | None

    @property
    def wait(self) -> float:
        """The mean wait in minutes with the entered times; 0 if no department is pooled."""
        return 0.0 if self.waiting is None else self.waiting[SCALES.index(1.0)].mean


class Simulation:
    """Applies rules to one set of arrivals.

    With the same seed a dossier has the same time at the counter under every rule, so rules differ by their effect and
    not by chance (common random numbers). Rules with the same pooled periods share one queue.
    """

    def __init__(self, arrivals: ArrivalArrays, *, seed: int, replications: int = REPLICATIONS) -> None:
        self.arrivals = arrivals
        self.closings = closings(arrivals)
        self._volumes = arrivals.volumes()
        self._days = [
            day
            for day in (arrivals.first + timedelta(days=n) for n in range((arrivals.last - arrivals.first).days + 1))
            if arrivals.worktime.is_working_day(day)
        ]
        self._normals = np.random.default_rng(seed).standard_normal((replications, len(arrivals.at)), dtype=np.float64)
        self._queues: dict[tuple[PooledPeriod, ...], tuple[int, int, tuple[Waiting, ...] | None]] = {}
        self._hours = {code: self._counter_hours(code) for code in arrivals.departments}

    def outcome(self, rule: PoolingRule) -> Outcome:
        """Return the outcome of a rule. Raises StartError if it pools on a day without an open general counter."""
        arrivals = self.arrivals
        pooling = apply_rule(rule, self._volumes, self.closings, last=arrivals.last)
        found = self._queues.get(pooling.periods)
        if found is None:
            found = self._queues[pooling.periods] = self._queue(pooling.periods)
        moved, peak, waiting = found
        freed = np.zeros(len(self._days))
        hours = 0.0
        for period in pooling.periods:
            counters, worked = self._hours[period.department]
            within = np.array([period.first <= day <= period.last for day in self._days])
            freed += np.where(within, counters, 0)
            hours += float(worked[within].sum())
        handling = 0.0
        if moved:
            there = self._at_general(pooling.periods)
            means = np.exp(arrivals.mu[there] + arrivals.sigma[there] ** 2 / 2)
            handling = float(means.sum()) / 60
        return Outcome(
            rule=rule,
            pooling=pooling,
            freed_mean=float(freed.mean()) if len(freed) else 0.0,
            freed_at_end=int(freed[-1]) if len(freed) else 0,
            hours_returned=hours - handling,
            moved=moved,
            share=moved / len(arrivals.at) if len(arrivals.at) else 0.0,
            peak=peak,
            waiting=waiting,
        )

    def _counter_hours(self, department: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return, for each working day, the number of a department's open counters and their officers' hours."""
        centre, counts, hours = self.arrivals.centre, [], []
        for day in self._days:
            open_ = [
                counter
                for number in centre.counters_on(day, "department", department)
                if (counter := centre.counter(number, day)) is not None
            ]
            counts.append(len(open_))
            hours.append(
                sum(
                    officers_of(centre, counter, day) * sum(_hours(*window) for window in windows)
                    for counter in open_
                    for windows in [windows_of(centre, counter, day, self.arrivals.worktime)]
                )
            )
        return np.array(counts, dtype=np.int64), np.array(hours, dtype=np.float64)

    def _at_general(self, periods: Sequence[PooledPeriod]) -> NDArray[np.bool_]:
        """Return, for each arrival, whether it is within a pooled period, so that the general counter receives it."""
        arrivals = self.arrivals
        found = np.zeros(len(arrivals.at), dtype=np.bool_)
        for period in periods:
            place = arrivals.departments.index(period.department)
            first, last = period.first.toordinal(), period.last.toordinal()
            found |= (arrivals.department == place) & (arrivals.day >= first) & (arrivals.day <= last)
        return found

    def _queue(self, periods: tuple[PooledPeriod, ...]) -> tuple[int, int, tuple[Waiting, ...] | None]:
        """Return the number of dossiers at the general counter, the most in one hour, and the waits for each of SCALES.

        The waits are None if there is no such dossier. Raises StartError for a day without an open general counter.
        """
        arrivals, there = self.arrivals, self._at_general(periods)
        moved = int(there.sum())
        if not moved:
            return 0, 0, None
        _, by_hour = np.unique(arrivals.hour[there], return_counts=True)
        order = np.argsort(arrivals.at[there], kind="stable")
        at = arrivals.at[there][order]
        minutes = np.exp(arrivals.mu[there] + arrivals.sigma[there] * self._normals[:, there])[:, order]
        officers, closes = self._general_counter(arrivals.day[there][order], at)
        return moved, int(by_hour.max()), tuple(_waiting(at, minutes * scale, officers, closes) for scale in SCALES)

    def _general_counter(self, days: NDArray[np.int64], at: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
        """Return the fewest officers at the general counter on any of `days`, and when each arrival's window closes.

        Both are for arrivals with the local dates `days` and the instants `at`. Raises StartError for a day without an
        open general counter.
        """
        centre, worktime = self.arrivals.centre, self.arrivals.worktime
        closes = np.empty(len(at))
        fewest: int | None = None
        for ordinal in np.unique(days):
            day = date.fromordinal(int(ordinal))
            numbers = centre.counters_on(day, "general")
            counters = [counter for number in numbers if (counter := centre.counter(number, day)) is not None]
            if not counters:
                raise StartError(
                    f"No general counter is open on {day}. Enter one in counters.csv, or choose other dates."
                )
            officers = sum(officers_of(centre, counter, day) for counter in counters)
            fewest = officers if fewest is None else min(fewest, officers)
            ends = sorted(closing.timestamp() for _, closing in windows_of(centre, counters[0], day, worktime))
            today = days == ordinal
            last = ends[-1] if ends else np.inf
            closes[today] = [next((end for end in ends if end > moment), last) for moment in at[today]]
        assert fewest is not None  # there is at least one day
        return fewest, closes


def _waiting(
    at: NDArray[np.float64], minutes: NDArray[np.float64], officers: int, closes: NDArray[np.float64]
) -> Waiting:
    """Simulate a queue of people who arrive at `at` and need `minutes` (a row for each replication). Return its waits.

    People are served after closing time (`closes`), too; who is left then delays the next window.
    """
    found = serve(at, minutes * _MINUTE, officers)
    waited = found.waited / _MINUTE
    began = found.ended - minutes * _MINUTE
    overtime = np.maximum(found.ended - np.maximum(began, closes), 0.0).sum(axis=1).mean() / _HOUR
    return Waiting(
        mean=float(waited.mean()),
        p90=float(np.quantile(waited, 0.9)),
        longest=float(waited.max()),
        overtime_hours=float(overtime),
    )


def pareto_optimal(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes that no other dominates in hours, wait and changes, by hours returned, descending.

    Of outcomes that are equal in all three, only the first is returned.
    """
    found: list[Outcome] = []
    for one in outcomes:
        dominated = any(_dominates(other, one) for other in outcomes)
        if not dominated and not any(_objectives(other) == _objectives(one) for other in found):
            found.append(one)
    return sorted(found, key=_objectives)


def _objectives(one: Outcome) -> tuple[float, float, int]:
    """Return the three values of an outcome that are minimised: minus the hours returned, the wait, and the changes."""
    return -one.hours_returned, one.wait, one.pooling.changes


def _dominates(other: Outcome, one: Outcome) -> bool:
    ours, theirs = _objectives(one), _objectives(other)
    return theirs != ours and all(their <= our for their, our in zip(theirs, ours, strict=True))


def _hours(opens: datetime, closes: datetime) -> float:
    return (closes - opens).total_seconds() / _HOUR
