"""Topics that other tests have written to, for a fresh database that does not know their records."""

import asyncpg

from shared.contracts.topics import TOPICS
from shared.messaging.offsets import EndOffsets
from shared.messaging.topic_log import read_event_ids
from shared.messaging.written_log import STORE_ENDS


async def accept_records(url: str, service: str, bootstrap: str) -> None:
    """Store the present ends of the service's topics as written by it, unless it has stored some.

    Without this, its relay would halt: it does not know the records.
    """
    connection = await asyncpg.connect(url, server_settings={"search_path": service})
    ends = EndOffsets(bootstrap)
    try:
        if await connection.fetchval("select exists (select from produced_offsets)"):
            return
        topics = [topic for topic in TOPICS.values() if topic.owner == service]
        places = [(topic.name, number) for topic in topics for number in range(topic.partitions)]
        found = {place: end for place, end in (await ends.read(places)).items() if end}
        ids = await read_event_ids(bootstrap, {place: (end - 1, end) for place, end in found.items()})
        await connection.execute(
            STORE_ENDS,
            [topic for topic, _ in found],
            [number for _, number in found],
            list(found.values()),
            [ids[place][0] or None for place in found],
        )
    finally:
        await ends.close()
        await connection.close()
