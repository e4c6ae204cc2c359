"""Check that every consumer has applied every event: fences are at the last sequence, no record is quarantined."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from motcua.verification.findings import Finding
from motcua.verification.history import History
from shared.contracts.topics import ASSIGNMENTS, CALENDARS, DEADLINES, DOSSIERS, Topic


@dataclass(frozen=True, slots=True)
class Reader:
    """The table in which a service stores, per row, the fence of one topic. `key` is the column with the record key."""

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
"""All consumers; a test compares them with the services' streams."""

SERVICES = tuple(dict.fromkeys(reader.service for reader in READERS))


async def fences(connection: asyncpg.Connection, reader: Reader, history: History) -> list[Finding]:
    """Return a finding for each key whose fence in the reader's table is missing or not the topic's last sequence."""
    rows = await connection.fetch(
        f"select {reader.key}::text as key, (fences -> $1 ->> 0)::bigint as sequence "
        f"from {reader.service}.{reader.table}",
        reader.topic.name,
    )
    found: Mapping[str, asyncpg.Record] = {row["key"]: row for row in rows}
    findings = []
    for key, events in history.by_key.items():
        row = found.get(key)
        last = events[-1].sequence
        if row is None:
            findings.append(
                Finding("fence", key, f"{reader.service} has no row, but {reader.topic.name} has {last} events.")
            )
        elif (row["sequence"] or 0) != last:
            findings.append(
                Finding(
                    "fence",
                    key,
                    f"{reader.service} has applied {row['sequence'] or 0} of {last} events of {reader.topic.name}.",
                )
            )
    findings += [
        Finding(
            "fence",
            key,
            f"{reader.service} has applied {row['sequence']} events of {reader.topic.name}, which has none.",
        )
        for key, row in found.items()
        if row["sequence"] and key not in history.by_key
    ]
    return findings


async def quarantined(connection: asyncpg.Connection, service: str) -> list[Finding]:
    """Return a finding for each record that the service has quarantined: parked, or blocked by another or a gap."""
    rows = await connection.fetch(
        f'select key, topic, partition, "offset", reason, detail from {service}.quarantined_records '
        "order by quarantined_at"
    )
    return [
        Finding(
            "quarantined",
            row["key"],
            f"{service} has quarantined the record {row['topic']}/{row['partition']}/{row['offset']} "
            f"({row['reason']}: {row['detail']}); see `motcua parked`.",
        )
        for row in rows
    ]


async def set_aside(connection: asyncpg.Connection, service: str) -> list[Finding]:
    """Return a finding for each row that the service's workers have set aside because a decision about it fails."""
    rows = await connection.fetch(
        f"select table_name, key::text, worker, reason from {service}.set_aside_rows order by set_aside_at"
    )
    return [
        Finding(
            "set aside",
            row["key"],
            f"{service} has set aside the row of {row['table_name']} ({row['worker']}: {row['reason']}); "
            "see `motcua parked`.",
        )
        for row in rows
    ]
