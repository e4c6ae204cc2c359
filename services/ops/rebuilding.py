"""The views from zero: their tables are emptied, and the next start counts every event again."""

import asyncio
import time

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.ops.worker import GROUP
from shared.contracts.topics import COURSES, DOSSIERS, TALLIES
from shared.kernel.errors import StartError
from shared.messaging.admin import create_topics

_WAIT_SECONDS = 30.0
_TABLES = (TALLIES, COURSES)


async def rebuild(bootstrap: str) -> None:
    """Delete both tables' changelogs and make them anew, replicated as the dossiers' events are.

    Nothing else need be reset: a table without a position is counted from the first record on. Raises StartError while
    a worker runs, or when Kafka refuses.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=15_000)
    try:
        await admin.start()
        await _require_nobody(admin)
        replication = await _replication(admin)
        present = set(await admin.list_topics())
        doomed = [topic.name for topic in _TABLES if topic.name in present]
        if doomed:
            await admin.delete_topics(doomed)
        until = time.monotonic() + _WAIT_SECONDS
        while set(doomed) & set(await admin.list_topics()):
            if time.monotonic() > until:
                raise StartError(f"Kafka has not deleted {', '.join(doomed)} within {_WAIT_SECONDS:.0f} s: try again.")
            await asyncio.sleep(0.2)
    except (KafkaError, TimeoutError) as error:
        raise StartError(f"Kafka at {bootstrap} refused: {error!r}.") from error
    finally:
        await admin.close()
    await create_topics(bootstrap, _TABLES, replication=replication)


async def _require_nobody(admin: AIOKafkaAdminClient) -> None:
    for response in await admin.describe_consumer_groups([GROUP]):
        for group in response.groups:
            members = group[5]
            if members:
                raise StartError(
                    f"{len(members)} ops process{'es are' if len(members) > 1 else ' is'} counting: stop ops first "
                    "(one that was killed counts for ten seconds more)"
                )


async def _replication(admin: AIOKafkaAdminClient) -> int:
    """As the dossiers' events: their topic is there even where a rebuild was cut off between deleting and making."""
    for described in await admin.describe_topics([DOSSIERS.name]):
        for partition in described["partitions"]:
            return len(partition["replicas"])
    raise StartError(f"Kafka has no topic {DOSSIERS.name}, so nothing was counted: create the topics first")
