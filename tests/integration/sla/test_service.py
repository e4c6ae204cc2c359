"""Sla with a real broker and database: deadlines from acts, and the requests about them."""

from pathlib import Path
from typing import Any

import httpx

from motcua.local.embedded import kafka
from shared.contracts.topics import DEADLINES
from shared.runtime import metrics
from tests.integration.sla.site import sla_running
from tests.support import Databases, eventually
from tests.support.centre_folder import SMALL_CENTRE, write_centre
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import read_events
from tests.unit.sla.builders import local

NEW_PROCEDURE = "L.8,Thủ tục mới,New thing,,STP,2,working_day,by_hours,,,,2017-04-28,,02/QĐ,,unverified,code,\n"


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem document of a refusal with this status and slug."""
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document["type"]) == (status, f"urn:motcua:problem:{slug}")
    return document


async def test_acts_give_deadlines_on_kafka(sla_broker: kafka.Broker, database: Databases, tmp_path: Path) -> None:
    """Deadlines are on sla's topic with the dossier as key, in sequence, one for each act."""
    url, dossier = database.fresh("sla").url("sla"), DossierEvents()
    centre = write_centre(tmp_path / "centre")
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-02 09:00") as sla:
        await sla.consume(
            dossier.submitted(),
            dossier.at("2018-01-02 09:00").received(),
            dossier.at("2018-01-02 10:00").supplement_required(),
            dossier.at("2018-01-03 10:00").supplement_received(),
            dossier.at("2018-01-04 08:00").settled(),
        )

        async def on_kafka() -> bool:
            events = [
                event
                for event in await read_events(sla.bootstrap, DEADLINES)
                if event.subject == str(dossier.dossier_id)
            ]
            assert [(event.sequence, event.type) for event in events] == [
                (1, "deadline.set"),
                (2, "deadline.paused"),
                (3, "deadline.set"),
                (4, "deadline.near"),
                (5, "deadline.ended"),
            ]
            assert [local(event.data.model_dump().get("due_at")) for event in events] == [
                "2018-01-03 09:00",
                None,
                "2018-01-04 09:00",
                "2018-01-04 09:00",
                "2018-01-04 09:00",
            ]
            return True

        await eventually(on_kafka, within=20, every=0.3)


async def test_waiting_dossiers_are_listed_until_the_procedure_is_added(
    sla_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """Then the due date counts from the receipt."""
    url, centre, dossiers = (
        database.fresh("sla").url("sla"),
        write_centre(tmp_path / "centre"),
        [DossierEvents(), DossierEvents(), DossierEvents()],
    )
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-02 09:00") as sla:
        await sla.consume(*[each.at("2018-01-02 09:00").received("L.8") for each in dossiers])
        async with sla.client("leader") as leader, sla.client("stp") as stp:
            first = (await leader.get("/waiting", params={"limit": 2})).json()
            rest = (await leader.get("/waiting", params={"limit": 2, "after": first["next"]})).json()
            problem(await stp.get("/waiting"), 403, "forbidden")
        listed = first["items"] + rest["items"]
        assert [row["dossier_id"] for row in listed] == sorted(str(each.dossier_id) for each in dossiers)
        assert {(row["procedure"], row["waiting_for"], row["state"]) for row in listed} == {
            ("L.8", "procedure", "running")
        }
        assert (first["count"], rest["next"]) == (3, None)
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-03 09:00"):
        await eventually(lambda: b"motcua_sla_waiting_dossiers 3.0" in metrics.render(), within=20)
    write_centre(centre, procedures_csv=SMALL_CENTRE["procedures.csv"] + NEW_PROCEDURE)
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-08 09:00") as sla:
        assert (await sla.ticker.rederive(), await sla.ticker.rederive()) == (3, 0)
        for each in dossiers:
            waiting, found = await sla.published(each.dossier_id)
            assert (waiting.type, found.type) == ("deadline.waiting", "deadline.set")
            assert local(found.data.model_dump()["due_at"]) == "2018-01-04 09:00"
        async with sla.client("leader") as leader:
            assert (await leader.get("/waiting")).json() == {"count": 0, "items": [], "next": None}


async def test_deadline_is_shown_to_keys_in_scope(
    sla_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """The response has the clock's state; keys of other departments and roles are refused."""
    url, centre, dossier = database.fresh("sla").url("sla"), write_centre(tmp_path / "centre"), DossierEvents()
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-02 09:00") as sla,
        sla.client("stp") as stp,
        sla.client("stc") as stc,
        sla.client("applicant") as applicant,
    ):
        path = f"/dossiers/{dossier.dossier_id}/deadline"
        problem(await stp.get(path), 404, "dossier-not-found")
        await sla.consume(dossier.at("2018-01-02 09:00").received())
        shown = (await stp.get(path)).json()
        assert (shown["state"], shown["due_at"], shown["due_date"], shown["overdue"]) == (
            "running",
            "2018-01-03T02:00:00Z",
            "2018-01-03",
            False,
        )
        assert shown["term"] == {"value": 1, "unit": "working_day", "counting": "by_hours", "cut_off": "15:00"}
        sla.clock.set("2018-01-03 09:01")
        assert (await stp.get(path)).json()["overdue"]
        problem(await stc.get(path), 404, "dossier-not-found")
        problem(await applicant.get(path), 403, "forbidden")
        problem(await stp.get("/dossiers/1/deadline"), 422, "invalid-content")
        assert shown["step"] is None  # the procedure has none

        await sla.consume(dossier.at("2018-01-03 15:00").step_begun(2), dossier.at("2018-01-03 16:00").settled())
        problem(await stp.get(path), 404, "dossier-not-found")  # it went to the next department
        shown = (await stc.get(path)).json()
        assert (shown["state"], shown["outcome"], shown["ended_at"], shown["step"], shown["dossier_sequence"]) == (
            "ended",
            "on_time",
            "2018-01-03T09:00:00Z",
            2,
            3,
        )


async def test_explanation_is_shown_to_keys_in_scope(
    sla_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """The explanation has days and shifts, as known now or at a past instant."""
    url, centre, dossier = database.fresh("sla").url("sla"), write_centre(tmp_path / "centre"), DossierEvents()
    off = '2018-01-03,off,,Nghỉ,,"Quyết định 5",2018-01-03,all,,decided,\n'
    write_centre(centre, **{"calendars/week_csv": SMALL_CENTRE["calendars/week.csv"] + off})
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-05 09:00") as sla,
        sla.client("stp") as stp,
        sla.client("stc") as stc,
        sla.client("applicant") as applicant,
    ):
        path = f"/dossiers/{dossier.dossier_id}/due-date/explanation"
        problem(await stp.get(path), 404, "dossier-not-found")
        await sla.consume(dossier.submitted())
        problem(await stp.get(path), 404, "dossier-not-found")
        await sla.consume(
            dossier.at("2018-01-02 10:00").received(), dossier.at("2018-01-02 16:00").supplement_required()
        )
        await sla.consume(dossier.at("2018-01-04 10:00").supplement_received())

        # one day from Tuesday 10:00; on Tuesday at 16:00 4 of 8 h were left: Thursday 10:00 to 11:30, and to 16:00
        shown = (await stp.get(path, params={"lang": "en"})).json()
        assert (shown["due_at"], shown["given_seconds"], shown["counted_seconds"]) == (
            "2018-01-04T09:00:00Z",
            28_800,
            28_800,
        )
        (wednesday,) = (day for day in shown["days"] if day["date"] == "2018-01-03")
        assert wednesday["exception"]["decided_by"] == "Quyết định 5"
        assert [shift["what"] for shift in shown["shifts"]] == ["pause"]
        assert shown["sentences"][0].startswith("Received Tuesday 2018-01-02 10:00")
        assert (await stp.get(path)).json()["sentences"][0].startswith("Tiếp nhận")

        then = (await stp.get(path, params={"as_known_at": "2018-01-02T12:00:00+07:00"})).json()
        assert (then["state"], then["shifts"], then["due_at"]) == ("running", [], "2018-01-03T03:00:00Z")

        problem(await stc.get(path), 404, "dossier-not-found")
        problem(await applicant.get(path), 403, "forbidden")
        for bad in ("2018-01-02T09:59:00+07:00", "2018-01-06T09:00:00+07:00"):
            refused = problem(await stp.get(path, params={"as_known_at": bad}), 422, "not-known")
            assert refused["errors"][0]["pointer"] == "/query/as_known_at"
        problem(await stp.get(path, params={"as_known_at": "2018-01-02T12:00:00"}), 422, "invalid-content")
        problem(await stp.get(path, params={"lang": "fr"}), 422, "invalid-content")
        described = (await stp.get("/openapi.json")).json()["paths"]
        assert "/dossiers/{dossier_id}/due-date/explanation" in described


async def test_openapi_document_names_no_module(sla_broker: kafka.Broker, database: Databases, tmp_path: Path) -> None:
    """Two models with the same name would get the names of their modules."""
    url, centre = database.fresh("sla").url("sla"), write_centre(tmp_path / "centre")
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-05 09:00") as sla,
        sla.client("stp") as stp,
    ):
        described = (await stp.get("/openapi.json")).json()
    assert [name for name in described["components"]["schemas"] if "__" in name] == []


async def test_due_date_of_a_receipt_is_derived(sla_broker: kafka.Broker, database: Databases, tmp_path: Path) -> None:
    """A request without a dossier gets a due date, or a problem that names the place."""
    url, centre = database.fresh("sla").url("sla"), write_centre(tmp_path / "centre")
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-02 15:01") as sla,
        sla.client("stp") as stp,
        httpx.AsyncClient(transport=httpx.ASGITransport(app=sla.app), base_url="http://sla") as without_key,
    ):

        async def ask(**params: str) -> httpx.Response:
            return await stp.get("/due", params=params)

        found = (await ask(procedure="2.000908", received_at="2018-01-02T09:00:00+07:00")).json()
        assert (found["counted_from"], found["due_at"], found["calendar"], found["calendar_version"]) == (
            "2018-01-02T02:00:00Z",
            "2018-01-03T02:00:00Z",
            "week",
            1,
        )
        now = (await ask(procedure="2.000908")).json()
        assert (now["received_at"], now["due_date"]) == ("2018-01-02T08:01:00Z", "2018-01-03")
        assert now["counted_from"] == "2018-01-03T00:00:00Z"
        no_term = (await ask(procedure="L.7")).json()
        assert (no_term["term"], no_term["due_at"]) == (None, None)

        problem(await ask(procedure="9.999999"), 404, "procedure-unknown")
        outside = problem(
            await ask(procedure="2.000908", received_at="2026-12-31T16:00:00+07:00"), 422, "date-outside-calendar"
        )
        assert "week covers 2017-01-01 to 2026-12-31" in outside["detail"]
        for bad in ("2018-01-02T09:00:00", "2018-01-02", "0", "1514858400", "soon", "2018-01-02T09:00:00 07:00"):
            problem(await ask(procedure="2.000908", received_at=bad), 422, "invalid-content")
        problem(await stp.get("/due"), 422, "invalid-content")
        problem(await without_key.get("/due", params={"procedure": "L.7"}), 401, "unauthorized")
