"""Two replicas, one of which is killed with a backlog: every dossier is assigned once, by the rule."""

from collections import Counter
from pathlib import Path

import asyncpg

from motcua.local.embedded import kafka
from services.routing.assignments.rebuild import rebuild_assignment
from services.routing.domain.decisions import Decisions, initial_decisions
from shared.catalogue import load_centre
from shared.contracts.assignments import AssignmentDecidedV1
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.topics import ASSIGNMENTS
from tests.integration.routing.site import routing_site
from tests.support import Databases, eventually
from tests.support.dossier_events import DossierEvents
from tests.support.http import get_async
from tests.support.kafka import count_records, read_events, send
from tests.support.service_process import ServiceProcess

DOSSIERS = 6000


async def applied(replica: ServiceProcess) -> int:
    """The number of records that took effect in that process."""
    text = (await get_async(f"{replica.url}/metrics")).text
    counts = [line for line in text.splitlines() if line.startswith("motcua_consumer_applied_total{")]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in counts))


async def test_replica_killed_with_backlog_loses_and_duplicates_nothing(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """Both replicas do at least a fifth of the work, and the events on Kafka are those that follow from intake's."""
    dossiers = [DossierEvents() for _ in range(DOSSIERS)]
    procedures = [("2.000908", "STP"), ("1.000001", "STC"), ("L.7", "CA"), ("9.999999", None)]
    for number, dossier in enumerate(dossiers):
        procedure, department = procedures[number % len(procedures)]
        dossier.submitted(procedure, department)
        dossier.received(procedure, department or "STP")
        dossier.in_state("processing")
    waves = [[dossier.events[place] for dossier in dossiers] for place in range(3)]
    expected = DOSSIERS + DOSSIERS // len(procedures)  # an unknown procedure: waiting, then decided
    fresh = database.fresh("routing")
    with routing_site(own_broker.bootstrap, fresh, tmp_path, replicas=2) as site:
        first, second = site.replicas
        # the first relay leads: one killed between an acknowledgement and the deletion publishes some events twice
        first.launch()
        await eventually(first.advances, within=40)
        second.launch()
        await eventually(second.advances, within=40)
        await send(site.bootstrap, waves[0])
        await eventually(lambda: _both_worked(first, second), within=60)
        holder = await asyncpg.connect(fresh.url("routing"))
        await holder.execute("begin; lock table events in exclusive mode")  # blocks the commit of assignments
        await send(site.bootstrap, waves[1] + waves[2])
        shares = [await applied(first), await applied(second)]
        assert sum(shares) < 3 * DOSSIERS, "no backlog was left when the replica was killed"
        second.kill()
        await holder.close()
        second.start()

        async def all_published() -> bool:
            return await count_records(site.bootstrap, ASSIGNMENTS) >= expected

        await eventually(all_published, within=120, every=1)
        published = await read_events(site.bootstrap, ASSIGNMENTS)
        work = [await applied(first), await applied(second) + shares[1]]

    assert min(work) >= 3 * DOSSIERS // 5
    by_dossier: dict[str, list[AnyEnvelope]] = {}
    for envelope in published:
        by_dossier.setdefault(envelope.subject, []).append(envelope)
    assert max(Counter(envelope.id for envelope in published).values()) == 1
    centre = load_centre(site.centre)
    for dossier in dossiers:
        mine = by_dossier[str(dossier.dossier_id)]
        assert [envelope.sequence for envelope in mine] == list(range(1, len(mine) + 1))
        assert isinstance(mine[-1].data, AssignmentDecidedV1)
        assert _without_sequence(mine[-1].data) == _without_sequence(
            rebuild_assignment(dossier.events, centre, Decisions(initial_decisions(centre)))
        )


async def _both_worked(first: ServiceProcess, second: ServiceProcess) -> bool:
    return min(await applied(first), await applied(second)) > DOSSIERS // 20


def _without_sequence(event: object) -> dict[str, object]:
    """The assignment without `dossier_sequence`."""
    assert isinstance(event, AssignmentDecidedV1)
    return event.model_dump(exclude={"dossier_sequence"})
