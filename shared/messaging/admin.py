"""Creation of Kafka topics with explicit partitions and settings. A topic that exists and differs is never altered."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from shared.contracts.topics import Topic
from shared.kernel.errors import StartError

_POLL_SECONDS, _POLLS = 0.05, 300


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting of an existing topic that differs from the expected one."""

    topic: str
    config: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"topic {self.topic}: {self.config} is {self.found}, expected {self.wanted}"


class TopicsDifferError(StartError):
    """Existing topics on the broker differ from those of this release; `differences` lists every differing setting."""

    def __init__(self, differences: Sequence[Difference]) -> None:
        self.differences = tuple(differences)
        lines = "\n".join(f"  {difference}" for difference in self.differences)
        super().__init__(
            f"The broker's topics differ:\n{lines}\n"
            "Nothing was changed. Alter the topics with Kafka's tools while no consumer runs, or use another cluster."
        )


def wanted_configs(topic: Topic, replication: int) -> dict[str, str]:
    """Return the expected Kafka settings of a topic: name to value. No setting deletes events.

    Records get the broker's timestamp, since retention by the event's own time would delete events of 2017. A compacted
    topic has small segments: it is read whole at each start, and Kafka compacts closed segments only.
    """
    common = {
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": str(max(1, replication - 1)),
    }
    if not topic.compacted:
        return {"cleanup.policy": "delete", **common}
    early = {"segment.bytes": str(16 << 20), "segment.ms": str(24 * 3600 * 1000), "min.cleanable.dirty.ratio": "0.2"}
    return {"cleanup.policy": "compact", **common, **early}


async def create_topics(bootstrap: str, topics: Iterable[Topic], *, replication: int) -> list[str]:
    """Create the missing topics, wait until the broker lists them, and return the names of the created ones.

    Raises TopicsDifferError if existing topics differ, before anything is created. If another process creates a
    differing topic at the same time, TopicsDifferError may be raised after topics were created. Raises StartError if
    the broker does not answer or rejects a topic.
    """
    topics = tuple(topics)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=15_000)
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        if differences := await _differences(admin, [t for t in topics if t.name in existing], replication):
            raise TopicsDifferError(differences)
        missing = [topic for topic in topics if topic.name not in existing]
        created = await _create(admin, missing, replication) if missing else []
        others = [topic for topic in missing if topic.name not in created]  # by another process
        if differences := await _differences(admin, others, replication):
            raise TopicsDifferError(differences)
        return created
    except KafkaConnectionError as error:
        raise StartError(
            f"Kafka at {bootstrap} does not answer ({error}). Start it, or correct the setting."
        ) from error
    except (KafkaError, TimeoutError) as error:
        raise StartError(f"Kafka at {bootstrap} rejected the topics: {error!r}.") from error
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[Topic], replication: int) -> list[str]:
    """Create the topics, wait until the broker lists them, and return the names of those that this call created.

    A topic that another process has created meanwhile is not an error. Raises StartError if the broker rejects a topic,
    TimeoutError if the topics are not listed in time.
    """
    response = await admin.create_topics(
        [
            NewTopic(topic.name, topic.partitions, replication, topic_configs=wanted_configs(topic, replication))
            for topic in topics
        ]
    )
    created = []
    for name, code, *message in response.topic_errors:
        if not code:
            created.append(name)
        elif for_code(code) is not TopicAlreadyExistsError:
            raise StartError(f"Kafka rejected topic {name}: {for_code(code).__name__} {' '.join(map(str, message))}.")
    for _ in range(_POLLS):  # the controller lists them before every broker does
        if {topic.name for topic in topics} <= set(await admin.list_topics()):
            return created
        await asyncio.sleep(_POLL_SECONDS)
    raise TimeoutError(f"created, but not listed within {_POLLS * _POLL_SECONDS:.0f} s")


async def _differences(admin: AIOKafkaAdminClient, topics: Sequence[Topic], replication: int) -> list[Difference]:
    if not topics:
        return []
    found: dict[str, dict[str, str]] = {}
    for described in await admin.describe_topics([topic.name for topic in topics]):
        partitions = described["partitions"]
        found[described["topic"]] = {
            "partitions": str(len(partitions)),
            "replication": str(max(len(partition["replicas"]) for partition in partitions)),
        }
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    for response in await admin.describe_configs(resources):
        for code, _message, _kind, name, entries in response.resources:
            if code:
                raise for_code(code)(name)
            found[name] |= {entry[0]: str(entry[1]) for entry in entries}
    differences = []
    for topic in topics:
        counts = {"partitions": str(topic.partitions), "replication": str(replication)}
        wanted = {**counts, **wanted_configs(topic, replication)}
        for config, value in wanted.items():
            if (present := found[topic.name].get(config, "not set")) != value:
                differences.append(Difference(topic.name, config, present, value))
    return differences
