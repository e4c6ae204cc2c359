"""Records that wait in a service's quarantine table, and an operator's word on them.

A decision is only noted here; the service's consumer carries it out, under the dossier's lock, within seconds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from textwrap import shorten

import asyncpg

from motcua.local.database import SERVICES
from shared.kernel.errors import ExpectedError
from shared.messaging import quarantine
from shared.postgres.pool import connect

_WIDEST = 200
"""Characters of a reason in the list; `show` has all of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands on Kafka."""

    topic: str
    partition: int
    offset: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Raises Refusal for anything but topic/partition/offset."""
        topic, *numbers = text.split("/")
        if len(numbers) != 2 or not all(number.isdecimal() and number.isascii() for number in numbers):
            raise ExpectedError("not-a-place", f"{text} is not topic/partition/offset, as in intake.dossiers.v1/3/120")
        partition, offset = int(numbers[0]), int(numbers[1])
        if partition >= 2**31 or offset >= 2**63:
            raise ExpectedError("not-a-place", f"{text}: no partition or offset is as large as that")
        return cls(topic, partition, offset)


def known(service: str) -> str:
    """The name of a service that has a quarantine table. Raises Refusal for another."""
    if service not in SERVICES:
        raise ExpectedError("no-such-service", f"there is no service {service}: {', '.join(SERVICES)}")
    return service


async def waiting(url: str, service: str) -> list[asyncpg.Record]:
    """What waits in one service, what blocks first."""
    connection = await connect(url, service)
    try:
        return await quarantine.list_all(connection)
    finally:
        await connection.close()


async def find(url: str, service: str, place: Place) -> quarantine.QuarantinedRecord:
    """One waiting record. Raises Refusal if there is none."""
    connection = await connect(url, service)
    try:
        found = await quarantine.find(connection, place.topic, place.partition, place.offset)
    finally:
        await connection.close()
    if found is None:
        where = f"{place.topic}/{place.partition}/{place.offset}"
        raise ExpectedError(
            "record-not-quarantined",
            f"{service} holds no record at {where}; `motcua parked list` shows what waits",
            status=404,
        )
    return found


async def decide(url: str, service: str, place: Place, decision: quarantine.OperatorDecision, *, by: str) -> None:
    """Note the operator's word. Commits. Raises Refusal where there is nothing to decide."""
    connection = await connect(url, service)
    try:
        await quarantine.request(connection, place.topic, place.partition, place.offset, decision, by=by)
    finally:
        await connection.close()


def listed(service: str, rows: Iterable[asyncpg.Record]) -> Iterator[str]:
    """What waits in a service: of each record its place, which the other commands take, what it is, and why it waits,
    on a line each, so that a terminal and a pipe get the same."""
    for row in rows:
        asked = f", asked for: {row['request']}" if row["request"] else ""
        yield f"{service} {row['topic']}/{row['partition']}/{row['offset']}"
        yield f"    {row['type']} #{row['sequence']} of {row['key']}"
        because = shorten(f"{row['reason']}: {row['detail']}", _WIDEST, placeholder=" …")
        yield f"    since {timedelta(seconds=row['age_seconds'])}{asked}; {because}"


def told(found: quarantine.QuarantinedRecord) -> list[str]:
    """A record in words."""
    record = found.record
    return [
        f"{record.topic}/{record.partition}/{record.offset}",
        f"about {record.key}, sequence {record.sequence}, epoch {record.epoch}",
        f"{record.type} version {record.version}, id {record.id}",
        f"{found.reason}: {found.detail}" + (f" (asked for: {found.request})" if found.request else ""),
        record.value.decode(errors="replace"),
    ]
