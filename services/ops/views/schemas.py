"""Request and response models of the live views."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from shared.service.query import QueryInstant


class SpanQuery(BaseModel):
    """Which time windows to count: those that start at or after `from` and before `to`, by the events' own time.

    Default: the last day.
    """

    model_config = ConfigDict(extra="forbid")

    from_: QueryInstant | None = Field(default=None, alias="from", description="Default: a day before `to`.")
    to: QueryInstant | None = Field(default=None, description="Default: a day after `from`, or now.")


class _Schema(BaseModel):
    model_config = ConfigDict(frozen=True)


class _View(_Schema):
    """A view counts the windows that start at or after `begins_at` and before `ends_at` (centre time).

    `unreadable` is, by topic, the number of records that could not be decoded and are therefore in no view. It counts
    from the first record of the topic, not of the span.
    """

    begins_at: datetime
    ends_at: datetime
    unreadable: dict[str, int]


class DepartmentArrivals(_Schema):
    """Number of submitted dossiers of one competent department; `department` is empty if it was not determined yet."""

    department: str
    count: int


class MinuteArrivals(_Schema):
    """Number of submitted dossiers by competent department in the minute that starts at `at`."""

    at: datetime
    departments: dict[str, int]


class Arrivals(_View):
    """Number of submitted dossiers: in total, by competent department and by minute."""

    total: int
    departments: list[DepartmentArrivals]
    minutes: list[MinuteArrivals]


class StageDuration(_Schema):
    """How long dossiers were in the state `left` before they entered the state `entered`.

    Percentiles are estimated from a histogram: never too short, and at most a fifth too long from one second on.
    """

    left: str
    entered: str
    count: int
    mean_seconds: float
    p50_seconds: float
    p90_seconds: float


class Stages(_View):
    """Durations of the stages and pauses that ended in the span: elapsed time, not working time.

    In a pause the dossier waits for the applicant. The stages do not include the pauses.
    """

    stages: list[StageDuration]
    pauses: list[StageDuration]


class MessageOutcome(_Schema):
    """Number of events about messages of one channel with one outcome. `planned` and `sent` are outcomes here too."""

    channel: str
    outcome: str
    count: int


class Messages(_View):
    """Numbers of outcomes of the messages to applicants, by channel. One message can be counted under several."""

    outcomes: list[MessageOutcome]
