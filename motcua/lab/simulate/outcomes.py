"""What a rule would have brought on the past: counters freed, officers' hours returned, and who would have waited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from motcua.lab.simulate.arrivals import Past
from motcua.lab.simulate.pooling_history import Lived, Span, closings, live
from motcua.lab.simulate.queue import serve
from services.routing.domain.load import officers_of, windows_of
from shared.kernel.centre import PoolingRule
from shared.kernel.errors import StartError

REPLICATIONS = 30
SCALES = (0.5, 1.0, 2.0)
"""Times at the counter as entered, and half and twice as long beside them: nobody measured them."""
_MINUTE = 60.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Minutes that people wait at the general counter, over all replications, and officers' hours after closing time
    (the mean of the replications)."""

    mean: float
    p90: float
    longest: float
    overtime_hours: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule comes to. `freed` are department counters: the mean over the working days, and at the end.

    `hours_returned` are the window hours of freed counters less the hours of handling moved, `share` what the general
    counter receives of all, `peak` the most arrivals in one hour there. `waiting` is by scale of SCALES; None where
    nobody is pooled.
    """

    rule: PoolingRule
    lived: Lived
    freed_mean: float
    freed_at_end: int
    hours_returned: float
    moved: int
    share: float
    peak: int
    waiting: tuple[Waiting, ...] | None

    @property
    def wait(self) -> float:
        """The mean wait in minutes with times as entered; 0 where nobody is pooled."""
        return 0.0 if self.waiting is None else self.waiting[SCALES.index(1.0)].mean


class Simulation:
    """Tries rules on one past. The same seed gives the same lots to the same dossiers, whatever the rule, so that rules
    differ by what they do and not by luck; rules that pool alike share one queue.
    """

    def __init__(self, past: Past, *, seed: int, replications: int = REPLICATIONS) -> None:
        self.past = past
        self.closings = closings(past)
        self._volumes = past.volumes()
        self._days = [
            day
            for day in (past.first + timedelta(days=n) for n in range((past.last - past.first).days + 1))
            if past.worktime.is_working_day(day)
        ]
        self._lots = np.random.default_rng(seed).standard_normal((replications, len(past.at)), dtype=np.float64)
        self._queues: dict[tuple[Span, ...], tuple[int, int, tuple[Waiting, ...] | None]] = {}
        self._hours = {code: self._counter_hours(code) for code in past.departments}

    def outcome(self, rule: PoolingRule) -> Outcome:
        """What the rule comes to. Raises StartError where it pools although no general counter is open."""
        past = self.past
        lived = live(rule, self._volumes, self.closings, last=past.last)
        found = self._queues.get(lived.spans)
        if found is None:
            found = self._queues[lived.spans] = self._queue(lived.spans)
        moved, peak, waiting = found
        freed = np.zeros(len(self._days))
        hours = 0.0
        for span in lived.spans:
            counters, worked = self._hours[span.department]
            within = np.array([span.first <= day <= span.last for day in self._days])
            freed += np.where(within, counters, 0)
            hours += float(worked[within].sum())
        handling = 0.0
        if moved:
            there = self._at_general(lived.spans)
            means = np.exp(past.mu[there] + past.sigma[there] ** 2 / 2)
            handling = float(means.sum()) / 60
        return Outcome(
            rule=rule,
            lived=lived,
            freed_mean=float(freed.mean()) if len(freed) else 0.0,
            freed_at_end=int(freed[-1]) if len(freed) else 0,
            hours_returned=hours - handling,
            moved=moved,
            share=moved / len(past.at) if len(past.at) else 0.0,
            peak=peak,
            waiting=waiting,
        )

    def _counter_hours(self, department: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Of each working day: the department's open counters, and the hours that their officers sit there."""
        centre, counts, hours = self.past.centre, [], []
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
                    for windows in [windows_of(centre, counter, day, self.past.worktime)]
                )
            )
        return np.array(counts, dtype=np.int64), np.array(hours, dtype=np.float64)

    def _at_general(self, spans: Sequence[Span]) -> NDArray[np.bool_]:
        past = self.past
        found = np.zeros(len(past.at), dtype=np.bool_)
        for span in spans:
            place = past.departments.index(span.department)
            first, last = span.first.toordinal(), span.last.toordinal()
            found |= (past.department == place) & (past.day >= first) & (past.day <= last)
        return found

    def _queue(self, spans: tuple[Span, ...]) -> tuple[int, int, tuple[Waiting, ...] | None]:
        past, there = self.past, self._at_general(spans)
        moved = int(there.sum())
        if not moved:
            return 0, 0, None
        _, by_hour = np.unique(past.hour[there], return_counts=True)
        order = np.argsort(past.at[there], kind="stable")
        at = past.at[there][order]
        minutes = np.exp(past.mu[there] + past.sigma[there] * self._lots[:, there])[:, order]
        officers, closes = self._general(past.day[there][order], at)
        return moved, int(by_hour.max()), tuple(self._waited(at, minutes * scale, officers, closes) for scale in SCALES)

    def _general(self, days: NDArray[np.int64], at: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
        """The officers at the general counter, the fewest of any day, and when the window of each arrival closes."""
        centre, worktime = self.past.centre, self.past.worktime
        closes = np.empty(len(at))
        fewest: int | None = None
        for ordinal in np.unique(days):
            day = date.fromordinal(int(ordinal))
            numbers = centre.counters_on(day, "general")
            counters = [counter for number in numbers if (counter := centre.counter(number, day)) is not None]
            if not counters:
                raise StartError(
                    f"no general counter is open on {day}: enter one in counters.csv, or choose another span"
                )
            officers = sum(officers_of(centre, counter, day) for counter in counters)
            fewest = officers if fewest is None else min(fewest, officers)
            ends = sorted(closing.timestamp() for _, closing in windows_of(centre, counters[0], day, worktime))
            today = days == ordinal
            last = ends[-1] if ends else np.inf
            closes[today] = [next((end for end in ends if end > moment), last) for moment in at[today]]
        assert fewest is not None  # there is at least one day
        return fewest, closes

    def _waited(
        self, at: NDArray[np.float64], minutes: NDArray[np.float64], officers: int, closes: NDArray[np.float64]
    ) -> Waiting:
        """A queue is served out after closing time; the next window begins with what is left of it."""
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


def best(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those that no other beats: as many hours, as short waits and as few changes, and better in one. By hours, the
    most first; of those that come to the same the first alone."""
    found: list[Outcome] = []
    for one in outcomes:
        if not any(_beats(other, one) for other in outcomes) and not any(_same(other, one) for other in found):
            found.append(one)
    return sorted(found, key=lambda one: (-one.hours_returned, one.wait, one.lived.changes))


def _ends(one: Outcome) -> tuple[float, float, int]:
    return -one.hours_returned, one.wait, one.lived.changes


def _beats(other: Outcome, one: Outcome) -> bool:
    ours, theirs = _ends(one), _ends(other)
    return theirs != ours and all(their <= our for their, our in zip(theirs, ours, strict=True))


def _same(other: Outcome, one: Outcome) -> bool:
    return _ends(other) == _ends(one)


def _hours(opens: datetime, closes: datetime) -> float:
    return (closes - opens).total_seconds() / _HOUR
