"""Queries of a service's quarantine table for `motcua parked`, and their output.

A decision to replay or discard a record is only stored in the table. The service's consumer executes it under the
dossier's lock, usually within seconds.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from textwrap import shorten
from uuid import UUID

import asyncpg

from motcua.cli.errors import (
    PlaceInvalidError,
    RecordNotQuarantinedError,
    RowInvalidError,
    RowNotSetAsideError,
    ServiceUnknownError,
)
from motcua.local.database import SERVICES
from shared.messaging import quarantine
from shared.postgres import set_aside
from shared.postgres.pool import connect

_MAX_REASON = 200
"""Characters of a reason in the list; `show` prints all of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a record on Kafka: topic, partition and offset."""

    topic: str
    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Read a text such as intake.dossiers.v1/3/120. Raises PlaceInvalidError if it has another form."""
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
    """Return `service` unchanged. Raises ServiceUnknownError if it is not a service with a quarantine table."""
    if service not in SERVICES:
        raise ServiceUnknownError(f"No service is called {service}. Use one of {', '.join(SERVICES)}.")
    return service


@asynccontextmanager
async def _connected(url: str, service: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(url, service)
    try:
        yield connection
    finally:
        await connection.close()


async def quarantined(url: str, service: str) -> list[asyncpg.Record]:
    """Read up to 200 quarantined records of one service: first those that need a decision, then by age."""
    async with _connected(url, service) as connection:
        return await quarantine.list_all(connection)


async def find(url: str, service: str, place: Place) -> quarantine.QuarantinedRecord:
    """Read one quarantined record of a service. Raises RecordNotQuarantinedError if the record is not quarantined."""
    async with _connected(url, service) as connection:
        found = await quarantine.find(connection, place.topic, place.partition, place.offset)
    if found is None:
        raise RecordNotQuarantinedError(
            f"{service} has no quarantined record at {place}. `motcua parked list` shows the quarantined records."
        )
    return found


async def decide(url: str, service: str, place: Place, decision: quarantine.OperatorDecision, *, by: str) -> None:
    """Store the operator's decision to replay or discard a parked record, for the service to execute. Commits.

    Raises Refusal if no decision about the record is possible.
    """
    async with _connected(url, service) as connection:
        await quarantine.request(connection, place.topic, place.partition, place.offset, decision, by=by)


def describe_rows(service: str, rows: Iterable[asyncpg.Record]) -> Iterator[str]:
    """Yield three lines per record: service and position; type, sequence and key; since when and why it is quarantined.

    `motcua parked show`, `replay` and `discard` take the position. A long reason is shortened, so that a terminal and a
    pipe get the same text.
    """
    for row in rows:
        requested = f", requested: {row['request']}" if row["request"] else ""
        yield f"{service} {row['topic']}/{row['partition']}/{row['offset']}"
        yield f"    {row['type']} #{row['sequence']} of {row['key']}"
        reason = shorten(f"{row['reason']}: {row['detail']}", _MAX_REASON, placeholder=" …")
        yield f"    since {timedelta(seconds=row['age_seconds'])}{requested}; {reason}"


def describe(found: quarantine.QuarantinedRecord) -> list[str]:
    """Return the lines to print for a record: its position, its headers, why it is quarantined, and its value."""
    record = found.record
    return [
        f"{record.topic}/{record.partition}/{record.offset}",
        f"key {record.key}, sequence {record.sequence}, epoch {record.epoch}",
        f"{record.type} version {record.version}, id {record.id}",
        f"{found.reason}: {found.detail}" + (f" (requested: {found.request})" if found.request else ""),
        record.value.decode(errors="replace"),
    ]


@dataclass(frozen=True, slots=True)
class RowName:
    """A row of a service's database: the table and the key."""

    table: str
    key: UUID

    @classmethod
    def parse(cls, text: str) -> "RowName":
        """Read a text such as dossiers/018f2c5e-7b1a-7c3d-9e2f-0123456789ab. Raises RowInvalidError otherwise."""
        table, _, key = text.partition("/")
        try:
            return cls(table, UUID(key))
        except ValueError as error:
            raise RowInvalidError(
                f"{text} is not table/key, such as dossiers/018f2c5e-7b1a-7c3d-9e2f-0123456789ab."
            ) from error


async def rows_set_aside(url: str, service: str) -> list[asyncpg.Record]:
    """Read up to 200 rows of one service that its workers have set aside, the oldest first."""
    async with _connected(url, service) as connection:
        return await set_aside.list_all(connection)


async def release(url: str, service: str, row: RowName) -> None:
    """Let the workers of the service claim a row again. Commits. Raises RowNotSetAsideError if it is not set aside."""
    async with _connected(url, service) as connection:
        found = await set_aside.release(connection, row.table, row.key)
    if not found:
        raise RowNotSetAsideError(f"{service} has not set aside {row.table}/{row.key}. See `motcua parked list`.")


def describe_set_aside(service: str, rows: Iterable[asyncpg.Record]) -> Iterator[str]:
    """Yield two lines per row: service, table and key; since when, by which worker and why it is set aside.

    `motcua parked release` takes the table and the key.
    """
    for row in rows:
        yield f"{service} {row['table_name']}/{row['key']}"
        reason = shorten(row["reason"], _MAX_REASON, placeholder=" …")
        yield f"    set aside by {row['worker']} since {timedelta(seconds=row['age_seconds'])}; {reason}"
