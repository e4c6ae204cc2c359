"""Recording of the events that intake publishes, and copies of them with other dossier ids."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from aiokafka import AIOKafkaProducer

from motcua.local.centre import LocalCentre
from motcua.local.database import VERIFY
from shared.contracts.topics import DOSSIERS
from shared.messaging.relay import partition_of
from shared.messaging.topic_log import RawRecord, read_topic
from tests.bench.bench import Bench
from tests.bench.chain import play_workload
from tests.bench.consistency import count_centre
from tests.bench.workload import Workload

_RANDOM_BITS = (1 << 62) - 1
"""The random bits of a UUIDv7 below its variant (RFC 9562)."""
_STRIDE = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Recording:
    """Intake's events by offset, interleaved over the partitions, and intake's dossier rows at the end."""

    events: Sequence[RawRecord]
    rows: Sequence[dict[str, Any]]

    def copies_for(self, events: int) -> int:
        """Number of copies needed for at least that many events."""
        return -(-events // len(self.events))


def record(bench: Bench) -> Recording:
    """Play dossiers from submission to result through a fresh centre, and record intake's events."""
    workload = bench.workload(bench.sizes.recorded_dossiers)
    with bench.local_centre("recorded", durable=False, starts_at=workload.starts_at) as local:
        return asyncio.run(_record(local, workload))


async def _record(local: LocalCentre, workload: Workload) -> Recording:
    await play_workload(local, workload)
    await count_centre(local)
    copies = [copy async for batch in read_topic(local.site.kafka, DOSSIERS) for copy in batch]
    async with await psycopg.AsyncConnection.connect(local.site.databases[VERIFY]) as connection:
        rows = await (await connection.execute("select to_jsonb(d) from intake.dossiers d")).fetchall()
    return Recording(sorted(copies, key=lambda copy: (copy.offset, copy.partition)), [row[0] for row in rows])


def copied_id(id_: str, copy: int) -> str:
    """Return the id in copy number `copy`: unique for each copy, and unchanged in copy 0."""
    return str(UUID(int=UUID(id_).int ^ (copy * _STRIDE & _RANDOM_BITS)))


def copied_record(event: RawRecord, copy: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Return key, value and headers of the event with the dossier id and event id of copy number `copy`."""
    key, event_id = copied_id(event.key, copy), copied_id(event.headers["id"], copy)
    value = event.value.replace(event.key.encode(), key.encode())
    value = value.replace(event.headers["id"].encode(), event_id.encode())
    headers = {**event.headers, "id": event_id}
    return key.encode(), value, [(name, header.encode()) for name, header in headers.items()]


async def publish_copies(bootstrap: str, recording: Recording, copies: int) -> tuple[int, int]:
    """Publish `copies` copies of each event on intake's topic. Returns their number and their mean size in bytes."""
    total_bytes = 0
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=20)
    await producer.start()
    try:
        for event in recording.events:
            sent = []
            for copy in range(copies):
                key, value, headers = copied_record(event, copy)
                partition = partition_of(key, DOSSIERS.partitions)
                sent.append(await producer.send(DOSSIERS.name, value, key=key, headers=headers, partition=partition))
                total_bytes += len(value)
            await asyncio.gather(*sent)
    finally:
        await producer.stop()
    count = len(recording.events) * copies
    return count, total_bytes // count


def initial_rows(recording: Recording, copies: int) -> Iterator[str]:
    """Yield intake's dossier rows as JSON, in the state before it consumed any event of another service."""
    for copy in range(copies):
        for row in recording.rows:
            fresh: dict[str, Any] = {
                "dossier_id": copied_id(row["dossier_id"], copy),
                "code": f"{row['code']}/{copy}" if row["code"] else None,
                "fences": {},
                "due": None,
                "assignment": None,
            }
            yield json.dumps(row | fresh)
