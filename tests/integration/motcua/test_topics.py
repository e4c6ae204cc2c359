"""`motcua topics`: every setting is explicit, and a topic with other settings is refused."""

import asyncio
import subprocess
import sys
import time

import pytest
from aiokafka import AIOKafkaProducer

from motcua.local.embedded import kafka
from shared.contracts.topics import TOPICS, Topic
from shared.kernel.errors import StartError
from shared.messaging.admin import Difference, TopicsDifferError, create_topics
from tests.support import free_port, unique


def run_topics(bootstrap: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "motcua", "topics", "--bootstrap", bootstrap, *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


async def test_existing_topic_is_accepted(broker: kafka.Broker) -> None:
    """The first call creates the topic; the second finds it with the expected settings and creates nothing."""
    topic = Topic(unique("once"), owner="sla", partitions=3)
    assert await create_topics(broker.bootstrap, [topic], replication=1) == [topic.name]
    assert await create_topics(broker.bootstrap, [topic], replication=1) == []


async def test_concurrent_creation_succeeds(broker: kafka.Broker) -> None:
    """Several services that start at the same time all succeed."""
    topic = Topic(unique("twice"), owner="sla", partitions=2)
    await asyncio.gather(*(create_topics(broker.bootstrap, [topic], replication=1) for _ in range(4)))
    assert await create_topics(broker.bootstrap, [topic], replication=1) == []


async def test_record_time_is_that_of_the_broker(broker: kafka.Broker) -> None:
    """The broker sets the record time, so retention does not depend on the time of the event."""
    topic = Topic(unique("old"), owner="intake", partitions=1)
    await create_topics(broker.bootstrap, [topic], replication=1)
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        sent = await producer.send_and_wait(topic.name, b"x", timestamp_ms=1_493_337_600_000)
    assert abs(sent.timestamp / 1000 - time.time()) < 60  # noqa: TID251 - the broker's stamp is machine time


async def test_topic_with_other_settings_is_refused_before_any_creation(broker: kafka.Broker) -> None:
    """Topic, setting, actual and expected value are reported; missing topics of the same call are not created."""
    present = Topic(unique("differs"), owner="intake", partitions=2)
    expected = Topic(present.name, owner="intake", partitions=5)
    missing = Topic(unique("missing"), owner="intake", partitions=1)
    await create_topics(broker.bootstrap, [present], replication=1)
    with pytest.raises(TopicsDifferError) as refusal:
        await create_topics(broker.bootstrap, [missing, expected], replication=1)
    assert refusal.value.differences == (Difference(present.name, "partitions", "2", "5"),)
    assert await create_topics(broker.bootstrap, [missing], replication=1) == [missing.name]


async def test_every_differing_setting_is_listed(broker: kafka.Broker) -> None:
    """A different replication is reported with all dependent settings."""
    topic = Topic(unique("copies"), owner="intake", partitions=1)
    await create_topics(broker.bootstrap, [topic], replication=1)
    with pytest.raises(TopicsDifferError, match=f"topic {topic.name}: replication is 1, expected 3") as refusal:
        await create_topics(broker.bootstrap, [topic], replication=3)
    assert {difference.config for difference in refusal.value.differences} == {"replication", "min.insync.replicas"}


async def test_replication_above_the_number_of_brokers_is_reported(broker: kafka.Broker) -> None:
    """The message has the topic and the broker's reason."""
    topic = Topic(unique("toomany"), owner="intake", partitions=1)
    with pytest.raises(StartError, match=f"topic {topic.name}.*InvalidReplicationFactor"):
        await create_topics(broker.bootstrap, [topic], replication=3)


def test_command_creates_accepts_and_refuses_topics(broker: kafka.Broker) -> None:
    """Status 0 with every topic listed, 0 again, and 1 with the difference on standard error."""
    first = run_topics(broker.bootstrap)
    assert first.returncode == 0, first.stderr
    assert all(name in first.stdout for name in TOPICS)
    assert "exists with the expected settings" in run_topics(broker.bootstrap).stdout
    refused = run_topics(broker.bootstrap, "--replication", "2")
    assert refused.returncode == 1
    assert "replication is 1, expected 2" in refused.stderr


def test_command_without_a_broker_ends_with_status_3() -> None:
    """An environment error is one message, not a traceback."""
    ended = run_topics(f"127.0.0.1:{free_port()}")
    assert ended.returncode == 3
    assert "does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_unknown_option_ends_with_status_2() -> None:
    """An unknown option is a usage error."""
    assert run_topics("127.0.0.1:1", "--no-such-option").returncode == 2
