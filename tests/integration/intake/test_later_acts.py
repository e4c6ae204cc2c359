"""The acts extend, next_step and reopen with the events of sla, on a real broker."""

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
from tests.integration.intake.deployment import KNOWN, IntakeClient, build_deployment, fresh_key, in_process
from tests.support import Databases, eventually
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import send

pytestmark = pytest.mark.asyncio(loop_scope="module")

MORE = {"working_days": 3, "reason": "a survey is needed"}
FAR = timedelta(days=30)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(
    postgres: Postgres, broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[IntakeClient]:
    """One replica with all its parts; the test publishes the events of sla and routing."""
    databases = Databases(postgres)
    deployment = build_deployment(databases.fresh(), tmp_path_factory.mktemp("intake"), broker.bootstrap)
    async with in_process(deployment, parts=("http", "consumer", "relay")) as (running, _):
        yield running
    databases.drop_all()


async def processing(client: IntakeClient) -> str:
    """A dossier in processing; event 2, its receipt, is the last that touched the clock."""
    dossier = str((await client.walk_in())["dossier_id"])
    await client.act(dossier, "take_over", "officer")
    return dossier


class Sla:
    """Publishes due dates of one dossier."""

    def __init__(self, dossier: str, broker: Broker) -> None:
        self.life = DossierEvents(start=machine_now())
        self.life.dossier_id = UUID(dossier)
        self.bootstrap = broker.bootstrap

    async def publish(self, due_at: datetime, *, reflects: int) -> None:
        """Publish the due date after event `reflects`."""
        await send(self.bootstrap, [self.life.deadline_set(due_at, dossier_sequence=reflects)])


async def test_extension_issues_form_04_without_publishing_its_reason(client: IntakeClient, broker: Broker) -> None:
    """The reason may name a person; the applicant reads it in the apology."""
    dossier = await processing(client)
    await Sla(dossier, broker).publish(machine_now() + FAR, reflects=2)
    answer = await client.act(dossier, "extend", "officer", data=MORE)
    assert answer.status_code == 200, answer.text
    (form,) = answer.json()["forms"]
    assert (form["kind"], "-F04-" in form["number"], answer.json()["state"]) == ("04", True, "processing")
    last = (await client.read(dossier)).json()["history"][-1]
    assert (last["type"], last["data"]["working_days"], "reason" in last["data"]) == ("dossier.extended", 3, False)
    assert last["details"] == {"reason": MORE["reason"]}


async def test_extension_waits_for_the_current_due_date(client: IntakeClient, broker: Broker) -> None:
    """A due date that sla publishes during the wait is used."""
    dossier = await processing(client)
    waiting = asyncio.create_task(client.act(dossier, "extend", "officer", data=MORE))
    done, _ = await asyncio.wait([waiting], timeout=1.0)
    assert not done
    await Sla(dossier, broker).publish(machine_now() + FAR, reflects=2)
    assert (await waiting).status_code == 200


async def test_extension_without_a_current_due_date_is_refused(client: IntakeClient) -> None:
    """The status is 409 after a bounded wait; a refusal stores no key."""
    dossier = await processing(client)
    async with asyncio.timeout(20):
        answer = await client.act(dossier, "extend", "officer", data=MORE)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:motcua:problem:due-date-not-available")
    assert len((await client.read(dossier)).json()["history"]) == 3


async def test_lines_before_an_extension_are_committed_first(client: IntakeClient, broker: Broker) -> None:
    """In a batch, sla can publish a due date only after the earlier lines are committed."""
    mine = str(uuid7(machine_now()))
    sla = Sla(mine, broker)

    def line(act: str, data: dict[str, Any]) -> dict[str, Any]:
        return {"key": fresh_key(), "act": act, "dossier": {"id": mine}, "data": data}

    lines = [
        line("submit", {"procedure": KNOWN, "department": "STP", "receive": {}}),
        line("record_step", {"activity": "copied"}),
    ]
    assert [answer["status"] for answer in await client.batch(lines)] == [201, 200]
    lines = [line("take_over", {}), line("extend", MORE), line("record_step", {"activity": "bound"})]
    waiting = asyncio.create_task(client.batch(lines, "officer"))

    async def taken_over() -> bool:
        return bool((await client.read(mine)).json()["state"] == "processing")

    await eventually(taken_over, within=10)
    assert not waiting.done()
    await sla.publish(machine_now() + FAR, reflects=2)
    answers = await waiting
    assert [(answer["status"], answer.get("sequence")) for answer in answers] == [(200, 4), (200, 5), (200, 6)]


async def test_second_extension_is_refused_by_the_quota(client: IntakeClient, broker: Broker) -> None:
    """The centre allows one extension; a repetition of the first gets its answer."""
    dossier, key = await processing(client), fresh_key()
    sla = Sla(dossier, broker)
    await sla.publish(machine_now() + FAR, reflects=2)
    first = await client.act(dossier, "extend", "officer", key, data=MORE)
    await sla.publish(machine_now() + FAR, reflects=4)
    second = await client.act(dossier, "extend", "officer", data=MORE)
    assert (second.status_code, second.json()["type"]) == (409, "urn:motcua:problem:extension-quota")
    again = await client.act(dossier, "extend", "officer", key, data=MORE)
    assert again.json() == first.json()


async def test_extension_after_the_due_date_is_refused(client: IntakeClient, broker: Broker) -> None:
    """The status is 409, and nothing is stored."""
    dossier = await processing(client)
    await Sla(dossier, broker).publish(machine_now(), reflects=2)
    answer = await client.act(dossier, "extend", "officer", data=MORE)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:motcua:problem:extension-too-late")
    assert len((await client.read(dossier)).json()["history"]) == 3


async def test_next_department_is_competent_at_once(client: IntakeClient) -> None:
    """It is so before routing publishes its assignment; the previous department loses the dossier."""
    dossier = await processing(client)
    answer = await client.act(dossier, "next_step", "officer", data={"department": "SYT"})
    assert answer.status_code == 200, answer.text
    assert (await client.act(dossier, "settle", "officer", data={"outcome": "approved"})).status_code == 403
    settled = await client.act(dossier, "settle", "officer-syt", data={"outcome": "approved"})
    assert settled.status_code == 200
    found = (await client.read(dossier, "officer-syt")).json()
    assert (found["department"], found["step"], found["code"].split("-")[0]) == ("SYT", 2, "H10.02")


async def test_leader_reopens_a_settled_dossier(client: IntakeClient) -> None:
    """It is processed and settled again; an officer may not reopen it."""
    dossier = await processing(client)
    await client.act(dossier, "settle", "officer", data={"outcome": "rejected"})
    reason = {"reason": "one page was overlooked"}
    assert (await client.act(dossier, "reopen", "officer", data=reason)).status_code == 403
    answer = await client.act(dossier, "reopen", "leader", data=reason)
    assert (answer.status_code, answer.json()["state"]) == (200, "processing")
    assert (await client.act(dossier, "settle", "officer", data={"outcome": "approved"})).status_code == 200
    assert (await client.read(dossier)).json()["history"][-2]["details"] == reason


async def test_moved_due_date_is_stored(client: IntakeClient, broker: Broker) -> None:
    """A due date that a calendar change moved is read and used like any other."""
    dossier = await processing(client)
    life = DossierEvents()
    life.dossier_id = UUID(dossier)
    life.sequences[DOSSIERS.name] = 2
    await send(
        broker.bootstrap,
        [life.deadline_set("2017-11-27 16:30"), life.deadline_moved("2017-11-28 16:30", before="2017-11-27 16:30")],
    )

    async def moved() -> bool:
        return bool((await client.read(dossier)).json()["due"].get("due_at") == "2017-11-28T09:30:00Z")

    await eventually(moved, within=20)
    assert life.sequences[DEADLINES.name] == 2
