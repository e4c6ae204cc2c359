"""The centre's topics, created again on a broker that other tests have used: cheaper than a new broker."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest

from motcua.local.database import OPS, SERVICES
from shared.contracts.topics import ALL_TOPICS
from shared.messaging.admin import create_topics
from tests.support.waiting import eventually


async def recreate_topics(bootstrap: str) -> None:
    """Create all topics of a centre, empty, after the services' consumer groups have lost their last member.

    A static member stays in its group until its session times out, so this removes each. Nothing may consume meanwhile.
    """
    names = {topic.name for topic in ALL_TOPICS}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()

    async def there() -> list[str]:
        return sorted(names & set(await admin.list_topics()))

    async def none_left() -> bool:
        return not await there()

    async def groups_are_empty() -> bool:
        known = {name for name, *_ in await admin.list_consumer_groups()} & {*SERVICES, OPS}
        members = [(group, member) for group in sorted(known) for member in await _members(admin, group)]
        for group, member in members:
            await admin._send_request(LeaveGroupRequest(group, member))
        return not members

    try:
        await eventually(groups_are_empty, within=60)
        if old := await there():
            await admin.delete_topics(old)
            await eventually(none_left, within=30)
    finally:
        await admin.close()
    await create_topics(bootstrap, ALL_TOPICS, replication=1)


async def _members(admin: AIOKafkaAdminClient, group: str) -> list[str]:
    """The ids of the group's members."""
    (answer,) = await admin.describe_consumer_groups([group])
    return [member[0] for described in answer.groups for member in described[5]]
