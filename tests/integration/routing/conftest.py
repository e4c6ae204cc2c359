"""Empty topics for each test of routing, because topics and consumer groups have fixed names."""

import asyncio

import pytest

from motcua.local.embedded import kafka
from tests.support.topics import recreate_topics


@pytest.fixture
def own_broker(broker: kafka.Broker) -> kafka.Broker:
    """The test run's broker, with all topics of a centre, empty."""
    asyncio.run(recreate_topics(broker.bootstrap))
    return broker
