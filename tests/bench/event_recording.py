"""Events of intake as a centre really told them, and the same again about any number of other dossiers."""

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
from shared.messaging.topic_log import Copy, read_topic
from tests.bench.bench import Bench
from tests.bench.chain import played
from tests.bench.consistency import counted
from tests.bench.workload import Load

_RANDOM_BITS = (1 << 62) - 1
"""Of a UUID, those that are neither time nor version nor variant (RFC 9562)."""
_STRIDE = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Recording:
    """Intake's events in the order of their offsets, partition by partition in turn, and its rows as they came to
    be."""

    events: Sequence[Copy]
    rows: Sequence[dict[str, Any]]

    def copies_for(self, events: int) -> int:
        """How many times it must be told to come to so many events."""
        return -(-events // len(self.events))


def record(bench: Bench) -> Recording:
    """Plays whole lives through a centre of its own."""
    load = bench.load(bench.sizes.recorded_dossiers)
    with bench.local_centre("recorded", durable=False, starts_at=load.starts_at) as local:
        return asyncio.run(_recorded(local, load))


async def _recorded(local: LocalCentre, load: Load) -> Recording:
    await played(local, load)
    await counted(local)
    copies = [copy async for batch in read_topic(local.site.kafka, DOSSIERS) for copy in batch]
    async with await psycopg.AsyncConnection.connect(local.site.databases[VERIFY]) as connection:
        rows = await (await connection.execute("select to_jsonb(d) from intake.dossiers d")).fetchall()
    return Recording(sorted(copies, key=lambda copy: (copy.offset, copy.partition)), [row[0] for row in rows])


def another(id_: str, copy: int) -> str:
    """The id of the same thing in copy number `copy`; copy 0 is the thing itself. No two things get one id."""
    return str(UUID(int=UUID(id_).int ^ (copy * _STRIDE & _RANDOM_BITS)))


def copied(event: Copy, copy: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers of an event, told about another dossier and with another id."""
    key, event_id = another(event.key, copy), another(event.headers["id"], copy)
    value = event.value.replace(event.key.encode(), key.encode())
    value = value.replace(event.headers["id"].encode(), event_id.encode())
    headers = {**event.headers, "id": event_id}
    return key.encode(), value, [(name, told.encode()) for name, told in headers.items()]


async def tell(bootstrap: str, recording: Recording, copies: int) -> tuple[int, int]:
    """Put the events on intake's topic, each `copies` times side by side; their number, and their mean size in
    bytes."""
    size = 0
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=20)
    await producer.start()
    try:
        for event in recording.events:
            sent = []
            for copy in range(copies):
                key, value, headers = copied(event, copy)
                place = partition_of(key, DOSSIERS.partitions)
                sent.append(await producer.send(DOSSIERS.name, value, key=key, headers=headers, partition=place))
                size += len(value)
            await asyncio.gather(*sent)
    finally:
        await producer.stop()
    count = len(recording.events) * copies
    return count, size // count


def unheard(recording: Recording, copies: int) -> Iterator[str]:
    """Intake's rows as JSON, as they would be if it had heard nothing from others yet."""
    for copy in range(copies):
        for row in recording.rows:
            fresh: dict[str, Any] = {
                "dossier_id": another(row["dossier_id"], copy),
                "code": f"{row['code']}/{copy}" if row["code"] else None,
                "fences": {},
                "due": None,
                "assignment": None,
            }
            yield json.dumps(row | fresh)
