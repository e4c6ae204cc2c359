"""A broker for each file of tests: topics and groups have fixed names, so what other files tell stays apart."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from motcua.embedded import kafka
from shared.contracts.topics import TOPICS
from shared.messaging.admin import create_topics
from tests.support import Databases, free_port
from tests.support.centre_folder import write_centre


@pytest.fixture(scope="module")
def sla_broker(toolchain: kafka.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka.Broker]:
    """Its topics exist. A database is of one test alone and hears what the others of its file told; it looks at its own
    dossiers only, or is the only one that counts all of them."""
    folder = tmp_path_factory.mktemp("sla_kafka")
    broker = kafka.single(toolchain, folder, port=free_port(), controller_port=free_port())
    with kafka.running(broker):
        asyncio.run(create_topics(broker.bootstrap, TOPICS.values(), replication=1))
        yield broker


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """The folder of a small centre."""
    return write_centre(tmp_path / "centre")


@pytest.fixture
def url(database: Databases) -> str:
    """A fresh database of sla's."""
    return database.fresh("sla").url("sla")
