"""Rebuild the views: delete the content of their tables, so that the next start of ops counts every event again."""

import asyncio
import time

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.ops.views.worker import GROUP
from shared.contracts.topics import COURSES, DOSSIERS, TALLIES
from shared.kernel.errors import StartError
from shared.messaging.admin import create_topics

_DELETE_TIMEOUT_SECONDS = 30.0
_TABLES = (TALLIES, COURSES)


async def rebuild(bootstrap: str) -> None:
    """Delete both changelog topics and create them again empty, with the replication factor of the dossiers' topic.

    Nothing else needs a reset: without a stored position, counting starts at the first record. Raises StartError if a
    worker of ops runs, or if Kafka does not answer or refuses.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=15_000)
    try:
        await admin.start()
        await _require_no_members(admin)
        replication = await _replication(admin)
        existing = set(await admin.list_topics())
        deleted = [topic.name for topic in _TABLES if topic.name in existing]
        if deleted:
            await admin.delete_topics(deleted)
        until = time.monotonic() + _DELETE_TIMEOUT_SECONDS
        while set(deleted) & set(await admin.list_topics()):
            if time.monotonic() > until:
                raise StartError(
                    f"Kafka has not deleted {', '.join(deleted)} within {_DELETE_TIMEOUT_SECONDS:.0f} s. Try again."
                )
            await asyncio.sleep(0.2)
    except (KafkaError, TimeoutError) as error:
        raise StartError(f"Kafka at {bootstrap} refused the rebuild: {error!r}.") from error
    finally:
        await admin.close()
    await create_topics(bootstrap, _TABLES, replication=replication)


async def _require_no_members(admin: AIOKafkaAdminClient) -> None:
    for response in await admin.describe_consumer_groups([GROUP]):
        for group in response.groups:
            members = group[5]
            if members:
                raise StartError(
                    f"{len(members)} ops process{'es are' if len(members) > 1 else ' is'} running. Stop ops first. "
                    "A killed process remains a member for ten seconds."
                )


async def _replication(admin: AIOKafkaAdminClient) -> int:
    """Return the replication factor of the dossiers' topic. Raises StartError if the topic does not exist.

    The changelog topics themselves may be missing after an interrupted rebuild.
    """
    for described in await admin.describe_topics([DOSSIERS.name]):
        for partition in described["partitions"]:
            return len(partition["replicas"])
    raise StartError(f"Kafka has no topic {DOSSIERS.name}. Create the topics first (`motcua topics`).")
