"""The store of all tallies in memory, and the queries that calculate the views from them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from services.ops.domain.courses import PAUSES
from services.ops.domain.tallies import EMPTY, WINDOW_SECONDS, Tally, TallyKey, merge, percentile
from services.ops.views.handlers import SOURCES
from services.ops.views.schemas import (
    Arrivals,
    DepartmentArrivals,
    MessageOutcome,
    Messages,
    MinuteArrivals,
    StageDuration,
    Stages,
)

Place = tuple[str, int]
"""A topic and one of its partitions."""


class ViewStore:
    """The tallies of every partition, in memory only. Values are totals, so a repeated or late `put` changes nothing.

    `latest` is the start of the latest window with an event (centre time); None without events.
    """

    def __init__(self) -> None:
        self._windows: dict[str, dict[int, dict[tuple[int, tuple[str, ...]], Tally]]] = {}
        self._moved_at: dict[Place, datetime] = {}
        self.latest: datetime | None = None

    def put(self, key: TallyKey, tally: Tally, written_at: datetime) -> None:
        """Store a tally, unless a value with a higher offset is stored under its key.

        `written_at` is when Kafka received the value (machine time).
        """
        entries = self._windows.setdefault(key.view, {}).setdefault(key.window, {})
        part = (key.partition, key.labels)
        if tally.offset < entries.get(part, EMPTY).offset:
            return
        entries[part] = tally
        if key.view == "position":
            self._moved_at[key.labels[0], key.partition] = written_at
        elif key.window:
            start = datetime.fromtimestamp(key.window, UTC)
            self.latest = start if self.latest is None else max(self.latest, start)

    def positions(self) -> dict[Place, tuple[int, datetime]]:
        """Return, by source partition, the first offset that the views do not reflect, and when it last changed."""
        found = self._without_window("position")
        return {
            (labels[0], number): (tally.offset, self._moved_at[labels[0], number]) for number, labels, tally in found
        }

    def unreadable(self) -> dict[str, int]:
        """Return, by topic, the number of records that could not be decoded since the first record."""
        counts = {topic.name: 0 for topic in SOURCES}
        for _, labels, tally in self._without_window("unreadable"):
            counts[labels[0]] += tally.count
        return counts

    def arrivals(self, begin: datetime, end: datetime) -> Arrivals:
        """Return the number of submitted dossiers from `begin` until before `end`, by department and by minute."""
        by_department: dict[str, int] = {}
        minutes = []
        for window, entries in self._windows_between("arrivals", begin, end):
            in_window: dict[str, int] = {}
            for (_, labels), tally in entries.items():
                in_window[labels[0]] = in_window.get(labels[0], 0) + tally.count
            for department, count in in_window.items():
                by_department[department] = by_department.get(department, 0) + count
            at = datetime.fromtimestamp(window, UTC)
            minutes.append(MinuteArrivals(at=at, departments=dict(sorted(in_window.items()))))
        ordered = sorted(by_department.items(), key=lambda one: (-one[1], one[0]))
        return Arrivals(
            **self._view_fields(begin, end),
            total=sum(by_department.values()),
            departments=[DepartmentArrivals(department=code, count=count) for code, count in ordered],
            minutes=minutes,
        )

    def stages(self, begin: datetime, end: datetime) -> Stages:
        """Return count, mean, median and 90th percentile of the time in each stage and pause.

        Each pair of a state left and a state entered has an entry. Only stages and pauses count that ended from `begin`
        until before `end`.
        """
        found = self._merged("stages", begin, end)
        stages: list[StageDuration] = []
        pauses: list[StageDuration] = []
        for (left, entered), tally in sorted(found.items(), key=lambda one: [_order(state) for state in one[0]]):
            p50, p90 = percentile(tally, 0.5), percentile(tally, 0.9)
            if p50 is None or p90 is None:
                continue
            duration = StageDuration(
                left=left,
                entered=entered,
                count=tally.count,
                mean_seconds=round(tally.seconds / tally.count, 3),
                p50_seconds=round(p50, 1),
                p90_seconds=round(p90, 1),
            )
            (pauses if left in PAUSES else stages).append(duration)
        return Stages(**self._view_fields(begin, end), stages=stages, pauses=pauses)

    def messages(self, begin: datetime, end: datetime) -> Messages:
        """Count the events about messages, by channel and outcome.

        Counts whole windows of an hour: those that start from `begin` until before `end`.
        """
        found = self._merged("messages", begin, end)
        return Messages(
            **self._view_fields(begin, end),
            outcomes=[
                MessageOutcome(channel=channel, outcome=outcome, count=tally.count)
                for (channel, outcome), tally in sorted(found.items())
            ],
        )

    def _view_fields(self, begin: datetime, end: datetime) -> dict[str, Any]:
        return {"begins_at": begin, "ends_at": end, "unreadable": self.unreadable()}

    def _windows_between(self, view: str, begin: datetime, end: datetime) -> Iterator[tuple[int, Any]]:
        """Yield the start and the tallies of each window that starts from `begin` until before `end`, in order of time.

        For speed, a short span is looked up window by window, and a long one filters all windows.
        """
        first, last = begin.timestamp(), end.timestamp()
        windows = self._windows.get(view, {})
        length = WINDOW_SECONDS[view]
        if (last - first) / length < len(windows):
            start = -int(-first // length) * length
            selected = [window for window in range(start, -int(-last // length) * length, length) if window in windows]
        else:
            selected = sorted(window for window in windows if first <= window < last)
        for window in selected:
            yield window, windows[window]

    def _merged(self, view: str, begin: datetime, end: datetime) -> dict[tuple[str, ...], Tally]:
        parts: dict[tuple[str, ...], list[Tally]] = {}
        for _, entries in self._windows_between(view, begin, end):
            for (_, labels), tally in entries.items():
                parts.setdefault(labels, []).append(tally)
        return {labels: merge(tallies) for labels, tallies in parts.items()}

    def _without_window(self, view: str) -> Iterator[tuple[int, tuple[str, ...], Tally]]:
        for (partition, labels), tally in self._windows.get(view, {}).get(0, {}).items():
            yield partition, labels, tally


_STATE_ORDER = ("submitted", "received", "processing", "settled", "returned")


def _order(state: str) -> tuple[int, str]:
    """Return the sort key of a state: the usual order of a dossier's states, then the other states by name."""
    return (_STATE_ORDER.index(state) if state in _STATE_ORDER else len(_STATE_ORDER), state)
