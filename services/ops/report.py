"""What a lag report says, for people's tables, for scripts and over HTTP: each group and partition, each service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.ops.domain.pace import Pace, Word, pace, together
from services.ops.watching import Reader, Reading


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True)


class PaceReport(_Told):
    """Rates are records a second; `catch_up_seconds` is null where it is not catching up; instants are machine time."""

    behind: int
    oldest_at: datetime | None
    applied_per_second: float
    arriving_per_second: float
    catch_up_seconds: float | None
    moved_at: datetime | None
    state: Word


class PartitionLag(PaceReport):
    """One group on one partition."""

    partition: int


class TopicLag(PaceReport):
    """One group on one topic, and on each of its partitions."""

    group: str
    topic: str
    partitions: list[PartitionLag]


class QuarantinedRecords(_Told):
    """Records that wait in a service for one reason."""

    reason: str
    records: int
    oldest_at: datetime


class ServiceBacklog(_Told):
    """What waits in a service: events not yet on Kafka, and quarantined records."""

    service: str
    outbox: int
    outbox_oldest_at: datetime | None
    quarantined: list[QuarantinedRecords]


class LagReport(_Told):
    """Everything that waits. Rates are those of `over_seconds`; without Kafka's answer `topics` is empty."""

    read_at: datetime
    over_seconds: float
    kafka_silent: str | None
    topics: list[TopicLag]
    services: list[ServiceBacklog]


def lag_report(readings: Sequence[Reading]) -> LagReport:
    """The report of the last reading, with rates since the first. Raises ValueError for none."""
    if not readings:
        raise ValueError("no reading, no report")
    last = readings[-1]
    spoken = [reading for reading in readings if reading.broker_silent is None]
    topics = [] if last.broker_silent else _topics(spoken)
    return LagReport(
        read_at=last.read_at,
        over_seconds=(last.read_at - spoken[0].read_at).total_seconds() if topics else 0.0,
        kafka_silent=last.broker_silent,
        topics=topics,
        services=[
            ServiceBacklog(
                service=service,
                outbox=backlog.outbox,
                outbox_oldest_at=backlog.outbox_oldest_at,
                quarantined=[
                    QuarantinedRecords(reason=reason, records=quarantined.records, oldest_at=quarantined.oldest_at)
                    for reason, quarantined in sorted(backlog.quarantined.items())
                ],
            )
            for service, backlog in last.backlogs.items()
        ],
    )


def _topics(readings: Sequence[Reading]) -> list[TopicLag]:
    paces: dict[Reader, Pace] = {
        reader: pace([reading.standings[reader] for reading in readings if reader in reading.standings])
        for reader in readings[-1].standings
    }
    by_topic: dict[tuple[str, str], dict[int, Pace]] = {}
    for (group, topic, partition), one in paces.items():
        by_topic.setdefault((group, topic), {})[partition] = one
    return [
        TopicLag(
            group=group,
            topic=topic,
            partitions=[PartitionLag(partition=number, **_told(one)) for number, one in sorted(partitions.items())],
            **_told(together(partitions.values())),
        )
        for (group, topic), partitions in by_topic.items()
    ]


def _told(one: Pace) -> dict[str, Any]:
    return {
        "behind": one.behind,
        "oldest_at": one.oldest_at,
        "applied_per_second": round(one.applied_per_second, 2),
        "arriving_per_second": round(one.arriving_per_second, 2),
        "catch_up_seconds": one.catch_up_seconds,
        "moved_at": one.moved_at,
        "state": one.word,
    }


def alarms(report: LagReport, *, age_seconds: float) -> list[str]:
    """A sentence for everything that has waited longer than `age_seconds`, and for what waits without a known age."""
    found = []
    for topic in report.topics:
        for part in topic.partitions:
            where = f"{topic.group} on {topic.topic}/{part.partition}"
            waits = _seconds(report, part.oldest_at)
            if part.behind and (waits is None or waits > age_seconds):
                since = "nobody knows since when" if waits is None else f"the oldest for {waits:.0f} s"
                found.append(f"{where}: {part.behind} records wait, {since}, {part.state}")
    for service in report.services:
        waits = _seconds(report, service.outbox_oldest_at)
        if waits is not None and waits > age_seconds:
            found.append(f"{service.service}: {service.outbox} events are not on Kafka, the oldest for {waits:.0f} s")
    return found


def _seconds(report: LagReport, since: datetime | None) -> float | None:
    return None if since is None else max(0.0, (report.read_at - since).total_seconds())
