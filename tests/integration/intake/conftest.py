"""Replicas of intake without a broker, which acts do not need."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from motcua.local.embedded.postgres import Postgres
from tests.integration.intake.deployment import Deployment, IntakeClient, build_deployment, in_process
from tests.support import Databases


@pytest.fixture
def deployment(database: Databases, tmp_path: Path) -> Deployment:
    """A fresh schema and keys without a broker, for tests that count rows."""
    return build_deployment(database.fresh(), tmp_path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[IntakeClient]:
    """One replica per module; its tests make their own dossiers and run in the module's loop."""
    databases = Databases(postgres)
    async with in_process(build_deployment(databases.fresh(), tmp_path_factory.mktemp("intake"))) as (client, _):
        yield client
    databases.drop_all()
