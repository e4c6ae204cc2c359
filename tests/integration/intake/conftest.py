"""An intake with HTTP alone: what acts do does not depend on the broker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.intake.office import House, Office, build_house, in_process
from tests.support import Databases


@pytest.fixture
def house(database: Databases, tmp_path: Path) -> House:
    """A fresh schema and keys, no broker."""
    return build_house(database.fresh(), tmp_path)


@pytest.fixture
async def office(house: House) -> AsyncIterator[Office]:
    """One replica of it."""
    async with in_process(house) as (office, _):
        yield office
