"""Fixtures of sla's integration tests: empty topics for each file, since topics and groups have fixed names."""

import asyncio
from pathlib import Path

import pytest

from motcua.local.embedded import kafka
from tests.support import Databases
from tests.support.centre_folder import write_centre
from tests.support.topics import recreate_topics


@pytest.fixture(scope="module")
def sla_broker(broker: kafka.Broker) -> kafka.Broker:
    """The run's broker with empty topics of the centre.

    Each test has its own database, which consumes the events of all tests of its file. So a test reads its own dossiers
    only, or is the only test of its file that counts all of them.
    """
    asyncio.run(recreate_topics(broker.bootstrap))
    return broker


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """The folder of a small centre."""
    return write_centre(tmp_path / "centre")


@pytest.fixture
def url(database: Databases) -> str:
    """The address of a fresh database of sla."""
    return database.fresh("sla").url("sla")
