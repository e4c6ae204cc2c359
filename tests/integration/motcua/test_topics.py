"""`motcua topics`: every setting explicit, one that differs refused by name."""

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


async def test_created_once_and_then_accepted(broker: kafka.Broker) -> None:
    """The first call creates and names them; the second finds them as wanted and creates nothing."""
    topic = Topic(unique("once"), owner="sla", partitions=3)
    assert await create_topics(broker.bootstrap, [topic], replication=1) == [topic.name]
    assert await create_topics(broker.bootstrap, [topic], replication=1) == []


async def test_two_creators_at_once_both_succeed(broker: kafka.Broker) -> None:
    """Services that start side by side do not refuse each other."""
    topic = Topic(unique("twice"), owner="sla", partitions=2)
    await asyncio.gather(*(create_topics(broker.bootstrap, [topic], replication=1) for _ in range(4)))
    assert await create_topics(broker.bootstrap, [topic], replication=1) == []


async def test_a_record_of_2017_is_stamped_by_the_broker(broker: kafka.Broker) -> None:
    """The record's time is the broker's, so retention never judges the time of the event."""
    topic = Topic(unique("old"), owner="intake", partitions=1)
    await create_topics(broker.bootstrap, [topic], replication=1)
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap) as producer:
        sent = await producer.send_and_wait(topic.name, b"x", timestamp_ms=1_493_337_600_000)
    assert abs(sent.timestamp / 1000 - time.time()) < 60  # noqa: TID251 - the broker's stamp is machine time


async def test_one_that_differs_is_refused_and_nothing_created(broker: kafka.Broker) -> None:
    """Topic, config, found and wanted are named; the missing topic of the same call is not created."""
    present = Topic(unique("differs"), owner="intake", partitions=2)
    wanted = Topic(present.name, owner="intake", partitions=5)
    missing = Topic(unique("missing"), owner="intake", partitions=1)
    await create_topics(broker.bootstrap, [present], replication=1)
    with pytest.raises(TopicsDifferError) as refusal:
        await create_topics(broker.bootstrap, [missing, wanted], replication=1)
    assert refusal.value.differences == (Difference(present.name, "partitions", "2", "5"),)
    assert await create_topics(broker.bootstrap, [missing], replication=1) == [missing.name]


async def test_every_differing_setting_is_listed(broker: kafka.Broker) -> None:
    """Another number of copies is refused with all that follows from it, at once."""
    topic = Topic(unique("copies"), owner="intake", partitions=1)
    await create_topics(broker.bootstrap, [topic], replication=1)
    with pytest.raises(TopicsDifferError, match=f"topic {topic.name}: replication is 1, wanted 3") as refusal:
        await create_topics(broker.bootstrap, [topic], replication=3)
    assert {difference.config for difference in refusal.value.differences} == {"replication", "min.insync.replicas"}


async def test_more_copies_than_brokers_is_a_sentence(broker: kafka.Broker) -> None:
    """The broker's own reason is passed on with the topic's name."""
    topic = Topic(unique("toomany"), owner="intake", partitions=1)
    with pytest.raises(StartError, match=f"topic {topic.name}.*InvalidReplicationFactor"):
        await create_topics(broker.bootstrap, [topic], replication=3)


def test_the_command_creates_and_tells_and_refuses(broker: kafka.Broker) -> None:
    """Status 0 with every topic named, 0 again, and 1 with the difference on stderr."""
    first = run_topics(broker.bootstrap)
    assert first.returncode == 0, first.stderr
    assert all(name in first.stdout for name in TOPICS)
    assert "exists with the expected settings" in run_topics(broker.bootstrap).stdout
    refused = run_topics(broker.bootstrap, "--replication", "2")
    assert refused.returncode == 1
    assert "replication is 1, wanted 2" in refused.stderr


def test_the_command_without_a_broker_ends_with_status_3() -> None:
    """An environment error is one sentence, not a traceback."""
    ended = run_topics(f"127.0.0.1:{free_port()}")
    assert ended.returncode == 3
    assert "does not answer" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_wrong_usage_ends_with_status_2() -> None:
    """An unknown option is a usage error."""
    assert run_topics("127.0.0.1:1", "--no-such-option").returncode == 2
