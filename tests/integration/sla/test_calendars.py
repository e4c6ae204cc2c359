"""The working calendar: started from the centre's folder, and changed only by approved proposals."""

from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from motcua.local.embedded import kafka
from services.sla.settings import SlaSettings
from shared.contracts.calendars import CalendarPublishedV1
from shared.contracts.deadlines import DeadlineMovedV1
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.registry import decode
from shared.contracts.topics import CALENDARS
from shared.kernel.errors import StartError
from tests.integration.sla.site import Sla, sla_running
from tests.support.centre_folder import SMALL_CENTRE, write_centre
from tests.support.dossier_events import DossierEvents
from tests.unit.sla.builders import local

MONDAY = "2018-01-08 09:00"
OFF = {"date": "2018-01-09", "kind": "off", "status": "decided", "name": "Nghỉ bão"}
KEY = {"Idempotency-Key": "k-1"}
PROPOSALS = "/calendars/week/proposals"


def problem(answer: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """The problem document of a refusal with this status and slug."""
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document["type"]) == (status, f"urn:motcua:problem:{slug}"), answer.text
    return document


async def propose(leader: httpx.AsyncClient, key: str = "p-1", **body: Any) -> httpx.Response:
    return await leader.post(PROPOSALS, json=body or {"exceptions": [OFF]}, headers={"Idempotency-Key": key})


async def decide(client: httpx.AsyncClient, proposal_id: str, how: str, key: str, **body: Any) -> httpx.Response:
    return await client.post(f"{PROPOSALS}/{proposal_id}/{how}", json=body, headers={"Idempotency-Key": key})


def received(dossier: DossierEvents, when: str = MONDAY, department: str = "CA") -> AnyEnvelope:
    """A receipt at a department that no other test reads: all tests share one topic."""
    return dossier.at(when).received(department=department)


def of_police(rehearsed: dict[str, Any]) -> dict[str, Any]:
    """The tally of the police department."""
    (found,) = (each for each in rehearsed["departments"] if each["department"] == "CA")
    return dict(found)


async def published_calendars(sla: Sla) -> list[CalendarPublishedV1]:
    rows = await sla.context.pool.fetch(
        "select type, version, value from events where topic = $1 order by sequence", CALENDARS.name
    )
    envelopes: list[AnyEnvelope] = [decode(row["type"], row["version"], row["value"].encode()) for row in rows]
    return [envelope.data for envelope in envelopes if isinstance(envelope.data, CalendarPublishedV1)]


async def test_calendar_is_published_at_the_first_start_only(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """A restart and a second replica publish no further version."""
    for member in ("sla-0", "sla-1"):
        async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY, member=member) as sla:
            assert [event.version for event in await published_calendars(sla)] == [1]
            async with sla.client("auditor") as auditor:
                shown = (await auditor.get("/calendars/week")).json()
    assert (shown["version"], shown["weekdays"], shown["last_date"]) == (1, [1, 2, 3, 4, 5], "2026-12-31")
    assert [each["decided_by"] for each in shown["exceptions"]] == ["Labour Code 2012, art. 115"]
    assert [(each["version"], each["decision"], each["decided_by"]) for each in shown["history"]] == [
        (1, "03/QĐ", None)
    ]


async def test_edited_configuration_is_a_start_error(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """The error names both values and the way to change the calendar; after restoring the file, sla starts."""
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY):
        pass
    exceptions = SMALL_CENTRE["calendars/week.csv"]
    for file, text, difference in (
        (
            "calendars/week_csv",
            exceptions.replace("2018-01-01,off", "2018-01-01,half_day"),
            "kind of the exception of 2018-01-01 is 'half_day', and was 'off'",
        ),
        (
            "calendars/week_csv",
            exceptions + '2018-01-09,off,,Nghỉ,,"Quyết định 5",2018-01-01,all,,decided,\n',
            "the exception of 2018-01-09 known from 2018-01-01 00:00:00+07:00 is 'off (Nghỉ)', and was missing",
        ),
        (
            "calendars_csv",
            SMALL_CENTRE["calendars.csv"].replace("2026-12-31", "2027-12-31"),
            "last_date is 2027-12-31, and was 2026-12-31",
        ),
    ):
        write_centre(centre, **{file: text})
        with pytest.raises(StartError, match="as a proposal instead") as refused:
            async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY):
                pass
        assert difference in str(refused.value)
        write_centre(centre)
    renamed = SMALL_CENTRE["calendars.csv"].replace("week,", "other,")
    write_centre(centre, calendars_csv=renamed, **{"calendars/other_csv": exceptions, "calendars/week_csv": None})
    (centre / "calendars" / "week.csv").unlink()
    with pytest.raises(StartError, match="has used the calendar week"):
        async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY):
            pass
    (centre / "calendars" / "other.csv").unlink()
    write_centre(centre)
    async with sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY) as sla:
        assert [event.version for event in await published_calendars(sla)] == [1]


async def test_approved_proposal_is_the_next_version(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """The version is published with its decision and in force at once and after a restart; explanations of an earlier
    instant omit it."""
    dossier = DossierEvents()
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY) as sla,
        sla.client("leader") as leader,
    ):
        await sla.consume(dossier.at(MONDAY).received())
        made = (await propose(leader)).json()
        assert (made["state"], made["base_version"], made["proposed_by"]) == ("proposed", 1, "leader")
        sla.clock.set("2018-01-08 11:00")
        approved = (await decide(leader, made["proposal_id"], "approve", "a-1", decision="9/QĐ")).json()
        assert (approved["state"], approved["calendar_version"], approved["decision"]) == ("approved", 2, "9/QĐ")
        assert (approved["decided_by"], approved["decided_at"]) == ("leader", "2018-01-08T04:00:00Z")

        first, second = await published_calendars(sla)
        assert (second.version, second.decision, len(first.opens) - len(second.opens)) == (2, "9/QĐ", 2)
        shown = (await leader.get("/calendars/week")).json()
        assert shown["exceptions"][-1]["known_from"] == "2018-01-08T04:00:00Z"
        assert [each["proposal_id"] for each in shown["history"]] == [None, made["proposal_id"]]

        query = {"procedure": "2.000908", "received_at": "2018-01-08T09:00:00+07:00"}
        due = (await leader.get("/due", params=query)).json()
        assert (due["due_date"], due["calendar_version"]) == ("2018-01-10", 2)
        path = f"/dossiers/{dossier.dossier_id}/due-date/explanation"
        now = (await leader.get(path)).json()
        then = (await leader.get(path, params={"as_known_at": "2018-01-08T10:59:00+07:00"})).json()
        assert (now["due_date"], then["due_date"]) == ("2018-01-10", "2018-01-09")
        (tuesday,) = (day for day in now["days"] if day["date"] == "2018-01-09")
        assert tuesday["exception"]["decided_by"] == "9/QĐ"
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-08 12:00") as sla,
        sla.client("leader") as leader,
    ):
        assert (await leader.get("/due", params=query)).json()["due_date"] == "2018-01-10"
        assert len(await published_calendars(sla)) == 2


async def test_proposal_extends_the_calendar(sla_broker: kafka.Broker, url: str, tmp_path: Path) -> None:
    """A later last date and its holidays are one proposal; waiting dossiers get their due date."""
    dossier = DossierEvents()
    short = SMALL_CENTRE["calendars.csv"].replace("2026-12-31", "2018-01-08")
    centre = write_centre(tmp_path / "centre", calendars_csv=short)
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY) as sla,
        sla.client("leader") as leader,
    ):
        await sla.consume(received(dossier, MONDAY, "STC"))
        assert await sla.types(dossier.dossier_id) == ["waiting"]
        sla.clock.set("2018-01-08 11:00")
        made = (await propose(leader, exceptions=[OFF], last_date="2018-12-31")).json()
        path = f"{PROPOSALS}/{made['proposal_id']}/rehearsal/moves"
        assert (await leader.get(path, params={"department": "STC"})).json()["items"] == [
            {
                "dossier_id": str(dossier.dossier_id),
                "code": dossier.events[0].data.model_dump()["code"],
                "department": "STC",
                "due_before": None,
                "due_after": "2018-01-10T02:00:00Z",
            }
        ]
        await decide(leader, made["proposal_id"], "approve", "a-1", decision="10/QĐ")
        await sla.sweep_all()
        assert await sla.types(dossier.dossier_id) == ["waiting", "set"]
        assert local((await sla.row(dossier.dossier_id))["due_at"]) == "2018-01-10 09:00"
        sla.clock.set("2018-01-08 12:00")
        path = f"/dossiers/{dossier.dossier_id}/due-date/explanation"
        now, then = [
            (await leader.get(path, params={"as_known_at": f"2018-01-08T{hour}:00:00+07:00"})).json()
            for hour in ("12", "10")
        ]
        assert (now["due_date"], then["due_date"], then["waiting_for"]) == ("2018-01-10", None, "calendar")


async def test_rehearsal_lists_the_moving_dossiers(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """Moves are listed by page and department; paused, ended and later dossiers do not move, and nothing changes."""
    moving, late, paused, ended = (
        [DossierEvents(), DossierEvents(), DossierEvents()],
        DossierEvents(),
        DossierEvents(),
        DossierEvents(),
    )
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-08 16:00") as sla,
        sla.client("leader") as leader,
        sla.client("ca") as police,
        sla.client("stc") as finance,
    ):
        await sla.consume(*[received(each) for each in moving])
        await sla.consume(received(late, "2018-01-10 09:00"))
        await sla.consume(received(paused), paused.at("2018-01-08 10:00").supplement_required())
        await sla.consume(received(ended), ended.at("2018-01-08 10:00").settled())
        made = (await propose(leader)).json()
        path = f"{PROPOSALS}/{made['proposal_id']}/rehearsal"
        found = (await leader.get(path)).json()
        assert (found["base_version"], found["not_yet_swept"]) == (1, 0)
        assert of_police(found) == {
            "department": "CA",
            "open": 5,
            "unmoved": 2,
            "later": 3,
            "earlier": 0,
            "gained": 0,
            "lost": 0,
            "past": 0,
            "first_moved": "2018-01-09",
            "last_moved": "2018-01-09",
        }
        query: dict[str, str | int] = {"limit": 2, "department": "CA"}
        first = (await leader.get(f"{path}/moves", params=query)).json()
        rest = (await leader.get(f"{path}/moves", params=query | {"after": first["next"]})).json()
        moves = first["items"] + rest["items"]
        assert rest["next"] is None
        assert [each["dossier_id"] for each in moves] == sorted(str(each.dossier_id) for each in moving)
        assert {(each["due_before"], each["due_after"]) for each in moves} == {
            ("2018-01-09T02:00:00Z", "2018-01-10T02:00:00Z")
        }
        assert all(each["code"].startswith("H10.01-180108-") for each in moves)

        assert (await police.get(f"{path}/moves")).json()["items"] == moves
        assert {each["department"] for each in (await police.get(path)).json()["departments"]} == {"CA"}
        assert not {each["department"] for each in (await finance.get(path)).json()["departments"]} - {"STC"}
        assert problem(await finance.get(f"{path}/moves", params={"department": "CA"}), 403, "forbidden")["errors"]
        unknown = problem(await leader.get(f"{path}/moves", params={"department": "CB"}), 422, "invalid-content")
        assert unknown["allowed"] == ["CA", "STC", "STP"]
        assert [each["pointer"] for each in unknown["errors"]] == ["/query/department"]
        assert await sla.types(moving[0].dossier_id) == ["set"]


async def test_sweep_publishes_the_moves_of_the_rehearsal(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """With and without pauses, the moves after the approval are those of the rehearsal."""
    several = [DossierEvents() for _ in range(12)]
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-11 16:00") as sla,
        sla.client("leader") as leader,
    ):
        for number, dossier in enumerate(several):
            await sla.consume(received(dossier, f"2018-01-{5 + number % 6:02} {8 + number % 3:02}:30", "STP"))
            if number % 4 == 0:
                await sla.consume(
                    dossier.at("2018-01-10 15:00").supplement_required(),
                    dossier.at("2018-01-11 07:30").supplement_received(),
                )
        made = (await propose(leader)).json()
        path = f"{PROPOSALS}/{made['proposal_id']}/rehearsal/moves"
        rehearsed = (await leader.get(path, params={"department": "STP", "limit": 500})).json()["items"]
        await decide(leader, made["proposal_id"], "approve", "a-1", decision="9/QĐ")
        await sla.sweep_all()
        moved = {}
        for dossier in several:
            for envelope in await sla.published(dossier.dossier_id):
                if isinstance(envelope.data, DeadlineMovedV1):
                    moved[str(dossier.dossier_id)] = (envelope.data.previous_due_at, envelope.data.due_at)
        assert 0 < len(moved) < len(several)
        ours = {str(dossier.dossier_id) for dossier in several}
        assert moved == {
            each["dossier_id"]: tuple(datetime.fromisoformat(each[name]) for name in ("due_before", "due_after"))
            for each in rehearsed
            if each["dossier_id"] in ours
        }


async def test_repeated_idempotency_key_gets_its_first_answer(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """The answer does not change with later events; the same key with another request is refused."""
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY) as sla,
        sla.client("leader") as leader,
    ):
        made = await propose(leader)
        proposal_id = made.json()["proposal_id"]
        approved = await decide(leader, proposal_id, "approve", "a-1", decision="9/QĐ")
        assert (await propose(leader)).json() == made.json()
        assert (await decide(leader, proposal_id, "approve", "a-1", decision="9/QĐ")).json() == approved.json()
        for other in (
            await propose(leader, last_date="2030-12-31"),
            await decide(leader, proposal_id, "approve", "a-1", decision="10/QĐ"),
            await decide(leader, proposal_id, "reject", "p-1", reason="Bão tan"),
        ):
            assert problem(other, 422, "key-reused")["errors"][0]["pointer"] == "/header/Idempotency-Key"
        assert len(await published_calendars(sla)) == 2
        assert len((await leader.get(PROPOSALS)).json()["items"]) == 1


async def test_decided_or_overtaken_proposal_is_refused(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """The refusal names who decided; an overtaken proposal must be rehearsed again."""
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY) as sla,
        sla.client("leader") as leader,
    ):
        one, two, three = [
            (await propose(leader, f"p-{day}", exceptions=[OFF | {"date": f"2018-01-{day}"}])).json()["proposal_id"]
            for day in (16, 17, 18)
        ]
        rejected = (await decide(leader, one, "reject", "d-1", reason="Bão tan")).json()
        assert (rejected["state"], rejected["reason"]) == ("rejected", "Bão tan")
        again = problem(await decide(leader, one, "approve", "a-1", decision="9/QĐ"), 409, "proposal-decided")
        assert "already rejected by leader at 2018-01-08T02:00:00+00:00 (Bão tan)" in again["detail"]
        assert (await decide(leader, two, "approve", "a-2", decision="9/QĐ")).status_code == 200
        problem(await leader.get(f"{PROPOSALS}/{two}/rehearsal"), 409, "proposal-decided")

        overtaken = problem(await decide(leader, three, "approve", "a-3", decision="9/QĐ"), 409, "proposal-overtaken")
        assert "version 1 of calendar week, whose present version is 2" in overtaken["detail"]
        problem(await leader.get(f"{PROPOSALS}/{three}/rehearsal/moves"), 409, "proposal-overtaken")
        assert (await decide(leader, three, "reject", "d-3", reason="Overtaken")).status_code == 200
        page = (await leader.get(PROPOSALS, params={"limit": 2})).json()
        assert [each["state"] for each in page["items"]] == ["rejected", "approved"]
        rest = (await leader.get(PROPOSALS, params={"after": page["next"]})).json()
        assert ([each["proposal_id"] for each in rest["items"]], rest["next"]) == ([three], None)


async def test_proposal_without_role_or_with_faults_is_refused(
    sla_broker: kafka.Broker, url: str, centre: Path, tmp_path: Path
) -> None:
    """The refusal names the role or the place, and nothing is stored."""
    async with (
        sla_running(sla_broker.bootstrap, url, tmp_path, centre=centre, now=MONDAY) as sla,
        sla.client("leader") as leader,
        sla.client("stp") as stp,
        sla.client("auditor") as auditor,
        sla.client("importer") as importer,
        sla.client("applicant") as applicant,
    ):
        for other in (stp, auditor, importer, applicant):
            problem(await propose(other), 403, "forbidden")
        for other in (importer, applicant):
            problem(await other.get("/calendars/week"), 403, "forbidden")
        assert (await stp.get("/calendars/week")).status_code == 200

        for body, pointer in (
            ({"exceptions": [OFF | {"date": "2027-01-01"}]}, "/exceptions/0/date"),
            ({"exceptions": [OFF | {"date": 1515456000}]}, "/exceptions/0/date"),
            ({"exceptions": [OFF | {"kind": "holiday"}]}, "/exceptions/0/kind"),
            ({"exceptions": [OFF | {"status": "rumour"}]}, "/exceptions/0/status"),
            ({"exceptions": [OFF | {"name": " "}]}, "/exceptions/0/name"),
            ({"exceptions": [OFF | {"windows": [["07:00", "11:00"]]}]}, "/exceptions/0"),
            ({"exceptions": [OFF | {"kind": "working", "windows": [["11:00", "07:00"]]}]}, "/exceptions/0"),
            (
                {"exceptions": [OFF | {"kind": "working", "windows": [["07:00", "11:00"], ["10:00", "12:00"]]}]},
                "/exceptions/0",
            ),
            ({"exceptions": [OFF | {"date": "2018-01-13", "kind": "working"}]}, "/exceptions/0/windows"),
            ({"exceptions": [OFF, OFF]}, "/exceptions/1/date"),
            ({"exceptions": [OFF | {"date": "2018-01-01", "status": "statutory"}]}, "/exceptions/0/kind"),
            ({"last_date": "2026-12-31"}, "/last_date"),
            ({"last_date": "2026-12-31", "note": "x"}, "/note"),
            ({"exceptions": []}, ""),
        ):
            refused = problem(await propose(leader, **body), 422, "invalid-content")
            assert pointer in [each["pointer"] for each in refused["errors"]], refused
        keyless = problem(await leader.post(PROPOSALS, json={"exceptions": [OFF]}), 422, "invalid-content")
        assert keyless["errors"][0]["pointer"] == "/header/Idempotency-Key"
        assert (await leader.get(PROPOSALS)).json() == {"items": [], "next": None}

        made = (await propose(leader)).json()["proposal_id"]
        problem(await decide(stp, made, "approve", "a-1", decision="9/QĐ"), 403, "forbidden")
        for body in ({}, {"decision": "  "}):
            missing = problem(await decide(leader, made, "approve", "a-1", **body), 422, "invalid-content")
            assert missing["errors"][0]["pointer"] == "/decision"
        elsewhere = f"/calendars/other/proposals/{made}"
        problem(await leader.get(elsewhere), 404, "proposal-not-found")
        to_other = await leader.post("/calendars/other/proposals", json={"exceptions": [OFF]}, headers=KEY)
        for unknown in (await leader.get("/calendars/other"), to_other):
            assert problem(unknown, 404, "calendar-not-found")["allowed"] == ["week"]
        problem(await leader.get(f"{PROPOSALS}/{DossierEvents().dossier_id}"), 404, "proposal-not-found")
        problem(await leader.get(f"{PROPOSALS}/1"), 422, "invalid-content")
        assert len(await published_calendars(sla)) == 1
        assert isinstance(sla.context.settings, SlaSettings)
