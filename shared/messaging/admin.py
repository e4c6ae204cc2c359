"""Topics are made here, with explicit partitions and settings; one that differs is refused, never adapted."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError, TopicAlreadyExistsError, for_code

from shared.contracts.topics import Topic
from shared.kernel.errors import StartError

_LOOK_SECONDS, _LOOKS = 0.05, 300


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting of one topic that is not as wanted."""

    topic: str
    config: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"topic {self.topic}: {self.config} is {self.found}, wanted {self.wanted}"


class TopicsDifferError(StartError):
    """The topics on the broker are not those of this version; `differences` says where."""

    def __init__(self, differences: Sequence[Difference]) -> None:
        self.differences = tuple(differences)
        lines = "\n".join(f"  {difference}" for difference in self.differences)
        super().__init__(
            f"The broker's topics differ:\n{lines}\n"
            "Nothing was changed. Alter it with Kafka's own tools while no consumer runs, or use another cluster."
        )


def wanted_configs(topic: Topic, replication: int) -> dict[str, str]:
    """Events are kept for ever; the broker's time stamps a record, so that events of 2017 are not deleted as old.

    A changelog is compacted early, since it is read whole at every start: only closed segments are.
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
    """Create the missing ones, wait until the broker lists them, and answer the names of those that were made here;
    settings of those that exist are compared, all at once.

    Raises TopicsDifferError (before anything is created, unless somebody else creates at the same time) and StartError
    when the broker does not answer.
    """
    topics = tuple(topics)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=15_000)
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        if differences := await _differences(admin, [t for t in topics if t.name in existing], replication):
            raise TopicsDifferError(differences)
        missing = [topic for topic in topics if topic.name not in existing]
        made = await _create(admin, missing, replication) if missing else []
        others = [topic for topic in missing if topic.name not in made]  # somebody was faster, perhaps otherwise
        if differences := await _differences(admin, others, replication):
            raise TopicsDifferError(differences)
        return made
    except KafkaConnectionError as error:
        raise StartError(
            f"Kafka at {bootstrap} does not answer ({error}): start it, or correct the setting."
        ) from error
    except (KafkaError, TimeoutError) as error:
        raise StartError(f"Kafka at {bootstrap} refused the topics: {error!r}.") from error
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[Topic], replication: int) -> list[str]:
    """The names of those that were made by this call and no other; all of them are there then."""
    response = await admin.create_topics(
        [
            NewTopic(topic.name, topic.partitions, replication, topic_configs=wanted_configs(topic, replication))
            for topic in topics
        ]
    )
    made = []
    for name, code, *message in response.topic_errors:
        if not code:
            made.append(name)
        elif for_code(code) is not TopicAlreadyExistsError:
            raise StartError(f"Kafka refused topic {name}: {for_code(code).__name__} {' '.join(map(str, message))}.")
    for _ in range(_LOOKS):  # the controller has them before every broker does
        if {topic.name for topic in topics} <= set(await admin.list_topics()):
            return made
        await asyncio.sleep(_LOOK_SECONDS)
    raise TimeoutError(f"created, and not listed within {_LOOKS * _LOOK_SECONDS:.0f} s")


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
