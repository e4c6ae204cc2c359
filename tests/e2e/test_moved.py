"""A calendar change in a whole centre: rehearsed, approved, and swept although sla is killed during the sweep."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest

from motcua.local.centre import LocalCentre
from motcua.local.embedded.kafka import Toolchain
from tests.support import eventually
from tests.support.whole import verified, whole_centre

pytestmark = pytest.mark.timeout(300)

DOSSIERS = 40
PROCEDURE = "2.000908"  # one working day, at counter 2


@pytest.fixture(scope="module")
def local(toolchain: Toolchain) -> Iterator[LocalCentre]:
    with whole_centre(toolchain) as centre:
        yield centre


async def test_killed_sweep_publishes_each_dossier_once(local: LocalCentre) -> None:
    """A sweep that is killed after half of the moves are committed is completed after a restart."""
    url = local.site.databases["intake"].replace("motcua_intake", "postgres")
    admin, holder = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        async with httpx.AsyncClient(timeout=20.0, trust_env=False) as http:
            for number in range(DOSSIERS):
                await _received(local, http, number)
            await eventually(lambda: _running(admin), within=60)
            proposal = await _proposed(local, http)
            rehearsed = await _response(local, http, f"{proposal}/rehearsal")
            assert [(each["department"], each["later"]) for each in rehearsed["departments"]] == [("STP", DOSSIERS)]

            rows = holder.transaction()
            await rows.start()
            await holder.execute(f"select from sla.dossiers order by dossier_id limit {DOSSIERS // 2} for update")
            await _response(local, http, f"{proposal}/approve", decision="9/QĐ-TTHCC")
            await eventually(lambda: _moved(admin, DOSSIERS // 2), within=60)
            stop = admin.transaction()
            await stop.start()
            await admin.execute("lock table sla.outbox in exclusive mode")
            await rows.rollback()
            await eventually(lambda: _sweep_waits_for_outbox(holder), within=60)
            assert local.parts["sla"].kill() == -9
            await stop.rollback()
        local.start_service("sla")
        local.wait_ready("sla")
        await eventually(lambda: _moved(admin, DOSSIERS), within=60)
        report = await verified(local, quiescence_seconds=90)
        assert report.passed, report
        events = await admin.fetch("select key, value from sla.events where type = 'deadline.moved'")
        assert set(Counter(row["key"] for row in events).values()) == {1}
        assert {json.loads(row["value"])["data"]["decided_by"] for row in events} == {"9/QĐ-TTHCC"}
    finally:
        await admin.close()
        await holder.close()


async def _received(local: LocalCentre, http: httpx.AsyncClient, number: int) -> None:
    data = {
        "procedure": PROCEDURE,
        "receive": {},
        "documents": [{"title": "Đơn đề nghị"}],
        "applicant": {"name": "Nguyễn Thị Lan", "phone": "0912345678"},
    }
    headers = {"Authorization": f"Bearer {local.tokens['clerk-2']}", "Idempotency-Key": f"moved-{number}"}
    answer = await http.post(f"{local.site.url('intake')}/dossiers", json={"data": data}, headers=headers)
    assert answer.status_code == 201, answer.text


async def _proposed(local: LocalCentre, http: httpx.AsyncClient) -> str:
    """Propose a day off on the day on which all dossiers are due; returns the URL of the proposal."""
    leader = {"Authorization": f"Bearer {local.tokens['leader']}", "Idempotency-Key": "propose"}
    sla = local.site.url("sla")
    due = (await http.get(f"{sla}/due", params={"procedure": PROCEDURE}, headers=leader)).json()
    calendar, day = due["calendar"], date.fromisoformat(due["due_date"])
    asked = {"exceptions": [{"date": day.isoformat(), "kind": "off", "status": "decided", "name": "Nghỉ bão"}]}
    made = await http.post(f"{sla}/calendars/{calendar}/proposals", json=asked, headers=leader)
    assert made.status_code == 201, made.text
    return f"{sla}/calendars/{calendar}/proposals/{made.json()['proposal_id']}"


async def _response(local: LocalCentre, http: httpx.AsyncClient, url: str, **body: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {local.tokens['leader']}", "Idempotency-Key": url}
    answer = await (http.post(url, json=body, headers=headers) if body else http.get(url, headers=headers))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _running(connection: asyncpg.Connection) -> bool:
    return bool(await connection.fetchval("select count(*) from sla.dossiers where state = 'running'") == DOSSIERS)


async def _moved(connection: asyncpg.Connection, count: int) -> bool:
    return bool(await connection.fetchval("select count(*) from sla.events where type = 'deadline.moved'") == count)


async def _sweep_waits_for_outbox(connection: asyncpg.Connection) -> bool:
    """Whether the sweep has decided the rest and waits for the lock of the outbox."""
    return bool(
        await connection.fetchval(
            "select exists (select from pg_stat_activity where application_name = 'motcua sla' "
            "and wait_event_type = 'Lock' and query like '%insert into outbox%')"
        )
    )
