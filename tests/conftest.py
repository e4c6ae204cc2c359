"""Fixtures for Kafka and Postgres, started at the first use and stopped at the end of the run."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from motcua.local.embedded import kafka
from motcua.local.embedded.postgres import Postgres
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load
from tests.support import Databases, free_port, free_ports
from tests.support.classes import with_classes

_LONGEST = (
    "tests/chaos/test_kills.py",
    "tests/integration/ops/test_views.py",
    "tests/e2e/test_up.py",
    "tests/e2e/test_sabotage.py",
    "tests/e2e/test_ops.py",
    "tests/e2e/test_replay.py",
    "tests/e2e/test_demo.py",
    "tests/e2e/test_player.py",
)
"""Files of more than a minute, in the order of their duration. They start first: one that starts late runs alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the order of the others does not change."""
    rank = {file: place for place, file in enumerate(_LONGEST)}
    items.sort(key=lambda item: rank.get(item.location[0], len(rank)))


@pytest.fixture
def home() -> Iterator[Path]:
    """A new folder for a centre or a database, outside pytest's folder.

    Under root the database server runs as another user, whose access to pytest's folder another run of pytest removes.
    """
    with tempfile.TemporaryDirectory(prefix="motcua-home-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def toolchain() -> kafka.Toolchain:
    """Java, the broker's jars and the archive of their classes, cached per user between runs."""
    return with_classes(load(MotcuaSettings).toolchain())


@pytest.fixture(scope="session")
def broker(toolchain: kafka.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka.Broker]:
    """The broker of the run: `.bootstrap`, `.kill()`, `.start()`. A test that stops it must start it again."""
    one = kafka.single(toolchain, tmp_path_factory.mktemp("kafka"), port=free_port(), controller_port=free_port())
    with kafka.running(one):
        yield one


@pytest.fixture(scope="module")
def three_brokers(toolchain: kafka.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka.Cluster]:
    """A cluster of three brokers for one module. A test that kills a broker must start it again."""
    folder = tmp_path_factory.mktemp("three")
    several = kafka.cluster(toolchain, folder, ports=free_ports(3), controller_ports=free_ports(3))
    with kafka.running(several):
        yield several


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The database server of the run: `.url`, `.stop_immediately()`, `.start()`. A test that stops it must restart it.

    Its data are outside pytest's folder, for the reason given at `home`.
    """
    with tempfile.TemporaryDirectory(prefix="motcua-postgres-") as folder:
        server = Postgres(Path(folder), free_port(), durable=False)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Databases]:
    """Creates databases (`database.fresh()`, `.url("intake")`) and drops them after the test."""
    databases = Databases(postgres)
    yield databases
    databases.drop_all()
