"""The report of honest pauses, for a leader and for an officer."""

from pathlib import Path

import httpx

from motcua.local.embedded import kafka
from shared.contracts.dossiers import DossierResultArrivedV1
from tests.integration.sla.site import sla_running
from tests.support import Databases
from tests.support.centre_folder import SMALL_CENTRE, write_centre
from tests.support.dossier_events import DossierEvents

SHORT = SMALL_CENTRE["centre.toml"].replace("pause_ceiling_working_days = 30", "pause_ceiling_working_days = 2")
JANUARY = {"first": "2018-01-01", "last": "2018-01-31"}


async def test_report_lists_findings_by_department(
    sla_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """A pause near the due date and beyond the ceiling, and a settlement without a result, are listed; a settlement
    with its result, and what began outside the dates, is not."""
    url = database.fresh("sla").url("sla")
    centre = write_centre(tmp_path / "centre", centre_toml=SHORT)
    paused, settled, in_order, reopened = (DossierEvents() for _ in range(4))
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-12 09:00") as sla:
        await sla.consume(
            paused.at("2018-01-02 09:00").received(),
            paused.at("2018-01-02 16:00").supplement_required(),
            paused.at("2018-01-09 16:00").supplement_received(),
            settled.at("2018-01-02 09:00").received(),
            settled.at("2018-01-02 16:00").settled(),
            in_order.at("2018-01-02 09:00").received(),
            in_order.at("2018-01-02 16:00").settled(),
            in_order.at("2018-01-03 09:00").publish(DossierResultArrivedV1(state="settled")),
            reopened.at("2018-01-02 09:00").received(),
            reopened.at("2018-01-02 10:00").publish(DossierResultArrivedV1(state="received")),
            reopened.at("2018-01-02 16:00").settled(),
            reopened.at("2018-01-03 09:00").reopened(),
            reopened.at("2018-01-03 10:00").settled(),
        )
        async with sla.client("leader") as leader, sla.client("stp") as stp, sla.client("stc") as stc:
            found = (await leader.get("/reports/honest-pauses", params=JANUARY)).json()
            own = (await stp.get("/reports/honest-pauses", params=JANUARY)).json()
            other = (await stc.get("/reports/honest-pauses", params=JANUARY)).json()
            later = (await leader.get("/reports/honest-pauses", params=JANUARY | {"first": "2018-01-04"})).json()
            refused: list[httpx.Response] = [
                await leader.get("/reports/honest-pauses", params={"first": "2018-01-31", "last": "2018-01-01"}),
                await leader.get("/reports/honest-pauses", params={"first": "1514764800", "last": "2018-01-31"}),
                await stc.get("/reports/honest-pauses", params=JANUARY | {"department": "STP"}),
                await leader.get("/reports/honest-pauses", params=JANUARY | {"department": "XYZ"}),
            ]
    listed = {(each["dossier_id"], each["doubt"], each["working_seconds"]) for each in found["listed"]}
    assert listed == {
        (str(paused.dossier_id), "paused_near_due", 3 * 3600),
        (str(paused.dossier_id), "paused_too_long", 40 * 3600),
        (str(settled.dossier_id), "settled_without_result", 59 * 3600),
        (str(reopened.dossier_id), "settled_without_result", 55 * 3600),
    }
    assert (
        found["departments"]
        == own["departments"]
        == [{"department": "STP", "paused_near_due": 1, "paused_too_long": 1, "settled_without_result": 2}]
    )
    assert (found["complete"], other["departments"], later["listed"]) == (True, [], [])
    assert [answer.status_code for answer in refused] == [422, 422, 403, 422]
