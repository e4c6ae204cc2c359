"""Empty topics for each test file, because ops counts every event of the centre's topics."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from motcua.local.embedded import kafka
from tests.support.ops import Ops, ops_process
from tests.support.topics import recreate_topics


@pytest.fixture(scope="module")
def own_broker(broker: kafka.Broker) -> Iterator[kafka.Broker]:
    """The broker of the test run, with the centre's topics, which are empty.

    They are emptied again at the end: other files read every record, and these tests write unreadable ones.
    """
    asyncio.run(recreate_topics(broker.bootstrap))
    yield broker
    asyncio.run(recreate_topics(broker.bootstrap))


@pytest.fixture
def replicas(own_broker: kafka.Broker, tmp_path: Path) -> Iterator[tuple[Ops, Ops]]:
    """Two processes of ops, not started yet; they are killed at the end."""
    processes = ops_process(own_broker.bootstrap, tmp_path, 0), ops_process(own_broker.bootstrap, tmp_path, 1)
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
