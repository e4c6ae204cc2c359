"""A made-up service on the run's broker and a database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from motcua.local.embedded.kafka import Broker
from tests.support import Databases
from tests.support.delivery import SERVICE
from tests.support.shell import Shell, opened


@pytest.fixture
async def shell(broker: Broker, database: Databases, tmp_path: Path) -> AsyncIterator[Shell]:
    """Everything that a delivery test needs; the topics are its own."""
    async with opened(broker.bootstrap, database.fresh(SERVICE).url(SERVICE), tmp_path / "migrations") as shell:
        yield shell
