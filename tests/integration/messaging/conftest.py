"""A test service on the shared broker, with its own database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from motcua.local.embedded.kafka import Broker
from tests.support import Databases
from tests.support.delivery import SERVICE
from tests.support.shell import Shell, opened


@pytest.fixture
async def shell(broker: Broker, database: Databases, tmp_path: Path) -> AsyncIterator[Shell]:
    """Producer, consumer, relay and database of the test service; each test creates its own topics."""
    async with opened(broker.bootstrap, database.fresh(SERVICE).url(SERVICE), tmp_path / "migrations") as shell:
        yield shell
