"""Reading and formatting for `motcua lag`: the lag of each consumer group and the backlog of each service."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from services.ops.lag.reader import LagReader, LagSample
from services.ops.lag.report import lag_report
from services.ops.lag.schemas import LagReport, ProgressReport, TopicLag
from shared.kernel.errors import StartError

INTERVAL_SECONDS = 2.0
"""Time between two samples; a rate is calculated from both."""
_WATCH_SAMPLES = 6
"""With --watch, rates are averages over ten seconds, so that they are steady."""


async def read(bootstrap: str, ops_url: str, *, interval_seconds: float = INTERVAL_SECONDS) -> LagReport:
    """Return a lag report from two samples, `interval_seconds` apart.

    If Kafka does not answer, the report has one sample and the error in `kafka_error`. Raises StartError if the
    database does not answer.
    """
    reader = LagReader(bootstrap, ops_url)
    try:
        samples = [await reader.read()]
        if samples[0].kafka_error is None:
            await asyncio.sleep(interval_seconds)
            samples.append(await reader.read())
        return lag_report(samples)
    finally:
        await reader.close()


async def watch(bootstrap: str, ops_url: str, console: Console, render: Callable[[LagReport], Group]) -> None:
    """Take a sample every two seconds and refresh the report on the console, until cancelled.

    Raises StartError if the database does not answer.
    """
    reader = LagReader(bootstrap, ops_url)
    samples: deque[LagSample] = deque(maxlen=_WATCH_SAMPLES)
    try:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                samples.append(await reader.read())
                live.update(render(lag_report(samples)), refresh=True)
                await asyncio.sleep(INTERVAL_SECONDS)
    finally:
        await reader.close()


def tables(report: LagReport, *, by_partition: bool = False) -> Group:
    """Format a report as two tables within 80 columns: lag per group and topic (or partition), backlog per service."""
    lag = Table(box=None, padding=(0, 1, 0, 0))
    lag.add_column("group: topics", no_wrap=True)
    for title in ("lag", "oldest", "applied /s", "in /s"):
        lag.add_column(title, justify="right")
    lag.add_column("catch-up time", justify="right", min_width=len("catching"))
    lag.add_column("moved", justify="right")
    lag.add_column("state", min_width=len("catching"))
    by_group: dict[str, list[TopicLag]] = {}
    for topic in report.topics:
        by_group.setdefault(topic.group, []).append(topic)
    for group in [*by_group, *(one.service for one in report.services if one.service not in by_group)]:
        lag.add_row(f"{group}:")
        for topic in by_group.get(group, []):
            if by_partition:
                for part in topic.partitions:
                    lag.add_row(f"{topic.topic}/{part.partition}", *_cells(report, part))
            else:
                lag.add_row(topic.topic, *_cells(report, topic))
        if group not in by_group:
            lag.add_row("?" if report.kafka_error else "nothing applied yet")
    backlogs = Table(box=None)
    for title in ("service", "not yet on Kafka", "oldest", "quarantined"):
        backlogs.add_column(title, justify="left" if title in ("service", "quarantined") else "right")
    for service in report.services:
        reasons = [
            f"{one.records:,} {one.reason} ({age(report.read_at, one.oldest_at)})" for one in service.quarantined
        ]
        oldest = age(report.read_at, service.outbox_oldest_at)
        backlogs.add_row(service.service, f"{service.outbox:,}", oldest, ", ".join(reasons) or "–")
    rates = f"Rates over {report.over_seconds:.0f} s, in records per second." if report.over_seconds else ""
    return Group(lag, "", backlogs, "", rates) if rates else Group(lag, "", backlogs)


def _cells(report: LagReport, progress: ProgressReport) -> tuple[str, ...]:
    catch_up = "not catching up" if progress.catch_up_seconds is None else _duration(progress.catch_up_seconds)
    if progress.state in ("idle", "flowing"):
        catch_up = "–"
    return (
        f"{progress.behind:,}",
        age(report.read_at, progress.oldest_at),
        _rate(progress.applied_per_second),
        _rate(progress.arriving_per_second),
        catch_up,
        age(report.read_at, progress.moved_at),
        progress.state,
    )


def age(now: datetime, since: datetime | None) -> str:
    """Format the time from `since` to `now`; a dash if `since` is None."""
    return "–" if since is None else _duration(max(timedelta(0), now - since).total_seconds())


def _rate(per_second: float) -> str:
    return f"{per_second:,.1f}" if per_second < 10 else f"{per_second:,.0f}"


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds))) if seconds >= 60 else f"{seconds:.1f} s"


def require_broker(report: LagReport) -> None:
    """Raise StartError with the reason if Kafka did not answer when the report was read."""
    if report.kafka_error is not None:
        raise StartError(report.kafka_error)
