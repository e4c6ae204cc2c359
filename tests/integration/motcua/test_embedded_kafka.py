"""The embedded broker: data survive a stop and a crash, and failures are reported."""

import asyncio
import socket
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from motcua.local.embedded import kafka
from shared.contracts.topics import Topic
from shared.kernel.errors import StartError
from shared.messaging.admin import create_topics
from tests.support import free_port, unique


async def send(bootstrap: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, value, partition=0)


async def read(bootstrap: str, topic: str) -> list[bytes]:
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        values: list[bytes] = []
        while await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                values += [record.value for record in records]
        return values


async def test_acknowledged_records_survive_stop_and_kill(toolchain: kafka.Toolchain, tmp_path: Path) -> None:
    """An acknowledged record is there after `stop` and after SIGKILL, on the same port."""
    broker = kafka.single(toolchain, tmp_path, port=free_port(), controller_port=free_port())
    topic = Topic(unique("kept"), owner="intake", partitions=1)
    try:
        await asyncio.to_thread(broker.start)
        await create_topics(broker.bootstrap, [topic], replication=1)
        await send(broker.bootstrap, topic.name, b"before the stop")
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.start)
        await send(broker.bootstrap, topic.name, b"before the kill")
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        assert await read(broker.bootstrap, topic.name) == [b"before the stop", b"before the kill"]
    finally:
        await asyncio.to_thread(broker.stop)


def test_taken_port_is_reported_with_its_setting(toolchain: kafka.Toolchain, tmp_path: Path) -> None:
    """The start fails before any file is written; the message has the port and its setting."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        broker = kafka.single(toolchain, tmp_path / "none", port=port, controller_port=free_port())
        with pytest.raises(StartError, match=rf"Port {port} for Kafka.*MOTCUA_KAFKA_PORT"):
            broker.start()
    assert not (tmp_path / "none").exists()


def test_failed_start_reports_the_end_of_the_log(toolchain: kafka.Toolchain, tmp_path: Path) -> None:
    """The message has the end of the broker's log, and no process is left."""
    broker = kafka.single(toolchain, tmp_path, port=free_port(), controller_port=free_port())
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").write_text("version=1\ncluster.id=another\nnode.id=7\n")
    with pytest.raises(StartError, match=r"(?s)Kafka ended with status 1.*Stored node id 7"):
        broker.start()
    assert not broker.running
