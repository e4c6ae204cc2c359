"""An intake with HTTP alone: what acts do does not depend on the broker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from motcua.local.embedded.postgres import Postgres
from tests.integration.intake.office import House, Office, build_house, in_process
from tests.support import Databases


@pytest.fixture
def house(database: Databases, tmp_path: Path) -> House:
    """A fresh schema and keys, no broker: for tests that count."""
    return build_house(database.fresh(), tmp_path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """One replica for the module, whose tests make dossiers of their own and run in the module's loop."""
    databases = Databases(postgres)
    async with in_process(build_house(databases.fresh(), tmp_path_factory.mktemp("intake"))) as (office, _):
        yield office
    databases.drop_all()
