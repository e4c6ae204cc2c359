"""Numbered batches of papers over HTTP, on a real database and broker: all of one goes, or nothing."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from motcua.local.embedded.kafka import Broker
from motcua.verification.acts import known_answers
from shared.contracts.topics import DOSSIERS
from tests.integration.intake.office import House, build_house, count, fresh_key
from tests.integration.intake.papers_counter import opened
from tests.support import Databases, eventually
from tests.support.kafka import read_events

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_batch_has_a_number_and_a_list_to_sign(house: House) -> None:
    """Codes, procedure and what was handed in since the last batch, no applicant; for counter, department, leader."""
    async with opened(house) as counter:
        paper: dict[str, Any] = {"documents": [{"title": "Tờ khai"}], "applicant": {"name": "Nguyễn Văn An"}}
        one, two = [await counter.receive(**paper) for _ in range(2)]
        given = await counter.hand_over(two, one)
        assert given.status_code == 201
        batch = given.json()
        assert batch["number"] == "BG-170503-41-001"
        assert given.headers["Location"] == "/hand-overs/BG-170503-41-001"
        assert [each["code"] for each in batch["dossiers"]] == [one, two]
        (event,) = (await counter.office.read(batch["dossiers"][0]["dossier_id"])).json()["history"][2:]
        assert (event["type"], event["data"]["batch"]) == ("dossier.handed_over", batch["number"])
        assert (event["sequence"], event["details"]) == (3, {"given_by": "an", "taken_by": "ba"})
        connection = await asyncpg.connect(house.database)
        known = [(each.dossier_id, each.sequence) for each in await known_answers(connection)]  # what verify looks for
        await connection.close()
        assert {(each["dossier_id"], 3) for each in batch["dossiers"]} <= set(known)

        await counter.act(one, "take_over")
        await counter.act(one, "ask_supplement", papers=["Bản vẽ"])
        await counter.act(one, "supplement_received", "clerk-41", documents=[{"title": "Bản vẽ"}])
        again = (await counter.hand_over(one)).json()["number"]
        assert again == "BG-170503-41-002"
        titles = {}
        for number in (batch["number"], again):
            answer = await counter.get(f"/hand-overs/{number}", "officer")
            assert "Nguyễn" not in answer.text
            titles[number] = [[paper["title"] for paper in each["documents"]] for each in answer.json()["dossiers"]]
        assert titles == {batch["number"]: [["Tờ khai"], ["Tờ khai"]], again: [["Bản vẽ"]]}
        statuses = {
            who: (await counter.get(f"/hand-overs/{again}", who)).status_code
            for who in ("clerk-41", "clerk", "officer-syt", "leader", "auditor", "ops", "portal")
        }
        seen, unseen, barred = 200, 404, 403
        assert statuses == {
            "clerk-41": seen,
            "clerk": unseen,
            "officer-syt": unseen,
            "leader": seen,
            "auditor": seen,
            "ops": barred,
            "portal": barred,
        }


async def test_a_batch_with_one_wrong_dossier_changes_nothing(house: House) -> None:
    """Each that cannot go is named with its reason; no event, and no number is lost."""
    async with opened(house) as counter:
        good, gone, away = [await counter.receive() for _ in range(3)]
        elsewhere = await counter.receive("clerk")
        others = (await counter.office.walk_in("clerk-41", procedure="9.999999", receive={"department": "SYT"}))["code"]
        assert (await counter.hand_over(gone)).json()["number"].endswith("-001")
        await counter.act(away, "withdraw", "clerk-41")
        events = await count(counter.context.pool, "events")
        wrong = [gone, good, away, elsewhere, others, good, "H10.02-170503-9999", "17/2017"]
        refused = await counter.hand_over(*wrong)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:motcua:problem:hand-over-refused")
        assert {each["pointer"]: each["detail"] for each in refused.json()["errors"]} == {
            "/dossiers/0": "the department has its papers already; nothing came since",
            "/dossiers/2": "it is withdrawn: nothing of it is handed over any more",
            "/dossiers/3": "its papers lie at counter 2, whose clerk hands them over",
            "/dossiers/4": "it is SYT's to resolve, not STP's",
            "/dossiers/5": "it is named twice",
            "/dossiers/6": "there is no such dossier",
            "/dossiers/7": "'17/2017' is not a dossier code such as H10.18-170428-0001",
        }
        assert await count(counter.context.pool, "events") == events
        assert (await counter.hand_over(good)).json()["number"].endswith("-002")
        for body, pointer in (
            ({"taken_by": "an"}, ""),
            ({"department": "XXX"}, "/department"),
            ({"dossiers": []}, None),
        ):
            bad = await counter.hand_over(elsewhere, who="clerk", **body)
            assert bad.status_code == 422
            assert pointer is None or bad.json()["errors"][0]["pointer"].endswith(pointer)
        assert (await counter.hand_over(elsewhere, who="officer")).status_code == 403


async def test_two_replicas_never_draw_the_same_number(house: House) -> None:
    """The second waits while the first transaction is open; numbers run from 1 without a gap."""
    async with opened(house) as one, opened(house, replica=1) as two:
        codes = [await one.receive() for _ in range(9)]
        assert (await one.hand_over(codes[0])).json()["number"].endswith("-001")  # makes the serial's row
        async with one.context.pool.acquire() as holder, holder.transaction():
            await holder.execute("select from serials where form = 'BG' for update")
            asked = [
                asyncio.create_task(each.hand_over(code)) for each, code in zip((one, two), codes[1:3], strict=True)
            ]
            await eventually(lambda: _waiting(one.context.pool, 2), within=10)
        several = [each.hand_over(code) for each in (one, two) for code in codes[3:6]]  # each asked for at both
        answers = [*await asyncio.gather(*asked), *await asyncio.gather(*several)]
        numbers = [answer.json()["number"] for answer in answers if answer.status_code == 201]
        assert sorted(numbers) == [f"BG-170503-41-{serial:03}" for serial in range(2, 7)]
        assert {answer.status_code for answer in answers} == {201, 409}
        assert await count(one.context.pool, "events", type="dossier.handed_over") == 6


async def test_a_repeated_key_gets_its_first_number(house: House) -> None:
    """At the other replica while the first is under way, and for ever after; another request is refused."""
    async with opened(house) as one, opened(house, replica=1) as two:
        code, other, key = await one.receive(), await one.receive(), fresh_key()
        async with one.context.pool.acquire() as holder, holder.transaction():
            await holder.execute("select from dossiers where code = $1 for update", code)
            asked = [asyncio.create_task(each.hand_over(code, key=key)) for each in (one, two)]
            await eventually(lambda: _waiting(one.context.pool, 2), within=10)
        first, second = await asyncio.gather(*asked)
        assert (first.status_code, first.json()) == (second.status_code, second.json()) == (201, first.json())
        one.clock.set("2017-05-04 08:00")
        assert (await one.hand_over(code, key=key)).json() == first.json()
        reused = await one.hand_over(other, key=key)
        assert (reused.status_code, reused.json()["type"]) == (422, "urn:motcua:problem:key-reused")
        assert (await one.hand_over(other)).json()["number"] == "BG-170504-41-001"
        assert await count(one.context.pool, "events", type="dossier.handed_over") == 2


async def test_events_of_a_batch_name_nobody(broker: Broker, database: Databases, tmp_path: Path) -> None:
    """What Kafka hears of a batch is its number; names and signatures stay here."""
    house = build_house(database.fresh(), tmp_path, broker.bootstrap)
    async with opened(house, parts=("http", "relay")) as counter:
        code = await counter.receive(applicant={"name": "Lê Thị Bình"}, documents=[{"title": "deed of Bà Bình"}])
        signed = {"given_by": "bui-thi-hoa", "taken_by": "tran-van-nam"}
        number = (await counter.hand_over(code, **signed)).json()["number"]
        dossier = await counter.id_of(code)

        async def told() -> bool:
            events = [event for event in await read_events(broker.bootstrap, DOSSIERS) if event.subject == dossier]
            text = b"".join(event.to_json() for event in events).decode()
            assert not any(secret in text for secret in ("Bình", "bui-thi-hoa", "tran-van-nam"))
            return [event.type for event in events][2:] == ["dossier.handed_over"] and number in text

        await eventually(told, within=20)


async def _waiting(pool: asyncpg.Pool, wanted: int) -> bool:
    rows = await pool.fetchval(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )
    return int(rows) >= wanted
