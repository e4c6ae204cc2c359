"""Empty topics for each file of tests: topics and groups have fixed names, so what other files tell stays apart."""

import asyncio
from pathlib import Path

import pytest

from motcua.local.embedded import kafka
from tests.support import Databases
from tests.support.centre_folder import write_centre
from tests.support.topics import made_anew


@pytest.fixture(scope="module")
def sla_broker(broker: kafka.Broker) -> kafka.Broker:
    """The run's; the centre's topics begin empty. A database is of one test alone and hears what the others of its file
    told; it looks at its own dossiers only, or is the only one that counts all of them."""
    asyncio.run(made_anew(broker.bootstrap))
    return broker


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """The folder of a small centre."""
    return write_centre(tmp_path / "centre")


@pytest.fixture
def url(database: Databases) -> str:
    """A fresh database of sla's."""
    return database.fresh("sla").url("sla")
