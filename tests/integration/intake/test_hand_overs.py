"""Hand-over batches over HTTP, on a real database and broker: all dossiers of a batch go, or none."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from motcua.local.embedded.kafka import Broker
from motcua.verification.acts import stored_answers
from shared.contracts.topics import DOSSIERS
from tests.integration.intake.deployment import Deployment, build_deployment, count, fresh_key
from tests.integration.intake.papers_counter import opened
from tests.support import Databases, eventually
from tests.support.kafka import read_events

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_batch_has_a_number_and_a_signed_list(deployment: Deployment) -> None:
    """The list has codes, procedure and new documents, no applicant; only counter, department and leaders see it."""
    async with opened(deployment) as counter:
        paper: dict[str, Any] = {"documents": [{"title": "Tờ khai"}], "applicant": {"name": "Nguyễn Văn An"}}
        one, two = [await counter.receive(**paper) for _ in range(2)]
        created = await counter.hand_over(two, one)
        assert created.status_code == 201
        batch = created.json()
        assert batch["number"] == "BG-170503-41-001"
        assert created.headers["Location"] == "/hand-overs/BG-170503-41-001"
        assert [each["code"] for each in batch["dossiers"]] == [one, two]
        (event,) = (await counter.client.read(batch["dossiers"][0]["dossier_id"])).json()["history"][2:]
        assert (event["type"], event["data"]["batch"]) == ("dossier.handed_over", batch["number"])
        assert (event["sequence"], event["details"]) == (3, {"given_by": "an", "taken_by": "ba"})
        connection = await asyncpg.connect(deployment.database)
        known = [
            (each.dossier_id, each.sequence) for each in await stored_answers(connection)
        ]  # as motcua verify reads it
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
        visible, invisible, forbidden = 200, 404, 403
        assert statuses == {
            "clerk-41": visible,
            "clerk": invisible,
            "officer-syt": invisible,
            "leader": visible,
            "auditor": visible,
            "ops": forbidden,
            "portal": forbidden,
        }


async def test_batch_with_an_invalid_dossier_changes_nothing(deployment: Deployment) -> None:
    """The refusal has a reason for each dossier that cannot go; no event is published and no number drawn."""
    async with opened(deployment) as counter:
        good, gone, away = [await counter.receive() for _ in range(3)]
        elsewhere = await counter.receive("clerk")
        others = (await counter.client.walk_in("clerk-41", procedure="9.999999", receive={"department": "SYT"}))["code"]
        assert (await counter.hand_over(gone)).json()["number"].endswith("-001")
        await counter.act(away, "withdraw", "clerk-41")
        events = await count(counter.context.pool, "events")
        wrong = [gone, good, away, elsewhere, others, good, "H10.02-170503-9999", "17/2017"]
        refused = await counter.hand_over(*wrong)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:motcua:problem:hand-over-refused")
        assert {each["pointer"]: each["detail"] for each in refused.json()["errors"]} == {
            "/dossiers/0": "The department already has the papers; none came since.",
            "/dossiers/2": "The dossier is withdrawn, so no papers are handed over.",
            "/dossiers/3": "The papers are at counter 2, whose clerk hands them over.",
            "/dossiers/4": "The competent department is SYT, not STP.",
            "/dossiers/5": "The dossier is named twice.",
            "/dossiers/6": "Dossier not found.",
            "/dossiers/7": "'17/2017' is not a dossier code such as H10.18-170428-0001.",
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


async def test_two_replicas_draw_different_numbers(deployment: Deployment) -> None:
    """The second request waits for the first transaction; numbers run from 1 without a gap."""
    async with opened(deployment) as one, opened(deployment, replica=1) as two:
        codes = [await one.receive() for _ in range(9)]
        assert (await one.hand_over(codes[0])).json()["number"].endswith("-001")  # creates the serial's row
        async with one.context.pool.acquire() as holder, holder.transaction():
            await holder.execute("select from serials where form = 'BG' for update")
            asked = [
                asyncio.create_task(each.hand_over(code)) for each, code in zip((one, two), codes[1:3], strict=True)
            ]
            await eventually(lambda: _waiting(one.context.pool, 2), within=10)
        several = [
            each.hand_over(code) for each in (one, two) for code in codes[3:6]
        ]  # each requested at both replicas
        answers = [*await asyncio.gather(*asked), *await asyncio.gather(*several)]
        numbers = [answer.json()["number"] for answer in answers if answer.status_code == 201]
        assert sorted(numbers) == [f"BG-170503-41-{serial:03}" for serial in range(2, 7)]
        assert {answer.status_code for answer in answers} == {201, 409}
        assert await count(one.context.pool, "events", type="dossier.handed_over") == 6


async def test_repeated_key_gets_its_first_batch(deployment: Deployment) -> None:
    """It does so at another replica, during the first request and later; another request is refused."""
    async with opened(deployment) as one, opened(deployment, replica=1) as two:
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


async def test_key_of_an_act_is_refused_for_a_hand_over(deployment: Deployment) -> None:
    """The keys of one client are the same for acts and hand-overs: a key belongs to one request."""
    async with opened(deployment) as counter:
        code, key = await counter.receive(), fresh_key()
        data = {"applicant": {"name": "Nguyễn Văn Bình", "phone": "0912345678"}}
        corrected = await counter.client.act(await counter.id_of(code), "correct_contact", "clerk-41", key, data=data)
        assert corrected.status_code == 200, corrected.text
        refused = await counter.hand_over(code, key=key)
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:motcua:problem:key-reused")
        assert await count(counter.context.pool, "events", type="dossier.handed_over") == 0


async def test_events_of_a_batch_have_no_personal_data(broker: Broker, database: Databases, tmp_path: Path) -> None:
    """Only the number of a batch is published; names and signatures stay in intake."""
    deployment = build_deployment(database.fresh(), tmp_path, broker.bootstrap)
    async with opened(deployment, parts=("http", "relay")) as counter:
        code = await counter.receive(applicant={"name": "Lê Thị Bình"}, documents=[{"title": "deed of Bà Bình"}])
        signed = {"given_by": "bui-thi-hoa", "taken_by": "tran-van-nam"}
        number = (await counter.hand_over(code, **signed)).json()["number"]
        dossier = await counter.id_of(code)

        async def published() -> bool:
            events = [event for event in await read_events(broker.bootstrap, DOSSIERS) if event.subject == dossier]
            text = b"".join(event.to_json() for event in events).decode()
            assert not any(secret in text for secret in ("Bình", "bui-thi-hoa", "tran-van-nam"))
            return [event.type for event in events][2:] == ["dossier.handed_over"] and number in text

        await eventually(published, within=20)


async def _waiting(pool: asyncpg.Pool, wanted: int) -> bool:
    rows = await pool.fetchval(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    )
    return int(rows) >= wanted
