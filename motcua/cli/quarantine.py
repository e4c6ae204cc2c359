"""Queries of a service's quarantine table for `motcua parked`, and their output.

A decision is only stored here. The service's consumer executes it under the dossier's lock, usually within seconds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from textwrap import shorten

import asyncpg

from motcua.cli.errors import PlaceInvalidError, RecordNotQuarantinedError, ServiceUnknownError
from motcua.local.database import SERVICES
from shared.messaging import quarantine
from shared.postgres.pool import connect

_MAX_REASON = 200
"""Characters of a reason in the list; `show` prints all of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a record on Kafka."""

    topic: str
    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read topic/partition/offset. Raises PlaceInvalidError."""
        topic, *numbers = text.split("/")
        if len(numbers) != 2 or not all(number.isdecimal() and number.isascii() for number in numbers):
            raise PlaceInvalidError(f"{text} is not topic/partition/offset, such as intake.dossiers.v1/3/120.")
        partition, offset = int(numbers[0]), int(numbers[1])
        if partition >= 2**31 or offset >= 2**63:
            raise PlaceInvalidError(f"{text}: partition or offset is larger than Kafka allows.")
        return cls(topic, partition, offset)

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


def require_service(service: str) -> str:
    """The name itself, if it is a service with a quarantine table. Raises ServiceUnknownError."""
    if service not in SERVICES:
        raise ServiceUnknownError(f"No service is called {service}. Use one of {', '.join(SERVICES)}.")
    return service


async def quarantined(url: str, service: str) -> list[asyncpg.Record]:
    """The quarantined records of one service; those that need a decision come first."""
    connection = await connect(url, service)
    try:
        return await quarantine.list_all(connection)
    finally:
        await connection.close()


async def find(url: str, service: str, place: Place) -> quarantine.QuarantinedRecord:
    """One quarantined record. Raises RecordNotQuarantinedError."""
    connection = await connect(url, service)
    try:
        found = await quarantine.find(connection, place.topic, place.partition, place.offset)
    finally:
        await connection.close()
    if found is None:
        raise RecordNotQuarantinedError(
            f"{service} has no quarantined record at {place}. `motcua parked list` shows the quarantined records."
        )
    return found


async def decide(url: str, service: str, place: Place, decision: quarantine.OperatorDecision, *, by: str) -> None:
    """Store the operator's decision. Commits. Raises Refusal if no decision about the record is possible."""
    connection = await connect(url, service)
    try:
        await quarantine.request(connection, place.topic, place.partition, place.offset, decision, by=by)
    finally:
        await connection.close()


def describe_rows(service: str, rows: Iterable[asyncpg.Record]) -> Iterator[str]:
    """Three lines per record: its place, which the other commands take; what it is; why and since when it is
    quarantined. Lines are shortened here, so that a terminal and a pipe get the same text."""
    for row in rows:
        requested = f", requested: {row['request']}" if row["request"] else ""
        yield f"{service} {row['topic']}/{row['partition']}/{row['offset']}"
        yield f"    {row['type']} #{row['sequence']} of {row['key']}"
        reason = shorten(f"{row['reason']}: {row['detail']}", _MAX_REASON, placeholder=" …")
        yield f"    since {timedelta(seconds=row['age_seconds'])}{requested}; {reason}"


def describe(found: quarantine.QuarantinedRecord) -> list[str]:
    """A record with its headers, its reason and its value, a line each."""
    record = found.record
    return [
        f"{record.topic}/{record.partition}/{record.offset}",
        f"key {record.key}, sequence {record.sequence}, epoch {record.epoch}",
        f"{record.type} version {record.version}, id {record.id}",
        f"{found.reason}: {found.detail}" + (f" (requested: {found.request})" if found.request else ""),
        record.value.decode(errors="replace"),
    ]
