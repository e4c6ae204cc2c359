"""Response models of the lag report."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.ops.domain.progress import ProgressState


class _Schema(BaseModel):
    model_config = ConfigDict(frozen=True)


class ProgressReport(_Schema):
    """Progress of a consumer group. Rates are records per second, instants machine time.

    `catch_up_seconds` is null if the group is not catching up; `moved_at` is when its stored offset last changed.
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
    """Number and age of the records that a service has quarantined for one reason."""

    reason: str
    records: int
    oldest_at: datetime


class ServiceBacklog(_Schema):
    """Backlog of one service: events not yet published to Kafka, and quarantined records."""

    service: str
    outbox: int
    outbox_oldest_at: datetime | None
    quarantined: list[QuarantinedRecords]


class LagReport(_Schema):
    """The lag at one instant. Rates are averages over `over_seconds`.

    `kafka_error` is the reason why `topics` is empty if Kafka did not answer; otherwise null.
    """

    read_at: datetime
    over_seconds: float
    kafka_error: str | None
    topics: list[TopicLag]
    services: list[ServiceBacklog]
