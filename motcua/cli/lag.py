"""`motcua lag`: how each group gets on and what the services hold back, as a table, as JSON, or as an alarm."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from services.ops.report import LagReport, PaceReport, TopicLag, lag_report
from services.ops.watching import Reading, Watcher
from shared.kernel.errors import StartError

BETWEEN_SECONDS = 2.0
"""Between the two readings that a rate needs."""
_WATCHED_READINGS = 6
"""Rates that are watched are those of the last ten seconds, so that they do not jump."""


async def read(bootstrap: str, ops_url: str, *, between_seconds: float = BETWEEN_SECONDS) -> LagReport:
    """Two readings, and the rates between them; one, where Kafka is silent. Raises StartError without the database."""
    watcher = Watcher(bootstrap, ops_url)
    try:
        readings = [await watcher.look()]
        if readings[0].broker_silent is None:
            await asyncio.sleep(between_seconds)
            readings.append(await watcher.look())
        return lag_report(readings)
    finally:
        await watcher.close()


async def watch(bootstrap: str, ops_url: str, console: Console, shown: Callable[[LagReport], Group]) -> None:
    """Read and show, again and again, until it is cancelled. Raises StartError without the database."""
    watcher = Watcher(bootstrap, ops_url)
    readings: deque[Reading] = deque(maxlen=_WATCHED_READINGS)
    try:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                readings.append(await watcher.look())
                live.update(shown(lag_report(readings)), refresh=True)
                await asyncio.sleep(BETWEEN_SECONDS)
    finally:
        await watcher.close()


def tables(report: LagReport, *, by_partition: bool = False) -> Group:
    """By group one line a topic (or partition), then one a service, then what the numbers mean. Fits 80 columns."""
    paces = Table(box=None, padding=(0, 1, 0, 0))
    paces.add_column("group: topics", no_wrap=True)
    for title in ("behind", "oldest", "applied /s", "in /s"):
        paces.add_column(title, justify="right")
    paces.add_column("caught up in", justify="right", min_width=len("catching"))
    paces.add_column("moved", justify="right")
    paces.add_column("state", min_width=len("catching"))
    by_group: dict[str, list[TopicLag]] = {}
    for topic in report.topics:
        by_group.setdefault(topic.group, []).append(topic)
    for group in [*by_group, *(one.service for one in report.services if one.service not in by_group)]:
        paces.add_row(f"{group}:")
        for topic in by_group.get(group, []):
            if by_partition:
                for part in topic.partitions:
                    paces.add_row(f"{topic.topic}/{part.partition}", *_cells(report, part))
            else:
                paces.add_row(topic.topic, *_cells(report, topic))
        if group not in by_group:
            paces.add_row("?" if report.kafka_silent else "nothing applied yet")
    backlogs = Table(box=None)
    for title in ("service", "not yet on Kafka", "oldest", "quarantined"):
        backlogs.add_column(title, justify="left" if title in ("service", "quarantined") else "right")
    for service in report.services:
        kinds = [
            f"{kind.records:,} {kind.reason} ({age(report.read_at, kind.oldest_at)})" for kind in service.quarantined
        ]
        waits = age(report.read_at, service.outbox_oldest_at)
        backlogs.add_row(service.service, f"{service.outbox:,}", waits, ", ".join(kinds) or "–")
    over = f"Rates over {report.over_seconds:.0f} s, records a second." if report.over_seconds else ""
    return Group(paces, "", backlogs, "", over) if over else Group(paces, "", backlogs)


def _cells(report: LagReport, pace: PaceReport) -> tuple[str, ...]:
    catching = "not catching up" if pace.catch_up_seconds is None else _clock(pace.catch_up_seconds)
    if pace.state in ("idle", "flowing"):
        catching = "–"
    return (
        f"{pace.behind:,}",
        age(report.read_at, pace.oldest_at),
        _rate(pace.applied_per_second),
        _rate(pace.arriving_per_second),
        catching,
        age(report.read_at, pace.moved_at),
        pace.state,
    )


def age(now: datetime, since: datetime | None) -> str:
    """How long ago that was; a dash for never."""
    return "–" if since is None else _clock(max(timedelta(0), now - since).total_seconds())


def _rate(per_second: float) -> str:
    return f"{per_second:,.1f}" if per_second < 10 else f"{per_second:,.0f}"


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds))) if seconds >= 60 else f"{seconds:.1f} s"


def require_broker(report: LagReport) -> None:
    """Raises StartError with the reason when Kafka did not answer."""
    if report.kafka_silent is not None:
        raise StartError(report.kafka_silent)
