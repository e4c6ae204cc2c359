"""What the page shows at one moment, put together once for everybody who looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.ops.domain.pace import WORDS, Word
from services.ops.report import LagReport, TopicLag
from services.ops.views import Arrivals, Messages, Stages
from services.ops.worker import GROUP
from shared.contracts.topics import ASSIGNMENTS, CALENDARS, DEADLINES, DOSSIERS, MESSAGES

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow of the diagram: records of `topics` from their writer to a group. Places in the drawing's units."""

    writer: str
    reader: str
    topics: tuple[str, ...]
    line: tuple[int, int, int, int]
    label: tuple[int, int]
    anchor: str


EDGES = (
    Edge("intake", "routing", (DOSSIERS.name,), (182, 112, 84, 168), (122, 136), "end"),
    Edge("routing", "intake", (ASSIGNMENTS.name,), (116, 168, 214, 112), (172, 158), "start"),
    Edge("intake", "sla", (DOSSIERS.name,), (278, 112, 376, 168), (338, 136), "start"),
    Edge("sla", "intake", (DEADLINES.name, CALENDARS.name), (344, 168, 246, 112), (288, 158), "end"),
    Edge("intake", "notify", (DOSSIERS.name,), (230, 112, 230, 302), (236, 220), "start"),
    Edge("routing", "notify", (ASSIGNMENTS.name,), (68, 222, 186, 302), (114, 272), "end"),
    Edge("sla", "notify", (DEADLINES.name,), (392, 222, 274, 302), (346, 272), "start"),
)
NODES: Mapping[str, tuple[int, int]] = {
    "intake": (170, 58),
    "routing": (8, 168),
    "sla": (332, 168),
    "notify": (170, 302),
}
"""Upper left corners; each is 120 wide and 54 high."""


@dataclass(frozen=True, slots=True)
class Flow:
    """An edge as it stands: records that arrive a second, how many wait, and the worst word of its topics."""

    edge: Edge
    per_second: float
    behind: int
    state: Word


@dataclass(frozen=True, slots=True)
class Shown:
    """One moment of the page. `now` is centre time, `report` machine time; `fault` says why nothing newer is known.

    `begun` is false while this process may not hold all that was counted; `counted` are the records that its views
    reflect.
    """

    now: datetime
    report: LagReport | None
    fault: str | None
    arrivals: Arrivals
    stages: Stages
    messages: Messages
    begun: bool
    counted: int

    @property
    def still_counting(self) -> bool:
        """Whether the views lack events that are not new: then an empty one does not mean that there was nothing."""
        return not self.begun or any(lag.state not in ("idle", "flowing") for lag in self._own)

    @property
    def to_count(self) -> int:
        """The records that the views lack, as far as that is known."""
        return sum(lag.behind for lag in self._own)

    @property
    def _own(self) -> list[TopicLag]:
        return [lag for lag in self.report.topics if lag.group == GROUP] if self.report is not None else []

    @property
    def flows(self) -> list[Flow]:
        """Every edge of the diagram, also one that nobody has read yet."""
        lags = self.report.topics if self.report is not None else []
        return [
            _flow(edge, [lag for lag in lags if lag.group == edge.reader and lag.topic in edge.topics])
            for edge in EDGES
        ]

    @property
    def sent_per_second(self) -> float:
        """What leaves for applicants, as far as it is told: records a second on the messages' topic."""
        topics = self.report.topics if self.report else []
        return next((lag.arriving_per_second for lag in topics if lag.topic == MESSAGES.name), 0.0)

    @property
    def outcomes(self) -> dict[str, dict[str, int]]:
        """Messages by channel and outcome."""
        found: dict[str, dict[str, int]] = {}
        for one in self.messages.outcomes:
            found.setdefault(one.channel, {})[one.outcome] = one.count
        return found

    def since(self, instant: datetime | None) -> float | None:
        """Seconds from an instant of machine time to the reading; None for none."""
        if instant is None or self.report is None:
            return None
        return max(0.0, (self.report.read_at - instant).total_seconds())


def _flow(edge: Edge, lags: Sequence[TopicLag]) -> Flow:
    return Flow(
        edge,
        sum(lag.arriving_per_second for lag in lags),
        sum(lag.behind for lag in lags),
        min((lag.state for lag in lags), key=WORDS.index, default="idle"),
    )
