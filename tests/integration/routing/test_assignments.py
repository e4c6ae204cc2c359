"""Assignments on a real broker and database: events in, events out, and the routes that read them."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from motcua.local.embedded import kafka
from shared.contracts.assignments import AssignmentDecidedV1, AssignmentWaitingV1
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.topics import ASSIGNMENTS
from tests.integration.routing.site import Site, routing_site
from tests.support import Databases, eventually
from tests.support.centre_folder import SMALL_CENTRE, write_centre
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import read_events, send

NEW_PROCEDURE = "L.8,Thủ tục mới,New thing,,STP,,none,,,,,2017-04-28,,02/QĐ,,unverified,code,\n"


async def assignments(site: Site, count: int) -> list[AnyEnvelope]:
    """The events on routing's topic, as soon as there are at least `count`."""

    async def enough() -> list[AnyEnvelope]:
        found = await read_events(site.bootstrap, ASSIGNMENTS)
        return found if len(found) >= count else []

    return await eventually(enough, within=30, every=0.3)


async def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem document of a refusal with that status and slug."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    document: dict[str, Any] = answer.json()
    assert document["type"] == f"urn:motcua:problem:{slug}"
    return document


async def test_events_become_assignments_and_queues(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """A department's queue lists its open dossiers page by page, and each dossier's assignment has a reason."""
    pooled = [DossierEvents() for _ in range(5)]
    other, finished = DossierEvents(), DossierEvents()
    events = [dossier.submitted("1.000001", "STC") for dossier in pooled]
    events += [pooled[0].received("1.000001", "STC"), other.submitted("L.7", "CA")]
    events += [finished.submitted("1.000001", "STC"), finished.in_state("withdrawn")]
    with routing_site(own_broker.bootstrap, database.fresh("routing"), tmp_path) as site:
        await send(site.bootstrap, events)
        site.replicas[0].start()
        published = await assignments(site, 7)
        assert {event.subject for event in published} == {event.subject for event in events}
        assert all(isinstance(event.data, AssignmentDecidedV1) and event.sequence == 1 for event in published)

        async with site.client("stc") as stc, site.client("ca") as ca, site.client("leader") as leader:
            first = (await stc.get("/departments/STC/queue", params={"limit": 3})).json()
            rest = (await stc.get("/departments/STC/queue", params={"limit": 3, "after": first["next"]})).json()
            listed = [row["dossier_id"] for row in first["items"] + rest["items"]]
            assert listed == sorted(str(dossier.dossier_id) for dossier in pooled)
            assert rest["next"] is None

            received = (await stc.get("/departments/STC/queue", params={"state": "received"})).json()["items"]
            assert [(row["dossier_id"], row["receiving_place"]) for row in received] == [
                (str(pooled[0].dossier_id), "general")
            ]
            own_counters = {"receiving_place": "department"}
            assert (await stc.get("/departments/STC/queue", params=own_counters)).json()["items"] == []

            await problem(await ca.get("/departments/STC/queue"), 403, "forbidden")
            await problem(await leader.get("/departments/SYT/queue"), 404, "department-unknown")

            path = f"/dossiers/{pooled[0].dossier_id}/assignment"
            shown = (await stc.get(path)).json()
            assert (shown["status"], shown["assignment"]["reason"]["decision"]) == ("decided", "15/QĐ")
            await problem(await ca.get(path), 404, "dossier-not-found")


async def test_place_of_procedure_depends_on_date(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """The place of a procedure depends on the local date; an invalid query is refused."""
    with routing_site(own_broker.bootstrap, database.fresh("routing"), tmp_path) as site:
        site.replicas[0].start()
        async with site.client("counter3") as clerk, site.client("applicant") as applicant:
            for day, kind, counters in (("2017-12-03", "department", [3]), ("2017-12-04", "general", [5])):
                answer = (await clerk.get("/routing", params={"procedure": "1.000001", "on": day})).json()
                (place,) = answer["places"]
                assert (place["receiving_place"]["kind"], place["receiving_place"]["counters"]) == (kind, counters)
                assert place["competent_department"] == "STC"
            several = (await clerk.get("/routing", params={"procedure": "L.7"})).json()
            assert [place["competent_department"] for place in several["places"]] == ["STP", "CA"]

            departments = (await clerk.get("/departments", params={"on": "2018-01-02"})).json()["departments"]
            assert [(row["code"], row["pooled_by"]) for row in departments] == [
                ("STP", None),
                ("STC", "15/QĐ"),
                ("CA", None),
            ]

            unknown = await clerk.get("/routing", params={"procedure": "9.999999"})
            assert "9.999999" in (await problem(unknown, 404, "procedure-unknown"))["detail"]
            for bad in (
                {"procedure": "2.000908", "on": "0"},
                {"procedure": "2.000908", "on": "2018-02-30"},
                {},
                {"procedure": "L.7", "onn": "2018-01-02"},
            ):
                assert (await clerk.get("/routing", params=bad)).status_code == 422
            for bad in ({"limit": "0"}, {"after": "x"}, {"state": "returned"}, {"receiving_place": "x"}):
                assert (await clerk.get("/departments/STC/queue", params=bad)).status_code == 422
            await problem(await clerk.get("/dossiers/1/assignment"), 422, "invalid-content")
            await problem(await applicant.get("/waiting"), 403, "forbidden")
            async with httpx.AsyncClient(base_url=site.replicas[0].url) as anonymous:
                for path in ("/routing?procedure=L.7", "/departments", "/departments/STC/queue", "/waiting"):
                    await problem(await anonymous.get(path), 401, "unauthorized")


async def test_unknown_procedure_waits_until_entered_or_department_named(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """A waiting dossier is assigned at the next start with a newer catalogue, or by a receipt.

    An ended dossier is not listed, but the catalogue assigns it as well.
    """
    by_catalogue, by_receipt, ended = DossierEvents(), DossierEvents(), DossierEvents()
    with routing_site(own_broker.bootstrap, database.fresh("routing"), tmp_path) as site:
        site.replicas[0].start()
        await send(site.bootstrap, [ended.submitted("L.8"), ended.in_state("withdrawn")])
        await send(site.bootstrap, [by_catalogue.submitted("L.8"), by_receipt.submitted("9.999999")])
        await assignments(site, 3)
        async with site.client("leader") as leader:

            async def two_wait() -> dict[str, Any]:
                found: dict[str, Any] = (await leader.get("/waiting")).json()
                assert found["count"] == 2
                return found

            listed = await eventually(two_wait, within=30)
        assert {(row["dossier_id"], row["waiting_for"]) for row in listed["items"]} == {
            (str(by_catalogue.dossier_id), "procedure"),
            (str(by_receipt.dossier_id), "procedure"),
        }
        assert site.replicas[0].stop() == 0
        site.replicas[0].start()
        async with httpx.AsyncClient(base_url=site.replicas[0].url) as prometheus:

            async def counted() -> bool:
                return "motcua_routing_waiting_dossiers 2.0" in (await prometheus.get("/metrics")).text

            assert await eventually(counted, within=20)
        assert site.replicas[0].stop() == 0

        write_centre(site.centre, procedures_csv=SMALL_CENTRE["procedures.csv"] + NEW_PROCEDURE)
        await send(site.bootstrap, [by_receipt.received("9.999999", "STC")])
        site.replicas[0].start()
        published = await assignments(site, 6)
        for dossier, department in ((by_catalogue, "STP"), (by_receipt, "STC"), (ended, "STP")):
            waiting, decided = [event for event in published if event.subject == str(dossier.dossier_id)]
            assert isinstance(waiting.data, AssignmentWaitingV1)
            assert isinstance(decided.data, AssignmentDecidedV1)
            assert (decided.sequence, decided.data.competent_department) == (2, department)
        async with site.client("leader") as leader:
            assert (await leader.get("/waiting")).json() == {"count": 0, "items": [], "next": None}


@pytest.mark.parametrize("fault", ["an unknown department", "a missing file"])
def test_invalid_centre_prevents_start(database: Databases, tmp_path: Path, fault: str) -> None:
    """The process ends with status 3 and reports the file and line."""
    with routing_site("127.0.0.1:1", database.fresh("routing"), tmp_path) as site:
        if fault == "a missing file":
            (site.centre / "counters.csv").unlink()
            expected = "counters.csv: The file is missing"
        else:
            write_centre(site.centre, receiving_csv=SMALL_CENTRE["receiving.csv"].replace("STC", "SYT"))
            expected = "receiving.csv:2: department: 'SYT' is not in departments.csv"
        replica = site.replicas[0]
        replica.launch()
        assert replica.wait() == 3
        assert expected in replica.log.read_text()
