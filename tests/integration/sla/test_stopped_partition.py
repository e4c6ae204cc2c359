"""A partition that has stopped fires no threshold; the others do."""

from pathlib import Path

from motcua.local.embedded import kafka
from shared.contracts.topics import DOSSIERS
from shared.messaging.relay import partition_of
from tests.integration.sla.site import sla_running
from tests.support import eventually
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import send_later_version

RECEIVED = "2018-01-02 09:00"


async def test_stopped_partition_fires_nothing(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """An act that this release cannot read may be the one that prevents the threshold."""
    dossiers = [DossierEvents() for _ in range(12)]
    stopped = _partition(dossiers[0])
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=RECEIVED) as sla:
        await sla.consume(*[dossier.at(RECEIVED).received() for dossier in dossiers])
        await send_later_version(sla.bootstrap, dossiers[0].at("2018-01-02 10:00").settled())
        await eventually(lambda: "Upgrade this service" in (sla.consumer.reason_not_ready() or ""), within=30)
        sla.clock.set("2018-01-03 10:00")
        await sla.tick()
        for dossier in dossiers:
            fires = _partition(dossier) != stopped
            assert await sla.types(dossier.dossier_id) == (["set", "near", "reached"] if fires else ["set"])


def _partition(dossier: DossierEvents) -> int:
    return partition_of(str(dossier.dossier_id).encode(), DOSSIERS.partitions)
