"""A broker for the tests of sla alone: topics and groups have fixed names, so other services' tests stay apart."""

import asyncio
from collections.abc import Iterator

import pytest

from motcua.embedded import kafka
from shared.contracts.topics import TOPICS
from shared.messaging.admin import create_topics
from tests.support import free_port


@pytest.fixture(scope="package")
def sla_broker(toolchain: kafka.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka.Broker]:
    """Its topics exist; each test has a database of its own and looks at its own dossiers only."""
    folder = tmp_path_factory.mktemp("sla_kafka")
    broker = kafka.single(toolchain, folder, port=free_port(), controller_port=free_port())
    with kafka.running(broker):
        asyncio.run(create_topics(broker.bootstrap, TOPICS.values(), replication=1))
        yield broker
