"""Every consumer has read everything: stored offsets at the end, fences at the last sequence, nothing held."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from motcua.verification.findings import Finding
from motcua.verification.history import History
from shared.contracts.topics import ASSIGNMENTS, CALENDARS, DEADLINES, DOSSIERS, Topic


@dataclass(frozen=True, slots=True)
class Reader:
    """A service's table that keeps the fences of one topic."""

    service: str
    topic: Topic
    table: str = "dossiers"
    key: str = "dossier_id"


READERS = (
    Reader("intake", ASSIGNMENTS),
    Reader("intake", DEADLINES),
    Reader("intake", CALENDARS, "calendars", "name"),
    Reader("routing", DOSSIERS),
    Reader("routing", CALENDARS, "calendars", "name"),
    Reader("sla", DOSSIERS),
    Reader("notify", DOSSIERS),
    Reader("notify", ASSIGNMENTS),
    Reader("notify", DEADLINES),
)
"""Who reads what; a test holds it against the services' own streams."""

SERVICES = tuple(dict.fromkeys(reader.service for reader in READERS))


async def fences(connection: asyncpg.Connection, reader: Reader, history: History) -> list[Finding]:
    """Each key's fence equals the last sequence of the topic; nothing else has one."""
    rows = await connection.fetch(
        f"select {reader.key}::text as key, (fences -> $1 ->> 0)::bigint as sequence, "
        f"(fences -> $1 ->> 2)::boolean as held from {reader.service}.{reader.table}",
        reader.topic.name,
    )
    found: Mapping[str, asyncpg.Record] = {row["key"]: row for row in rows}
    findings = []
    for key, events in history.by_key.items():
        row = found.get(key)
        last = events[-1].sequence
        if row is None:
            findings.append(
                Finding("fence", key, f"{reader.service} keeps no row of it, {reader.topic.name} tells {last}")
            )
        elif (row["sequence"] or 0) != last:
            findings.append(
                Finding(
                    "fence",
                    key,
                    f"{reader.service} has applied {row['sequence'] or 0} of {last} events of {reader.topic.name}",
                )
            )
    findings += [
        Finding(
            "fence",
            key,
            f"{reader.service} has applied {row['sequence']} events of {reader.topic.name}, which tells none",
        )
        for key, row in found.items()
        if row["sequence"] and key not in history.by_key
    ]
    return findings


async def held(connection: asyncpg.Connection, service: str) -> list[Finding]:
    """Nothing is parked, and nothing waits behind it or for a predecessor."""
    rows = await connection.fetch(
        f'select key, topic, partition, "offset", reason, detail from {service}.quarantined_records '
        "order by quarantined_at"
    )
    return [
        Finding(
            "held",
            row["key"],
            f"{service} holds the record at {row['topic']} partition {row['partition']} offset {row['offset']} "
            f"({row['reason']}): {row['detail']}",
        )
        for row in rows
    ]
