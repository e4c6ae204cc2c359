"""The real parts that tests ask for by name: started when first asked for, stopped for certain at the end."""

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


@pytest.fixture
def home() -> Iterator[Path]:
    """A fresh folder for a centre or a database, outside pytest's.

    Under root the database server is another user, and each further run of pytest that starts on this machine closes
    pytest's folder to other users.
    """
    with tempfile.TemporaryDirectory(prefix="motcua-home-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def toolchain() -> kafka.Toolchain:
    """Java, the broker's jars and the archive of their classes, in the user's cache from run to run."""
    return with_classes(load(MotcuaSettings).toolchain())


@pytest.fixture(scope="session")
def broker(toolchain: kafka.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka.Broker]:
    """The run's broker: `.bootstrap`, `.kill()`, `.start()`. A test that stops it starts it again."""
    one = kafka.single(toolchain, tmp_path_factory.mktemp("kafka"), port=free_port(), controller_port=free_port())
    with kafka.running(one):
        yield one


@pytest.fixture(scope="module")
def three_brokers(toolchain: kafka.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kafka.Cluster]:
    """Three brokers of one cluster, for this module; a test that kills one starts it again."""
    folder = tmp_path_factory.mktemp("three")
    several = kafka.cluster(toolchain, folder, ports=free_ports(3), controller_ports=free_ports(3))
    with kafka.running(several):
        yield several


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The run's server: `.url`, `.stop_immediately()`, `.start()`. A test that stops it starts it again.

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
    """Makes fresh databases (`database.fresh()`, `.url("intake")`) and drops them after the test."""
    databases = Databases(postgres)
    yield databases
    databases.drop_all()
