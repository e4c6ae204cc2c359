"""Build the lag report from samples, and the alarms from the report."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.ops.domain.progress import Progress, combine, measure
from services.ops.lag.reader import LagSample
from services.ops.lag.schemas import LagReport, PartitionLag, QuarantinedRecords, ServiceBacklog, TopicLag
from services.ops.lag.store import GroupPartition


def lag_report(samples: Sequence[LagSample]) -> LagReport:
    """Return the report as of the last of the samples, which are in order of time.

    Rates are averages since the first sample that Kafka answered. Raises ValueError without a sample.
    """
    if not samples:
        raise ValueError("A report needs at least one sample.")
    last = samples[-1]
    answered = [sample for sample in samples if sample.kafka_error is None]
    topics = [] if last.kafka_error else _topics(answered)
    return LagReport(
        read_at=last.read_at,
        over_seconds=(last.read_at - answered[0].read_at).total_seconds() if topics else 0.0,
        kafka_error=last.kafka_error,
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


def _topics(samples: Sequence[LagSample]) -> list[TopicLag]:
    progress: dict[GroupPartition, Progress] = {
        place: measure([sample.offsets[place] for sample in samples if place in sample.offsets])
        for place in samples[-1].offsets
    }
    by_topic: dict[tuple[str, str], dict[int, Progress]] = {}
    for (group, topic, partition), one in progress.items():
        by_topic.setdefault((group, topic), {})[partition] = one
    return [
        TopicLag(
            group=group,
            topic=topic,
            partitions=[PartitionLag(partition=number, **_fields(one)) for number, one in sorted(partitions.items())],
            **_fields(combine(partitions.values())),
        )
        for (group, topic), partitions in by_topic.items()
    ]


def _fields(progress: Progress) -> dict[str, Any]:
    return {
        "behind": progress.behind,
        "oldest_at": progress.oldest_at,
        "applied_per_second": round(progress.applied_per_second, 2),
        "arriving_per_second": round(progress.arriving_per_second, 2),
        "catch_up_seconds": progress.catch_up_seconds,
        "moved_at": progress.moved_at,
        "state": progress.state,
    }


def alarms(report: LagReport, *, age_seconds: float) -> list[str]:
    """Return one sentence for each partition and each outbox whose oldest pending entry is older than `age_seconds`.

    A partition with pending records of unknown age is included.
    """
    found = []
    for topic in report.topics:
        for part in topic.partitions:
            age = _age_seconds(report, part.oldest_at)
            if part.behind and (age is None or age > age_seconds):
                since = "age unknown" if age is None else f"the oldest for {age:.0f} s"
                place = f"{topic.group} on {topic.topic}/{part.partition}"
                found.append(f"{place}: {part.behind} records pending, {since}, {part.state}.")
    for service in report.services:
        age = _age_seconds(report, service.outbox_oldest_at)
        if age is not None and age > age_seconds:
            pending = f"{service.outbox} events not published to Kafka"
            found.append(f"{service.service}: {pending}, the oldest for {age:.0f} s.")
    return found


def _age_seconds(report: LagReport, since: datetime | None) -> float | None:
    return None if since is None else max(0.0, (report.read_at - since).total_seconds())
