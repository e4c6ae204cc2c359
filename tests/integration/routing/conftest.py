"""A broker for each test of routing: topics and groups have fixed names, so what one test left would reach the next."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from motcua.embedded import kafka
from shared.contracts.topics import TOPICS
from shared.messaging.admin import create_topics
from tests.support import free_port


@pytest.fixture
def own_broker(toolchain: kafka.Toolchain, tmp_path: Path) -> Iterator[kafka.Broker]:
    """Its topics exist and are empty."""
    broker = kafka.single(toolchain, tmp_path / "kafka", port=free_port(), controller_port=free_port())
    with kafka.running(broker):
        asyncio.run(create_topics(broker.bootstrap, TOPICS.values(), replication=1))
        yield broker
