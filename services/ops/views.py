"""The live views: tallies of every partition, added up for whoever asks, and as far as they reflect what."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.ops.counting import SOURCES
from services.ops.domain.courses import PAUSES
from services.ops.domain.tallies import NOTHING, WINDOW_SECONDS, Key, Tally, percentile, together

Place = tuple[str, int]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class _View(_Told):
    """Windows that begin at or after `begins_at` and before `ends_at` (centre time).

    `unreadable` counts, by topic and over all time, the records that ops could not read and that no view counts: also
    those that the services have passed over since.
    """

    begins_at: datetime
    ends_at: datetime
    unreadable: dict[str, int]


class Arrivals(_View):
    """How many dossiers were submitted: in all, by competent department ("" while none was named), and by minute."""

    class ByDepartment(_Told):
        department: str
        count: int

    class Minute(_Told):
        at: datetime
        departments: dict[str, int]

    total: int
    departments: list[ByDepartment]
    minutes: list[Minute]


class Stages(_View):
    """How long dossiers were in a state, by the state that they left it for, where they left it in the span.

    Elapsed time, not working time. Pauses (waiting for the applicant) are told apart and are not part of the stages.
    A percentile comes from buckets: at most a fifth too long, and never too short.
    """

    class Stage(_Told):
        left: str
        entered: str
        count: int
        mean_seconds: float
        p50_seconds: float
        p90_seconds: float

    stages: list[Stage]
    pauses: list[Stage]


class Messages(_View):
    """What became of messages to applicants, by channel."""

    class Outcome(_Told):
        channel: str
        outcome: str
        count: int

    outcomes: list[Outcome]


class Views:
    """Every tally, in memory. Tallies are absolute, so what is put twice, or late, changes nothing."""

    def __init__(self) -> None:
        self._windows: dict[str, dict[int, dict[tuple[int, tuple[str, ...]], Tally]]] = {}
        self._moved: dict[Place, datetime] = {}
        self.latest: datetime | None = None

    def put(self, key: Key, tally: Tally, written_at: datetime) -> None:
        """Take a tally over, unless a later one is known. `written_at` is machine time."""
        entries = self._windows.setdefault(key.view, {}).setdefault(key.window, {})
        part = (key.partition, key.what)
        if tally.offset < entries.get(part, NOTHING).offset:
            return
        entries[part] = tally
        if key.view == "position":
            self._moved[key.what[0], key.partition] = written_at
        elif key.window:
            begin = datetime.fromtimestamp(key.window, UTC)
            self.latest = begin if self.latest is None else max(self.latest, begin)

    def positions(self) -> dict[Place, tuple[int, datetime]]:
        """By source partition: the next offset that the views will reflect, and when that last moved."""
        found = self._plain("position")
        return {(what[0], number): (tally.offset, self._moved[what[0], number]) for number, what, tally in found}

    def unreadable(self) -> dict[str, int]:
        """Records that could not be read, by topic."""
        counts = {topic.name: 0 for topic in SOURCES}
        for _, what, tally in self._plain("unreadable"):
            counts[what[0]] += tally.count
        return counts

    def arrivals(self, begin: datetime, end: datetime) -> Arrivals:
        """By department and minute."""
        by_department: dict[str, int] = {}
        minutes = []
        for window, entries in self._between("arrivals", begin, end):
            here: dict[str, int] = {}
            for (_, what), tally in entries.items():
                here[what[0]] = here.get(what[0], 0) + tally.count
            for department, count in here.items():
                by_department[department] = by_department.get(department, 0) + count
            minutes.append(
                Arrivals.Minute(at=datetime.fromtimestamp(window, UTC), departments=dict(sorted(here.items())))
            )
        ordered = sorted(by_department.items(), key=lambda one: (-one[1], one[0]))
        return Arrivals(
            **self._framed(begin, end),
            total=sum(by_department.values()),
            departments=[Arrivals.ByDepartment(department=code, count=count) for code, count in ordered],
            minutes=minutes,
        )

    def stages(self, begin: datetime, end: datetime) -> Stages:
        """By the state left and the one entered."""
        found = self._added_up("stages", begin, end)
        stages: list[Stages.Stage] = []
        pauses: list[Stages.Stage] = []
        for (left, entered), tally in sorted(found.items(), key=lambda one: [_in_course(state) for state in one[0]]):
            median, late = percentile(tally, 0.5), percentile(tally, 0.9)
            if median is None or late is None:
                continue
            one = Stages.Stage(
                left=left,
                entered=entered,
                count=tally.count,
                mean_seconds=round(tally.seconds / tally.count, 3),
                p50_seconds=round(median, 1),
                p90_seconds=round(late, 1),
            )
            (pauses if left in PAUSES else stages).append(one)
        return Stages(**self._framed(begin, end), stages=stages, pauses=pauses)

    def messages(self, begin: datetime, end: datetime) -> Messages:
        """By channel and outcome."""
        found = self._added_up("messages", begin, end)
        return Messages(
            **self._framed(begin, end),
            outcomes=[
                Messages.Outcome(channel=channel, outcome=outcome, count=tally.count)
                for (channel, outcome), tally in sorted(found.items())
            ],
        )

    def _framed(self, begin: datetime, end: datetime) -> dict[str, Any]:
        return {"begins_at": begin, "ends_at": end, "unreadable": self.unreadable()}

    def _between(self, view: str, begin: datetime, end: datetime) -> Iterator[tuple[int, Any]]:
        """Windows in order of time; a short span is looked up minute by minute, a long one by what there is."""
        first, last = begin.timestamp(), end.timestamp()
        windows = self._windows.get(view, {})
        length = WINDOW_SECONDS[view]
        if (last - first) / length < len(windows):
            start = -int(-first // length) * length
            wanted = [window for window in range(start, -int(-last // length) * length, length) if window in windows]
        else:
            wanted = sorted(window for window in windows if first <= window < last)
        for window in wanted:
            yield window, windows[window]

    def _added_up(self, view: str, begin: datetime, end: datetime) -> dict[tuple[str, ...], Tally]:
        parts: dict[tuple[str, ...], list[Tally]] = {}
        for _, entries in self._between(view, begin, end):
            for (_, what), tally in entries.items():
                parts.setdefault(what, []).append(tally)
        return {what: together(tallies) for what, tallies in parts.items()}

    def _plain(self, view: str) -> Iterator[tuple[int, tuple[str, ...], Tally]]:
        for (partition, what), tally in self._windows.get(view, {}).get(0, {}).items():
            yield partition, what, tally


_COURSE = ("submitted", "received", "processing", "settled", "returned")


def _in_course(state: str) -> tuple[int, str]:
    """Sorts states as a dossier comes through them, and the others behind."""
    return (_COURSE.index(state) if state in _COURSE else len(_COURSE), state)
