"""Response models of the lag report."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.ops.domain.progress import ProgressState


class _Schema(BaseModel):
    model_config = ConfigDict(frozen=True)


class ProgressReport(_Schema):
    """Progress of a consumer group. Rates are records per second, instants machine time.

    `behind` is the lag in records. `oldest_at` is when the broker received the oldest pending record.
    `catch_up_seconds` is null if the group is not catching up. `moved_at` is when its stored offset last changed.
    """

    behind: int
    oldest_at: datetime | None
    applied_per_second: float
    arriving_per_second: float
    catch_up_seconds: float | None
    moved_at: datetime | None
    state: ProgressState


class PartitionLag(ProgressReport):
    """Lag of one group on one partition."""

    partition: int


class TopicLag(ProgressReport):
    """Lag of one group on one topic, in total and per partition."""

    group: str
    topic: str
    partitions: list[PartitionLag]


class QuarantinedRecords(_Schema):
    """Number of the records that a service has quarantined for one reason, and the time of the oldest quarantine."""

    reason: str
    records: int
    oldest_at: datetime


class ServiceBacklog(_Schema):
    """Backlog of one service: the number of events in its outbox, not yet published, and its quarantined records."""

    service: str
    outbox: int
    outbox_oldest_at: datetime | None
    quarantined: list[QuarantinedRecords]


class LagReport(_Schema):
    """The lag at one instant. Rates are averages over the `over_seconds` before it.

    If Kafka did not answer, `topics` is empty and `kafka_error` is the reason; otherwise `kafka_error` is null.
    """

    read_at: datetime
    over_seconds: float
    kafka_error: str | None
    topics: list[TopicLag]
    services: list[ServiceBacklog]
