"""The centre's topics, created again on a broker that other tests have used: cheaper than a new broker."""

from aiokafka.admin import AIOKafkaAdminClient

from motcua.local.database import OPS, SERVICES
from shared.contracts.topics import ALL_TOPICS
from shared.messaging.admin import create_topics
from tests.support.waiting import eventually


async def recreate_topics(bootstrap: str) -> None:
    """Create all topics of a centre, empty, after the services' consumer groups have lost their last member.

    A killed consumer stays a member until its session times out.
    """
    names = {topic.name for topic in ALL_TOPICS}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()

    async def there() -> list[str]:
        return sorted(names & set(await admin.list_topics()))

    async def none_left() -> bool:
        return not await there()

    async def groups_are_empty() -> bool:
        known = {name for name, *_ in await admin.list_consumer_groups()}
        answers = [await admin.describe_consumer_groups([group]) for group in known & {*SERVICES, OPS}]
        return not any(group[5] for (answer,) in answers for group in answer.groups)

    try:
        await eventually(groups_are_empty, within=60, every=0.5)
        if old := await there():
            await admin.delete_topics(old)
            await eventually(none_left, within=30)
    finally:
        await admin.close()
    await create_topics(bootstrap, ALL_TOPICS, replication=1)
