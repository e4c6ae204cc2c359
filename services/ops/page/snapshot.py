"""The content of the page at one instant, shared by all viewers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.ops.domain.progress import ProgressState, worst
from services.ops.lag.schemas import LagReport, TopicLag
from services.ops.views.schemas import Arrivals, Messages, Stages
from services.ops.views.worker import GROUP
from shared.contracts.topics import ASSIGNMENTS, CALENDARS, DEADLINES, DOSSIERS, MESSAGES

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow of the page's diagram, from the service that writes `topics` to the consumer group that reads them.

    `line` has the coordinates of both ends, `label` those of the text, in units of the drawing.
    """

    writer: str
    reader: str
    topics: tuple[str, ...]
    line: tuple[int, int, int, int]
    label: tuple[int, int]
    anchor: str


EDGES = (
    Edge("intake", "routing", (DOSSIERS.name,), (182, 112, 84, 168), (118, 128), "end"),
    Edge("routing", "intake", (ASSIGNMENTS.name,), (116, 168, 214, 112), (156, 160), "start"),
    Edge("intake", "sla", (DOSSIERS.name,), (278, 112, 376, 168), (342, 128), "start"),
    Edge("sla", "intake", (DEADLINES.name, CALENDARS.name), (344, 168, 246, 112), (304, 160), "end"),
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
"""The upper left corner of each service, which is 120 units wide and 54 high."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The traffic on an edge of the diagram: arriving records per second, lag in records, worst state of its topics."""

    edge: Edge
    per_second: float
    behind: int
    state: ProgressState


@dataclass(frozen=True, slots=True)
class PageSnapshot:
    """The content of the page at `now` (centre time); the times in the lag report are machine time.

    `lag_error` is why the lag report is missing, incomplete or outdated. `views_loaded` is false while this process may
    not have loaded all stored tallies. `records_counted` is the number of records that the views reflect.
    """

    now: datetime
    report: LagReport | None
    lag_error: str | None
    arrivals: Arrivals
    stages: Stages
    messages: Messages
    views_loaded: bool
    records_counted: int

    @property
    def catching_up(self) -> bool:
        """Whether the views may not include all events yet, so an empty view does not mean that there were none."""
        return not self.views_loaded or any(lag.state not in ("idle", "flowing") for lag in self._own_lag)

    @property
    def records_pending(self) -> int:
        """The number of records that the views do not reflect yet, by the lag report; 0 without a report."""
        return sum(lag.behind for lag in self._own_lag)

    @property
    def _own_lag(self) -> list[TopicLag]:
        return [lag for lag in self.report.topics if lag.group == GROUP] if self.report is not None else []

    @property
    def rates_known(self) -> bool:
        """Whether the lag report contains rates: it exists and Kafka answered."""
        return self.report is not None and self.report.kafka_error is None

    @property
    def flows(self) -> list[Flow]:
        """The traffic on every edge of the diagram; zero on an edge whose topics are not in the lag report."""
        lags = self.report.topics if self.report is not None else []
        return [
            _flow(edge, [lag for lag in lags if lag.group == edge.reader and lag.topic in edge.topics])
            for edge in EDGES
        ]

    @property
    def messages_per_second(self) -> float:
        """Arriving records per second on the topic of message events; 0 if unknown.

        It approximates the rate of messages to applicants.
        """
        topics = self.report.topics if self.report else []
        return next((lag.arriving_per_second for lag in topics if lag.topic == MESSAGES.name), 0.0)

    @property
    def outcomes(self) -> dict[str, dict[str, int]]:
        """The numbers of messages in the view as a mapping: channel -> outcome -> number."""
        found: dict[str, dict[str, int]] = {}
        for one in self.messages.outcomes:
            found.setdefault(one.channel, {})[one.outcome] = one.count
        return found

    def age(self, instant: datetime | None) -> float | None:
        """Return the seconds from an instant (machine time) to the lag report; None without instant or report."""
        if instant is None or self.report is None:
            return None
        return max(0.0, (self.report.read_at - instant).total_seconds())


def _flow(edge: Edge, lags: Sequence[TopicLag]) -> Flow:
    return Flow(
        edge,
        sum(lag.arriving_per_second for lag in lags),
        sum(lag.behind for lag in lags),
        worst(lag.state for lag in lags),
    )
