"""An event version of a later release stops the counting."""

import asyncio

from motcua.local.embedded import kafka
from shared.contracts.topics import DOSSIERS
from shared.messaging.records import headers_of
from tests.support import eventually
from tests.support.dossier_events import DossierEvents
from tests.support.ops import DossierProducer, Ops, expected_views


async def test_event_version_of_a_later_release_asks_for_an_upgrade(
    own_broker: kafka.Broker, replicas: tuple[Ops, Ops]
) -> None:
    """Ops is unready and names the upgrade, earlier events stay counted, and it stops in order."""
    ops, _ = replicas
    await asyncio.to_thread(ops.start)
    async with DossierProducer(own_broker.bootstrap) as producer:
        await producer.send_dossiers(5)
        expected = await expected_views(own_broker.bootstrap)
        await asyncio.to_thread(ops.shows, expected)
        event = DossierEvents().submitted()
        newer = [(name, b"2" if name == "version" else value) for name, value in headers_of(event)]
        await producer.send_raw(DOSSIERS.name, event.subject.encode(), event.to_json(), newer)
        await eventually(lambda: "Upgrade ops" in ops.reasons().get("views", ""), within=30)
        assert ops.views() == expected
    assert await asyncio.to_thread(ops.stop) == 0
