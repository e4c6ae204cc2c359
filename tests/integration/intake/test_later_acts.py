"""Acts that the clock has a say in, or that change who is competent: extend, next_step, reopen; on a real broker."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from motcua.local.embedded.kafka import Broker
from motcua.local.embedded.postgres import Postgres
from shared.contracts.topics import DEADLINES, DOSSIERS
from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.intake.office import KNOWN, Office, build_house, fresh_key, in_process
from tests.support import Databases, eventually
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import send

pytestmark = pytest.mark.asyncio(loop_scope="module")

MORE = {"working_days": 3, "reason": "a survey is needed"}
FAR = timedelta(days=30)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(postgres: Postgres, broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """One replica with all its parts; sla and routing are the test."""
    databases = Databases(postgres)
    house = build_house(databases.fresh(), tmp_path_factory.mktemp("intake"), broker.bootstrap)
    async with in_process(house, parts=("http", "consumer", "relay")) as (running, _):
        yield running
    databases.drop_all()


async def processing(office: Office) -> str:
    """A dossier that an officer works on; its receipt is event 2, its clock's last."""
    dossier = str((await office.walk_in())["dossier_id"])
    await office.act(dossier, "take_over", "officer")
    return dossier


class Sla:
    """Tells due dates of one dossier."""

    def __init__(self, dossier: str, broker: Broker) -> None:
        self.life = DossierEvents(start=machine_now())
        self.life.dossier_id = UUID(dossier)
        self.bootstrap = broker.bootstrap

    async def tell(self, due_at: datetime, *, reflects: int) -> None:
        await send(self.bootstrap, [self.life.deadline_set(due_at, dossier_sequence=reflects)])


async def test_an_extension_issues_form_04_and_keeps_its_reason_here(office: Office, broker: Broker) -> None:
    """The reason may name a person, so it does not travel; the applicant hears it from the apology."""
    dossier = await processing(office)
    await Sla(dossier, broker).tell(machine_now() + FAR, reflects=2)
    answer = await office.act(dossier, "extend", "officer", data=MORE)
    assert answer.status_code == 200, answer.text
    (form,) = answer.json()["forms"]
    assert (form["kind"], "-F04-" in form["number"], answer.json()["state"]) == ("04", True, "processing")
    last = (await office.read(dossier)).json()["history"][-1]
    assert (last["type"], last["data"]["working_days"], "reason" in last["data"]) == ("dossier.extended", 3, False)
    assert last["details"] == {"reason": MORE["reason"]}


async def test_an_extension_waits_for_the_due_date_that_it_is_judged_by(office: Office, broker: Broker) -> None:
    """What sla told before the last act of the clock is no ground; what it tells meanwhile is."""
    dossier = await processing(office)
    waiting = asyncio.create_task(office.act(dossier, "extend", "officer", data=MORE))
    done, _ = await asyncio.wait([waiting], timeout=1.0)
    assert not done
    await Sla(dossier, broker).tell(machine_now() + FAR, reflects=2)
    assert (await waiting).status_code == 200


async def test_a_due_date_that_nobody_tells_is_not_waited_for_for_ever(office: Office) -> None:
    """409, to be sent again with the same key; a refusal keeps no key."""
    dossier = await processing(office)
    async with asyncio.timeout(20):
        answer = await office.act(dossier, "extend", "officer", data=MORE)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:motcua:problem:due-date-not-told")
    assert len((await office.read(dossier)).json()["history"]) == 3


async def test_in_a_batch_the_lines_before_are_committed_first(office: Office, broker: Broker) -> None:
    """Receipt and extension in one request: sla can only tell the due date of a receipt that is there."""
    mine = str(uuid7(machine_now()))
    sla = Sla(mine, broker)

    def line(act: str, data: dict[str, Any]) -> dict[str, Any]:
        return {"key": fresh_key(), "act": act, "dossier": {"id": mine}, "data": data}

    lines = [
        line("submit", {"procedure": KNOWN, "department": "STP", "receive": {}}),
        line("record_step", {"activity": "copied"}),
    ]
    assert [answer["status"] for answer in await office.batch(lines)] == [201, 200]
    lines = [line("take_over", {}), line("extend", MORE), line("record_step", {"activity": "bound"})]
    waiting = asyncio.create_task(office.batch(lines, "officer"))

    async def taken_over() -> bool:
        return bool((await office.read(mine)).json()["state"] == "processing")

    await eventually(taken_over, within=10)
    assert not waiting.done()
    await sla.tell(machine_now() + FAR, reflects=2)
    answers = await waiting
    assert [(answer["status"], answer.get("sequence")) for answer in answers] == [(200, 4), (200, 5), (200, 6)]


async def test_a_second_extension_is_judged_by_the_first(office: Office, broker: Broker) -> None:
    """The centre allows one; sent again by its key, it is the same one, though the quota is spent."""
    dossier, key = await processing(office), fresh_key()
    sla = Sla(dossier, broker)
    await sla.tell(machine_now() + FAR, reflects=2)
    first = await office.act(dossier, "extend", "officer", key, data=MORE)
    await sla.tell(machine_now() + FAR, reflects=4)
    second = await office.act(dossier, "extend", "officer", data=MORE)
    assert (second.status_code, second.json()["type"]) == (409, "urn:motcua:problem:extension-quota")
    again = await office.act(dossier, "extend", "officer", key, data=MORE)
    assert again.json() == first.json()


async def test_from_the_due_date_on_it_is_too_late(office: Office, broker: Broker) -> None:
    """409, naming the due date; nothing is stored."""
    dossier = await processing(office)
    await Sla(dossier, broker).tell(machine_now(), reflects=2)
    answer = await office.act(dossier, "extend", "officer", data=MORE)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:motcua:problem:extension-too-late")
    assert len((await office.read(dossier)).json()["history"]) == 3


async def test_the_next_department_is_competent_at_once(office: Office) -> None:
    """Before routing has told its assignment; the one before has lost it."""
    dossier = await processing(office)
    answer = await office.act(dossier, "next_step", "officer", data={"department": "SYT"})
    assert answer.status_code == 200, answer.text
    assert (await office.act(dossier, "settle", "officer", data={"outcome": "approved"})).status_code == 403
    settled = await office.act(dossier, "settle", "officer-syt", data={"outcome": "approved"})
    assert settled.status_code == 200
    found = (await office.read(dossier, "officer-syt")).json()
    assert (found["department"], found["step"], found["code"].split("-")[0]) == ("SYT", 2, "H10.02")


async def test_a_leader_reopens_what_was_settled(office: Office) -> None:
    """It is processed again, and settled again; an officer cannot reopen."""
    dossier = await processing(office)
    await office.act(dossier, "settle", "officer", data={"outcome": "rejected"})
    reason = {"reason": "one page was overlooked"}
    assert (await office.act(dossier, "reopen", "officer", data=reason)).status_code == 403
    answer = await office.act(dossier, "reopen", "leader", data=reason)
    assert (answer.status_code, answer.json()["state"]) == (200, "processing")
    assert (await office.act(dossier, "settle", "officer", data={"outcome": "approved"})).status_code == 200
    assert (await office.read(dossier)).json()["history"][-2]["details"] == reason


async def test_a_moved_due_date_is_the_one_that_stands(office: Office, broker: Broker) -> None:
    """What a changed calendar makes of a due date is shown and judged by like any other."""
    dossier = await processing(office)
    life = DossierEvents()
    life.dossier_id = UUID(dossier)
    life.sequences[DOSSIERS.name] = 2
    await send(
        broker.bootstrap,
        [life.deadline_set("2017-11-27 16:30"), life.deadline_moved("2017-11-28 16:30", before="2017-11-27 16:30")],
    )

    async def moved() -> bool:
        return bool((await office.read(dossier)).json()["due"].get("due_at") == "2017-11-28T09:30:00Z")

    await eventually(moved, within=20)
    assert life.sequences[DEADLINES.name] == 2
