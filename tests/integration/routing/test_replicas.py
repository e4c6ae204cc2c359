"""Two replicas, one of them killed with work waiting: every dossier is assigned once, by the rule."""

from collections import Counter
from pathlib import Path

import asyncpg

from motcua.local.embedded import kafka
from services.routing.domain.decisions import Decisions, seeded
from services.routing.replay import decide_again
from shared.catalogue import load_centre
from shared.contracts.assignments import AssignmentDecidedV1
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.topics import ASSIGNMENTS
from tests.integration.routing.site import routing_site
from tests.support import Databases, eventually
from tests.support.asking import asked
from tests.support.reading import count_on, events_on
from tests.support.service_process import ServiceProcess
from tests.support.told import Told, send

DOSSIERS = 6000


async def applied(replica: ServiceProcess) -> int:
    """How many records took effect in that process."""
    text = (await asked(f"{replica.url}/metrics")).text
    counts = [line for line in text.splitlines() if line.startswith("motcua_consumer_applied_total{")]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in counts))


async def test_a_replica_killed_with_backlog_loses_and_doubles_nothing(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """Both did a fifth of the work or more; the events on Kafka are those that follow from intake's."""
    dossiers = [Told() for _ in range(DOSSIERS)]
    procedures = [("2.000908", "STP"), ("1.000001", "STC"), ("L.7", "CA"), ("9.999999", None)]
    for number, dossier in enumerate(dossiers):
        procedure, department = procedures[number % len(procedures)]
        dossier.submitted(procedure, department)
        dossier.received(procedure, department or "STP")
        dossier.in_state("processing")
    waves = [[dossier.events[place] for dossier in dossiers] for place in range(3)]
    expected = DOSSIERS + DOSSIERS // len(procedures)  # those of unknown procedure are told twice: waiting, decided
    fresh = database.fresh("routing")
    with routing_site(own_broker.bootstrap, fresh, tmp_path, replicas=2) as site:
        first, second = site.replicas
        # the first relay leads: one killed between an acknowledgement and the deletion publishes some events twice
        first.launch()
        await eventually(first.ready, within=40)
        second.launch()
        await eventually(second.ready, within=40)
        await send(site.bootstrap, waves[0])
        await eventually(lambda: _both_worked(first, second), within=60)
        holder = await asyncpg.connect(fresh.url("routing"))
        await holder.execute("begin; lock table events in exclusive mode")  # whoever decides waits for it to commit
        await send(site.bootstrap, waves[1] + waves[2])
        shares = [await applied(first), await applied(second)]
        assert sum(shares) < 3 * DOSSIERS, "nothing was left to do when the replica was killed"
        second.kill()
        await holder.close()
        second.start()

        async def all_told() -> bool:
            return await count_on(site.bootstrap, ASSIGNMENTS) >= expected

        await eventually(all_told, within=120, every=1)
        told = await events_on(site.bootstrap, ASSIGNMENTS)
        work = [await applied(first), await applied(second) + shares[1]]

    assert min(work) >= 3 * DOSSIERS // 5
    by_dossier: dict[str, list[AnyEnvelope]] = {}
    for envelope in told:
        by_dossier.setdefault(envelope.subject, []).append(envelope)
    assert max(Counter(envelope.id for envelope in told).values()) == 1
    centre = load_centre(site.centre)
    for dossier in dossiers:
        mine = by_dossier[str(dossier.dossier_id)]
        assert [envelope.sequence for envelope in mine] == list(range(1, len(mine) + 1))
        assert isinstance(mine[-1].data, AssignmentDecidedV1)
        assert _aside(mine[-1]) == _aside_event(decide_again(dossier.events, centre, Decisions(seeded(centre))))


async def _both_worked(first: ServiceProcess, second: ServiceProcess) -> bool:
    return min(await applied(first), await applied(second)) > DOSSIERS // 20


def _aside(envelope: AnyEnvelope) -> dict[str, object]:
    return _aside_event(envelope.data)


def _aside_event(event: object) -> dict[str, object]:
    """The decision without the sequence of the event that moved it."""
    assert isinstance(event, AssignmentDecidedV1)
    return event.model_dump(exclude={"dossier_sequence"})
