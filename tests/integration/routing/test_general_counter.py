"""The general counter on a real broker and database: volumes, proposals, decisions and the resulting assignments."""

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from motcua.lab.simulate.sources import from_database
from motcua.local.embedded import kafka
from services.routing.assignments.rebuild import rebuild_assignment
from services.routing.general_counter.store import read_decisions
from services.routing.general_counter.worker import WeekCloser
from shared.kernel.errors import StartError
from tests.integration.routing.general_counter_site import (
    GeneralCounter,
    calendar_event,
    general_counter_running,
    monday,
)
from tests.support import Databases, eventually
from tests.support.centre_folder import SMALL_CENTRE, ruled_centre
from tests.support.dossier_events import DossierEvents
from tests.support.hand_clock import at

FIRST = monday("2018-01-08")
WEEK = timedelta(days=7)


async def assert_problem(response: httpx.Response, status: int, slug: str, detail: str = "") -> None:
    """The response is that problem, and contains `detail`."""
    assert (response.status_code, response.json()["type"]) == (status, f"urn:motcua:problem:{slug}"), response.text
    assert detail in response.text


async def receive_for_others(counter: GeneralCounter, week: date) -> None:
    """The other departments receive enough dossiers to get no proposal."""
    await counter.receive(week, "CA", 10)
    await counter.receive(week, "STP", 10)


async def check_assignments(counter: GeneralCounter) -> None:
    """Each dossier's place and reason follow from the decision in force on its day, as published and as rebuilt."""
    assigned = await counter.assignments(counter.sent)
    decisions = await read_decisions(counter.context.pool)
    centre = counter.context.centre
    for dossier in counter.sent:
        data = assigned[str(dossier.dossier_id)]
        day = centre.local_date(dossier.events[0].time)
        in_force = decisions.in_force(data.competent_department, day)
        rebuilt = rebuild_assignment(dossier.events, centre, decisions)
        assert rebuilt is not None
        assert data.model_dump(exclude={"dossier_sequence"}) == rebuilt.model_dump(exclude={"dossier_sequence"})
        if in_force is None:
            assert (data.receiving_place.kind, data.reason.decision) == ("department", "01/QĐ")
        else:
            assert (data.receiving_place.kind, data.reason.decision, data.reason.in_force_from) == (
                in_force.receiving,
                in_force.number,
                in_force.effective_from,
            )
            assert [figure.week for figure in data.reason.figures] == [week.start for week in in_force.weeks]


async def test_department_is_pooled_and_released_by_volumes(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """Approved proposals pool and release a department from the start of a working week, without a restart."""
    fresh = database.fresh("routing")
    url = fresh.url("routing")
    centre = ruled_centre(tmp_path / "centre")
    async with general_counter_running(
        own_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-08 07:00"
    ) as counter:
        await counter.consume([calendar_event(counter.context.centre)])
        week = FIRST
        for few in (3, 9, 0, 4):
            await counter.receive(week, "STC", few)
            await counter.receive(
                week, "STC", 30, channel="online"
            )  # not counted: online dossiers need no officer at a counter
            await receive_for_others(counter, week)
            assert await counter.proposals() == []
            await counter.close(week)
            week += WEEK
        (proposal,) = await counter.proposals(state="proposed")
        assert (proposal["department"], proposal["receiving"], proposal["rule"]) == ("STC", "general", "04/QĐ")
        assert [(each["dossiers"], each["volume"]) for each in proposal["weeks"]] == [(3, 3), (9, 9), (0, 0), (4, 4)]
        assert proposal["earliest_from"] == str(week + WEEK)

        approved = await counter.post(f"/proposals/{proposal['proposal_id']}/approve", {"decision": "21/QĐ"})
        assert (approved.json()["state"], approved.json()["effective_from"]) == ("approved", str(week + WEEK))
        before = await counter.get("/departments/STC/receiving-place", on=str(week + 6 * timedelta(days=1)))
        assert (before["receiving"], before["next"]["decision"]) == ("department", "21/QĐ")
        after = await counter.get("/departments/STC/receiving-place", on=str(week + WEEK), who="clerk")
        assert (after["receiving"], after["counters"]) == ("general", [5])
        assert (after["decision"]["decision"], after["decision"]["status"]) == ("21/QĐ", "in_force")

        await check_load_under_later_decision(counter, week + WEEK)
        for _ in range(10):  # the decision's own week and nine more; the least stay is eight weeks
            await counter.receive(week, "STC", 15)
            await receive_for_others(counter, week)
            await counter.close(week)
            week += WEEK
        (release,) = await counter.proposals(state="proposed")
        assert (release["department"], release["receiving"]) == ("STC", "department")
        assert release["earliest_from"] == str(FIRST + 5 * WEEK + 8 * WEEK)
        assert [each["volume"] for each in release["weeks"]] == [15, 15]
        answer = await counter.post(f"/proposals/{release['proposal_id']}/approve", {"decision": "34/QĐ"})
        released_on = answer.json()["effective_from"]
        while week <= date.fromisoformat(released_on):
            await counter.receive(week, "STC", 15)
            week += WEEK

        recorded = from_database(fresh.url("verify"), counter.context.centre, FIRST, FIRST + 3 * WEEK)
        assert recorded.calendar is not None
        assert len([one for one in recorded.arrivals if one.department == "STC" and one.channel == "counter"]) == 12
        with pytest.raises(StartError, match="has recorded no dossier received from 2017-01-02 to 2017-01-08"):
            from_database(fresh.url("verify"), counter.context.centre, date(2017, 1, 2), date(2017, 1, 8))
        await check_assignments(counter)
        decided = (await counter.get("/decisions", department="STC", on=released_on))["decisions"]
        assert [(each["decision"], each["status"]) for each in decided] == [
            ("21/QĐ", "superseded"),
            ("34/QĐ", "in_force"),
        ]
        shown = await counter.get("/volumes", department="STC", last=str(FIRST))
        (first,) = [each for each in shown["volumes"] if each["week"] == str(FIRST)]
        assert (first["received"], first["dossiers"], first["working_days"]) == ({"counter": 3, "online": 30}, 3, 5)
        receiving = await counter.get("/general-counter", on=released_on)
        assert {each["department"]: each["receiving"] for each in receiving["departments"]} == {
            "STP": "department",
            "STC": "department",
            "CA": "department",
        }


async def check_load_under_later_decision(counter: GeneralCounter, pooled_from: date) -> None:
    """The general counter's load on the first Tuesday under the decision is based on STC's past Tuesdays."""
    tuesday = pooled_from + timedelta(days=1)
    load = await counter.get("/counters/load", on=str(tuesday), weeks="5")
    general, *others = load["places"]
    assert load["sample_days"] == [str(FIRST + n * WEEK + timedelta(days=1)) for n in range(4)]
    assert (general["receives_for"], general["counters"], general["officers"]) == (["STC"], [5], 2)
    assert [each["department"] for each in others] == ["STP", "CA"]
    eight = next(hour for hour in general["hours"] if hour["hour"] == 8)
    assert (eight["expected"], eight["arrived"], eight["officer_minutes"]) == (4, 0, 120)  # the mean of 3, 9, 0 and 4
    assert (eight["work_minutes"], eight["use"]) == (62.0, 0.516)  # the mean is 15.49 minutes each
    assert (general["peak_hour"], general["overloaded"]) == (8, False)
    assert [(hour["hour"], hour["officer_minutes"]) for hour in general["hours"]] == [
        (7, 60), (8, 120), (9, 120), (10, 120), (14, 120), (15, 120), (16, 60)
    ]  # fmt: skip
    ca = others[1]
    assert (ca["peak_use"], ca["overloaded"]) == (3.858, True)  # ten at 23.15 minutes each, by one officer
    counters = (await counter.get("/counters", on=str(tuesday), who="clerk"))["counters"]
    assert [(each["number"], each["officers"], len(each["windows"])) for each in counters][4:] == [(5, 2, 2), (6, 1, 2)]
    sunday = (await counter.get("/counters", on=str(pooled_from - timedelta(days=1))))["counters"]
    assert {len(each["windows"]) for each in sunday} == {0}
    async with counter.client("leader") as leader:
        await assert_problem(
            await leader.get("/counters/load?on=2030-01-01"), 422, "date-outside-calendar", "2026-12-31"
        )


async def test_week_closes_once_and_only_when_complete(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """A week stays open while acts may be dated into it or events are quarantined; later receipts change no volume."""
    url = database.fresh("routing").url("routing")
    centre = ruled_centre(tmp_path / "centre")
    async with general_counter_running(
        own_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-08 07:00"
    ) as counter:
        assert not await counter.closer.close_oldest()  # the calendar is not available yet
        await counter.consume([calendar_event(counter.context.centre)])
        await counter.receive(FIRST, "STC", 3)
        gap = DossierEvents(start=at("2018-01-10 08:00"))
        events = [gap.submitted("1.000001", "STC"), gap.received("1.000001", "STC"), gap.in_state("processing")]
        await counter.consume([events[0], events[2]])  # a gap: the receipt is missing

        counter.clock.set("2018-01-16 07:00")  # the last instant at which an act may be dated into it
        assert not await counter.closer.close_oldest()
        found = (await counter.get("/volumes"))["open"]
        assert (found["closes_at"], found["waits_for"]) == ("2018-01-16T00:00:00Z", None)
        counter.clock.set("2018-01-16 07:01")
        assert not await counter.closer.close_oldest()
        assert "are quarantined" in (await counter.get("/volumes"))["open"]["waits_for"]
        assert await counter.closer.count_late() == 1
        await counter.consume([events[1], events[2]])

        second = WeekCloser(counter.context, counter.closer._calendar, counter.consumer)  # of another replica
        assert sorted(
            await asyncio.gather(eventually(counter.closer.close_oldest, within=30), second.close_oldest())
        ) in (
            [False, True],
            [True, True],
        )
        found = {each["department"]: each for each in (await counter.get("/volumes"))["volumes"]}
        assert (found["STC"]["dossiers"], found["STP"]["dossiers"], found["STC"]["later"]) == (4, 0, 0)

        await counter.receive(FIRST, "STC", 2)  # intake could not publish them before
        found = {each["department"]: each for each in (await counter.get("/volumes"))["volumes"]}
        assert (found["STC"]["dossiers"], found["STC"]["later"]) == (4, 2)
        assert (
            await counter.context.pool.fetchval("select count(*) from weeks"),
            await counter.closer.count_late(),
        ) == (1, 0)


async def test_impossible_decision_is_refused_with_remedy(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """A refusal names the remedy and changes nothing; a repeated write gets its first answer."""
    url = database.fresh("routing").url("routing")
    holiday = SMALL_CENTRE["calendars/week.csv"] + "2018-01-22,off,,Nghỉ,Off,1/QĐ,,all,,decided,\n"
    counters = SMALL_CENTRE["counters.csv"].replace("4,department,CA", "4,department,STP")
    centre = ruled_centre(
        tmp_path / "centre",
        **{
            "calendars/week_csv": holiday,
            "counters_csv": counters,
            "receiving_csv": SMALL_CENTRE["receiving.csv"] + "CA,2017-04-28,,16/QĐ,,\n",
        },
    )
    async with general_counter_running(
        own_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-10 09:00"
    ) as counter:
        body: dict[str, Any] = {
            "department": "STP",
            "receiving": "general",
            "fixed": True,
            "effective_from": "2018-01-15",
            "decision": "22/QĐ",
            "reason": "nhân sự",
        }
        await assert_problem(await counter.post("/decisions", body), 503, "calendar-not-available")
        await counter.consume([calendar_event(counter.context.centre)])
        for changed, status, slug, detail in (
            ({"effective_from": "2018-01-10"}, 422, "invalid-content", "is not after today, 2018-01-10"),
            ({"effective_from": "2018-01-13"}, 422, "invalid-content", "is a day off in the calendar week"),
            (
                {"effective_from": "2018-01-16"},
                422,
                "invalid-content",
                "The next working week starts on 2018-01-15",
            ),
            ({"effective_from": "2018-01-22"}, 422, "invalid-content", "is a day off"),
            ({"effective_from": "2028-01-03"}, 422, "invalid-content", "covers 2017-01-01 to 2026-12-31"),
            ({"department": "SYT"}, 404, "department-unknown", "SYT"),
            (
                {"department": "CA", "receiving": "department"},
                422,
                "invalid-content",
                "CA has no counter and is not pooled on 2018-01-15",
            ),
            ({"receiving": "both"}, 422, "invalid-content", "/receiving"),
            ({"decision": " "}, 422, "invalid-content", "/decision"),
            ({"fixd": True}, 422, "invalid-content", "/fixd"),
        ):
            await assert_problem(await counter.post("/decisions", body | changed), status, slug, detail)
        await assert_problem(await counter.post("/decisions", body, who="auditor"), 403, "forbidden")
        assert len((await counter.get("/decisions"))["decisions"]) == 2  # the initial ones

        after_holiday = await counter.post("/decisions", body | {"effective_from": "2018-01-23"}, key="one")
        assert (after_holiday.status_code, after_holiday.json()["status"]) == (201, "signed")
        again = await counter.post("/decisions", body | {"effective_from": "2018-01-23"}, key="one")
        assert again.json() == after_holiday.json()
        await assert_problem(await counter.post("/decisions", body, key="one"), 422, "key-reused")
        for day in ("2018-01-15", "2018-01-23"):
            conflict = await counter.post("/decisions", body | {"effective_from": day, "decision": "23/QĐ"})
            await assert_problem(conflict, 409, "decision-conflict", "22/QĐ")
        assert (await counter.get("/departments/STP/receiving-place", on="2018-01-22"))["receiving"] == "department"
        assert (await counter.get("/departments/STP/receiving-place", on="2018-01-23"))["receiving"] == "general"

    edited = SMALL_CENTRE["receiving.csv"].replace("2017-12-04", "2017-12-11") + "CA,2017-04-28,,16/QĐ,,\n"
    ruled_centre(tmp_path / "centre", receiving_csv=edited, counters_csv=counters)
    with pytest.raises(StartError) as refused:
        async with general_counter_running(own_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-10 09:00"):
            pass
    assert "STC at the general counter from 2017-12-04 by 15/QĐ was removed" in str(refused.value)
    assert "STC at the general counter from 2017-12-11 by 15/QĐ was added" in str(refused.value)


async def test_rejected_proposal_does_not_return_and_unjustified_one_lapses(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """A rejected proposal is not made again on the same weeks; new volumes or another decision make one lapse."""
    url = database.fresh("routing").url("routing")
    centre = ruled_centre(tmp_path / "centre")
    async with general_counter_running(
        own_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-08 07:00"
    ) as counter:
        await counter.consume([calendar_event(counter.context.centre)])
        for number in range(4):  # three departments without dossiers
            await counter.close(FIRST + number * WEEK)
        proposed = {each["department"]: each["proposal_id"] for each in await counter.proposals(state="proposed")}
        assert proposed.keys() == {"STP", "STC", "CA"}

        refused = {"decision": "25/QĐ", "reason": "sắp có thủ tục mới"}
        rejected = await counter.post(f"/proposals/{proposed['STP']}/reject", refused, key="one")
        assert (rejected.json()["state"], rejected.json()["decision"]) == ("rejected", "25/QĐ")
        assert (
            await counter.post(f"/proposals/{proposed['STP']}/reject", refused, key="one")
        ).json() == rejected.json()
        late = await counter.post(f"/proposals/{proposed['STP']}/approve", {"decision": "26/QĐ"})
        await assert_problem(late, 409, "proposal-decided", "already rejected by leader")
        fixed = {"department": "CA", "receiving": "department", "fixed": True, "decision": "27/QĐ", "reason": "an ninh"}
        assert (await counter.post("/decisions", fixed)).status_code == 201

        await counter.receive(FIRST + 4 * WEEK, "STC", 10)
        await counter.close(FIRST + 4 * WEEK)
        states = {each["department"]: (each["state"], each["reason"]) for each in await counter.proposals()}
        assert states["CA"] == ("lapsed", "superseded by decision 27/QĐ")
        assert states["STC"] == ("lapsed", f"the rule no longer proposes it after the week of {FIRST + 4 * WEEK}")
        for number in range(5, 8):
            await counter.close(FIRST + number * WEEK)
        (again,) = await counter.proposals(state="proposed")
        assert (again["department"], again["weeks"][0]["week"]) == ("STP", str(FIRST + 4 * WEEK))


async def test_dossiers_are_not_assigned_while_a_decision_is_signed(
    own_broker: kafka.Broker, database: Databases, tmp_path: Path
) -> None:
    """Signing waits for open assignments and only then reads the time; an assignment waits for a decision that is being
    signed, and applies it."""
    url = database.fresh("routing").url("routing")
    centre = ruled_centre(tmp_path / "centre")
    body = {"department": "STC", "receiving": "general", "fixed": True, "decision": "28/QĐ", "reason": "thử"}
    async with general_counter_running(
        own_broker.bootstrap, url, tmp_path, centre=centre, now="2018-01-14 23:59"
    ) as counter:
        await counter.consume([calendar_event(counter.context.centre)])
        other = await asyncpg.connect(url)
        try:
            reading = other.transaction()
            await reading.start()
            await other.execute(
                "select pg_advisory_xact_lock_shared(hashtext('motcua decisions'), hashtext('routing'))"
            )
            signing = asyncio.create_task(counter.post("/decisions", body | {"effective_from": "2018-01-15"}))
            await eventually(lambda: waiting_for_lock(counter), within=20)
            counter.clock.set("2018-01-15 00:00")  # the week begins while a batch of the night before is still open
            await reading.rollback()
            await assert_problem(await signing, 422, "invalid-content", "is not after today, 2018-01-15")

            signer = other.transaction()
            await signer.start()
            await other.execute("select pg_advisory_xact_lock(hashtext('motcua decisions'), hashtext('routing'))")
            dossier = DossierEvents(start=at("2018-01-22 07:30"))
            counter.sent.append(dossier)
            consuming = asyncio.create_task(counter.consume([dossier.submitted("1.000001", "STC")]))
            await eventually(lambda: waiting_for_lock(counter), within=20)
            await other.execute(
                "insert into decisions (decision_id, department, effective_from, receiving, fixed, decision, weeks,"
                " decided_by, decided_at) values (gen_random_uuid(), 'STC', '2018-01-22', 'general', true, '29/QĐ',"
                " '[]', 'leader', now())"
            )
            await other.execute("update general_counter set version = version + 1")
            await signer.commit()
            await consuming
        finally:
            await other.close()
        (assigned,) = (await counter.assignments(counter.sent)).values()
        assert (assigned.receiving_place.kind, assigned.reason.decision) == ("general", "29/QĐ")
        await check_assignments(counter)


async def waiting_for_lock(counter: GeneralCounter) -> bool:
    """Whether a transaction waits for the lock of decisions in this database."""
    return bool(
        await counter.context.pool.fetchval(
            "select exists (select from pg_locks where locktype = 'advisory' and not granted and database = "
            "(select oid from pg_database where datname = current_database()))"
        )
    )
