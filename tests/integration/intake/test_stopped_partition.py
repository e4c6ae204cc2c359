"""One event that this release cannot read does not end intake: acts and the other partitions continue."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from motcua.local.embedded.kafka import Broker
from motcua.local.embedded.postgres import Postgres
from shared.contracts.topics import DEADLINES
from shared.messaging.relay import partition_of
from shared.runtime.clock import machine_now
from tests.integration.intake.deployment import IntakeClient, build_deployment, in_process
from tests.support import Databases, eventually
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import send, send_later_version
from tests.support.topics import recreate_topics

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    postgres: Postgres, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[IntakeClient]:
    """Intake with all its parts, on topics of its own."""
    databases = Databases(postgres)
    await recreate_topics(broker.bootstrap)
    deployment = build_deployment(databases.fresh(), tmp_path_factory.mktemp("intake"), broker.bootstrap)
    async with in_process(deployment, parts=("http", "consumer", "relay", "backlog")) as (client, _):
        yield client
    await recreate_topics(broker.bootstrap)
    databases.drop_all()


async def test_event_of_a_later_version_leaves_acts_and_other_partitions_alone(
    client: IntakeClient, broker: Broker
) -> None:
    """Intake stays ready and accepts acts; /progress has the reason; other dossiers get their due dates."""

    async def advances() -> bool:
        return (await client.http.get(f"{client.base}/progress")).status_code == 200

    await eventually(advances, within=60)
    lives = [DossierEvents(start=machine_now()) for _ in range(20)]
    await send_later_version(broker.bootstrap, lives[0].deadline_set("2030-01-02 09:00"))
    stopped = f"{DEADLINES.name}/{_partition(lives[0])}"

    async def has_stopped() -> bool:
        report = (await client.http.get(f"{client.base}/progress")).json()
        assert list(report["parts"]["consumer"]["stopped"]) == [stopped]
        assert "Upgrade this service" in report["parts"]["consumer"]["reason"]
        assert report["parts"]["relay"]["ok"], report
        return not report["advancing"]

    await eventually(has_stopped, within=30)
    dossiers = [(await client.walk_in())["dossier_id"] for _ in range(12)]
    assert (await client.act(dossiers[0], "take_over", "officer")).status_code == 200
    assert (await client.http.get(f"{client.base}/readyz")).status_code == 200
    others = [each for each in lives[1:] if _partition(each) != _partition(lives[0])]
    await send(broker.bootstrap, [each.deadline_set("2030-01-02 09:00") for each in others])

    async def caught_up() -> bool:
        parts = (await client.http.get(f"{client.base}/progress")).json()["parts"]
        return bool(parts["consumer"]["lag_records"] == 1)  # the record itself

    await eventually(caught_up, within=30)
    assert (await client.act(dossiers[1], "take_over", "officer")).status_code == 200


def _partition(life: DossierEvents) -> int:
    return partition_of(str(life.dossier_id).encode(), DEADLINES.partitions)
