"""`motcua lag`: messages behind and the age of the oldest by group, as an operator sees it in one table."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import sql
from rich.table import Table

from motcua.database import SERVICES, away
from shared.kernel.errors import StartError
from shared.messaging.lag import Lag, Place, read_lag
from shared.runtime.clock import machine_now

BROKER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in one service besides its topics: facts not yet on Kafka, records held."""

    outbox: int
    held: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The lag of every group at one moment; a service whose schema is not there yet is absent from `backlogs`.

    `broker_silent` says why `lags` is empty when Kafka did not answer: what waits in the services is told all the same.
    """

    lags: list[Lag]
    backlogs: Mapping[str, Backlog]
    read_at: datetime
    broker_silent: str | None = None


def read(bootstrap: str, verify_url: str) -> Reading:
    """Read through the read-only role. Blocks, for Kafka at most BROKER_SECONDS. Raises StartError when the database
    does not answer."""
    positions: dict[str, dict[Place, int]] = {}
    backlogs: dict[str, Backlog] = {}
    try:
        with psycopg.connect(verify_url, connect_timeout=5) as connection:
            for service in SERVICES:
                if connection.execute("select to_regclass(%s)", (f"{service}.stored_offsets",)).fetchone() == (None,):
                    continue
                backlogs[service] = _backlog(connection, service)
                for group, topic, partition, next_offset in connection.execute(
                    sql.SQL("select consumer_group, topic, partition, next_offset from {}").format(
                        sql.Identifier(service, "stored_offsets")
                    )
                ):
                    positions.setdefault(group, {})[topic, partition] = next_offset
    except psycopg.OperationalError as error:
        raise away(error) from error
    try:
        lags = asyncio.run(asyncio.wait_for(read_lag(bootstrap, positions), BROKER_SECONDS))
    except StartError as error:
        return Reading([], backlogs, machine_now(), str(error))
    except TimeoutError:
        silent = f"Kafka at {bootstrap} has not answered for {BROKER_SECONDS:.0f} s: it hangs, or is not there."
        return Reading([], backlogs, machine_now(), silent)
    return Reading(lags, backlogs, machine_now())


def _backlog(connection: psycopg.Connection, service: str) -> Backlog:
    counted = connection.execute(
        sql.SQL("select (select count(*) from {}), (select count(*) from {})").format(
            sql.Identifier(service, "outbox"), sql.Identifier(service, "held_records")
        )
    ).fetchone()
    assert counted is not None, "two counts are one row"
    return Backlog(*counted)


def table(reading: Reading) -> Table:
    """One line a group and topic; the oldest of its partitions."""
    shown = Table(box=None)
    for title in ("group", "topic", "behind", "oldest waits", "not yet on Kafka", "held"):
        shown.add_column(title, justify="left" if title in ("group", "topic") else "right")
    by_topic: dict[tuple[str, str], list[Lag]] = {}
    for lag in reading.lags:
        by_topic.setdefault((lag.group, lag.topic), []).append(lag)
    silent = [(service, "") for service in reading.backlogs if service not in {group for group, _ in by_topic}]
    first_of: set[str] = set()
    for group, topic in [*by_topic, *silent]:
        lags = by_topic.get((group, topic), [])
        backlog = reading.backlogs.get(group) if group not in first_of else None
        first_of.add(group)
        shown.add_row(
            group,
            topic or ("?" if reading.broker_silent else "nothing applied yet"),
            "?" if reading.broker_silent else f"{sum(lag.behind for lag in lags):,}",
            "?" if reading.broker_silent else age(reading.read_at, [lag.oldest_at for lag in lags if lag.oldest_at]),
            f"{backlog.outbox:,}" if backlog else "",
            f"{backlog.held:,}" if backlog else "",
        )
    return shown


def age(now: datetime, stamps: list[datetime]) -> str:
    """How long the oldest has waited; a dash if nothing waits."""
    if not stamps:
        return "–"
    waited = max(timedelta(0), now - min(stamps))
    return (
        str(timedelta(seconds=int(waited.total_seconds())))
        if waited >= timedelta(minutes=1)
        else (f"{waited.total_seconds():.1f} s")
    )
