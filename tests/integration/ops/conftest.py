"""A broker of this package's own: ops counts every fact of the centre's topics, also those of other tests."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from motcua.embedded import kafka
from shared.contracts.topics import ALL_TOPICS
from shared.messaging.admin import create_topics
from tests.support import free_port
from tests.support.ops import Ops, ops_process


@pytest.fixture(scope="module")
def own_broker(toolchain: kafka.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka.Broker]:
    """With the centre's topics."""
    one = kafka.single(toolchain, tmp_path_factory.mktemp("kafka"), port=free_port(), controller_port=free_port())
    with kafka.running(one):
        asyncio.run(create_topics(one.bootstrap, ALL_TOPICS, replication=1))
        yield one


@pytest.fixture
def two(own_broker: kafka.Broker, tmp_path: Path) -> Iterator[tuple[Ops, Ops]]:
    """Two processes of ops, not started yet; ended for certain."""
    processes = ops_process(own_broker.bootstrap, tmp_path, 0), ops_process(own_broker.bootstrap, tmp_path, 1)
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
