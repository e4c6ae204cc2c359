"""Empty topics for each test of routing: topics and groups have fixed names, so what one left would reach the next."""

import asyncio

import pytest

from motcua.local.embedded import kafka
from tests.support.topics import made_anew


@pytest.fixture
def own_broker(broker: kafka.Broker) -> kafka.Broker:
    """The run's broker; the centre's topics exist and are empty."""
    asyncio.run(made_anew(broker.bootstrap))
    return broker
