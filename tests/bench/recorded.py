"""Facts of intake as a centre really told them, and the same again about any number of other dossiers."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from aiokafka import AIOKafkaProducer

from motcua.database import VERIFY
from motcua.local import LocalCentre
from shared.contracts.topics import DOSSIERS
from shared.messaging.relay import partition_of
from shared.messaging.topic_log import Copy, read
from tests.bench.bench import Bench
from tests.bench.chain import played
from tests.bench.counting import counted
from tests.bench.load import Load

_RANDOM_BITS = (1 << 62) - 1
"""Of a UUID, those that are neither time nor version nor variant (RFC 9562)."""
_STRIDE = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class Recording:
    """Intake's facts in the order of their offsets, partition by partition in turn, and its rows as they came to be."""

    facts: Sequence[Copy]
    rows: Sequence[dict[str, Any]]

    def copies_for(self, facts: int) -> int:
        """How many times it must be told to come to so many facts."""
        return -(-facts // len(self.facts))


def record(bench: Bench) -> Recording:
    """Plays whole lives through a centre of its own."""
    load = bench.load(bench.sizes.recorded_dossiers)
    with bench.local_centre("recorded", durable=False, starts_at=load.starts_at) as local:
        return asyncio.run(_recorded(local, load))


async def _recorded(local: LocalCentre, load: Load) -> Recording:
    await played(local, load)
    await counted(local)
    copies = [copy async for batch in read(local.site.kafka, DOSSIERS) for copy in batch]
    async with await psycopg.AsyncConnection.connect(local.site.databases[VERIFY]) as connection:
        rows = await (await connection.execute("select to_jsonb(d) from intake.dossiers d")).fetchall()
    return Recording(sorted(copies, key=lambda copy: (copy.offset, copy.partition)), [row[0] for row in rows])


def another(id_: str, copy: int) -> str:
    """The id of the same thing in copy number `copy`; copy 0 is the thing itself. No two things get one id."""
    return str(UUID(int=UUID(id_).int ^ (copy * _STRIDE & _RANDOM_BITS)))


def copied(fact: Copy, copy: int) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers of a fact, told about another dossier and with another id."""
    key, fact_id = another(fact.key, copy), another(fact.headers["id"], copy)
    value = fact.value.replace(fact.key.encode(), key.encode())
    value = value.replace(fact.headers["id"].encode(), fact_id.encode())
    headers = {**fact.headers, "id": fact_id}
    return key.encode(), value, [(name, told.encode()) for name, told in headers.items()]


async def tell(bootstrap: str, recording: Recording, copies: int) -> tuple[int, int]:
    """Put the facts on intake's topic, each `copies` times side by side; their number, and their mean size in bytes."""
    size = 0
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=20)
    await producer.start()
    try:
        for fact in recording.facts:
            sent = []
            for copy in range(copies):
                key, value, headers = copied(fact, copy)
                place = partition_of(key, DOSSIERS.partitions)
                sent.append(await producer.send(DOSSIERS.name, value, key=key, headers=headers, partition=place))
                size += len(value)
            await asyncio.gather(*sent)
    finally:
        await producer.stop()
    count = len(recording.facts) * copies
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
