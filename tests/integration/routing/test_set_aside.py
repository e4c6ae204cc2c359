"""A waiting dossier whose row cannot be read does not prevent the start of routing."""

from pathlib import Path

import psycopg

from motcua.local.embedded import kafka
from tests.integration.routing.site import routing_site
from tests.integration.routing.test_assignments import NEW_PROCEDURE, assignments
from tests.support import Databases
from tests.support.centre_folder import SMALL_CENTRE, write_centre
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import send


async def test_waiting_dossier_that_cannot_be_read_is_set_aside_at_start(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """The other waiting dossiers are assigned by the newer catalogue."""
    bad, other = DossierEvents(), DossierEvents()
    with routing_site(own_broker.bootstrap, database.fresh("routing"), tmp_path) as site:
        site.replicas[0].start()
        await send(site.bootstrap, [bad.submitted("L.8"), other.submitted("L.8")])
        await assignments(site, 2)
        assert site.replicas[0].stop() == 0
        write_centre(site.centre, procedures_csv=SMALL_CENTRE["procedures.csv"] + NEW_PROCEDURE)
        with psycopg.connect(site.database_url, autocommit=True) as connection:
            connection.execute("update dossiers set fences = '[1]' where dossier_id = %s", (bad.dossier_id,))
            site.replicas[0].start()
            found = connection.execute("select key, worker from set_aside_rows").fetchall()
        assert found == [(bad.dossier_id, "assign_waiting")]
        published = [(event.subject, event.type) for event in await assignments(site, 3)]
        assert (str(other.dossier_id), "assignment.decided") in published
