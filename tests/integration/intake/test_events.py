"""Consumed events of routing and sla, and published events, on a real broker."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from motcua.local.embedded.kafka import Broker
from motcua.local.embedded.postgres import Postgres
from shared.contracts import calendars
from shared.contracts.assignments import AssignmentDecidedV1
from shared.contracts.topics import DOSSIERS
from shared.runtime.clock import machine_now
from shared.service.process import Context
from tests.integration.intake.deployment import IntakeClient, build_deployment, in_process
from tests.support import Databases, eventually
from tests.support.dossier_events import DossierEvents
from tests.support.kafka import read_events, send

Running = tuple[IntakeClient, Context]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(postgres: Postgres, broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One replica with all its parts per module, since joining its group takes seconds."""
    databases = Databases(postgres)
    deployment = build_deployment(databases.fresh(), tmp_path_factory.mktemp("intake"), broker.bootstrap)
    async with in_process(deployment, parts=("http", "consumer", "relay")) as running:
        yield running
    databases.drop_all()


def life_of(dossier_id: str, sequence: int) -> DossierEvents:
    """Events of routing and sla about a dossier whose last event has this sequence."""
    life = DossierEvents(start=machine_now())
    life.dossier_id = UUID(dossier_id)
    life.sequences[DOSSIERS.name] = sequence
    return life


def calendar(version: int, *, day: datetime) -> calendars.CalendarPublishedV1:
    """A calendar of working time around the clock, from ten days before a day to ten days after it."""
    first = day.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=10)
    opens = [int((first + timedelta(days=n)).timestamp()) for n in range(20)]
    return calendars.CalendarPublishedV1(
        name="vn-public",
        version=version,
        zone="UTC",
        first_date=first.date(),
        last_date=(first + timedelta(days=19)).date(),
        standard_day_seconds=8 * 3600,
        opens=tuple(opens),
        closes=tuple(second + 86_400 for second in opens),
    )


async def test_events_are_published_in_sequence_without_personal_data(whole: Running, broker: Broker) -> None:
    """Name, contact, titles and free text stay in intake."""
    client, _ = whole
    answer = await client.walk_in(
        applicant={
            "name": "Lê Thị Bình",
            "phone": "0987654321",
            "email": "binh@example.vn",
            "address": "12 Hùng Vương",
        },
        documents=[{"title": "deed of Lê Thị Bình", "reference": "vault/17"}],
    )
    await client.act(answer["dossier_id"], "take_over", "officer")
    await client.act(answer["dossier_id"], "stop", "officer", data={"reason": "Bà Bình moved away"})

    async def published() -> bool:
        events = [e for e in await read_events(broker.bootstrap, DOSSIERS) if e.subject == answer["dossier_id"]]
        text = b"".join(event.to_json() for event in events).decode()
        for secret in ("Bình", "0987654321", "binh@", "Hùng", "vault", "moved"):
            assert secret not in text
        return [event.sequence for event in events] == [1, 2, 3, 4]

    await eventually(published, within=20)


async def test_waiting_read_ends_with_the_first_event_that_reflects_the_act(whole: Running, broker: Broker) -> None:
    """`reflecting` is lowered to the last act that touched the clock, so a later step does not delay it."""
    client, _ = whole
    dossier = (await client.walk_in())["dossier_id"]
    step = await client.act(dossier, "record_step", data={"activity": "copied"})
    assert step.json()["sequence"] == 3

    early = await client.read(dossier, wait_for="due_at", reflecting=3, timeout=0.2)
    assert (early.status_code, early.json()["due"]["status"]) == (200, "not_yet")

    waiting = asyncio.create_task(client.read(dossier, wait_for="due_at", reflecting=3, timeout=20))
    await send(broker.bootstrap, [life_of(dossier, 2).deadline_set("2017-11-27 16:30")])
    due = (await waiting).json()["due"]
    assert due == {
        "status": "set",
        "reflects": 2,
        "due_at": "2017-11-27T09:30:00Z",
        "due_date": "2017-11-27",
        "provisional": False,
        "crosses_unconfirmed": [],
        "up_to_date": True,
    }


async def test_paused_clock_ends_the_wait(whole: Running, broker: Broker) -> None:
    """A paused clock has no due date, only remaining time."""
    client, _ = whole
    dossier = (await client.walk_in())["dossier_id"]
    await client.act(dossier, "take_over", "officer")
    asked = await client.act(dossier, "ask_supplement", "officer", data={"papers": ["deed"]})
    life = life_of(dossier, 2)
    due = life.deadline_set("2017-11-27 16:30")
    life.sequences[DOSSIERS.name] = asked.json()["sequence"]
    await send(broker.bootstrap, [due, life.deadline_paused()])
    found = await client.read(dossier, wait_for="due_at", reflecting=asked.json()["sequence"], timeout=20)
    assert found.json()["due"]["status"] == "paused"


async def test_read_of_a_dossier_without_a_clock_does_not_wait(whole: Running) -> None:
    """No clock exists before receipt."""
    client, _ = whole
    dossier = (await client.submit()).json()["dossier_id"]
    async with asyncio.timeout(5):
        found = await client.read(dossier, wait_for="due_at", reflecting=1, timeout=30)
    assert found.json()["due"]["status"] == "no_clock"


@pytest.mark.parametrize("received_first", [True, False])
async def test_receipt_at_another_counter_is_published_once(
    whole: Running, broker: Broker, received_first: bool
) -> None:
    """The later one of receipt and assignment publishes it; the receipt is not refused."""
    client, _ = whole
    dossier = (await client.submit()).json()["dossier_id"]
    life = life_of(dossier, 1)
    if received_first:
        await client.act(dossier, "receive")
    await send(broker.bootstrap, [life.assignment_decided(5, 6)])

    async def assigned() -> bool:
        return (await client.read(dossier)).json()["assignment"] is not None

    await eventually(assigned, within=20)
    if not received_first:
        await client.act(dossier, "receive")
    types = [entry["type"] for entry in (await client.read(dossier)).json()["history"]]
    assert types == ["dossier.submitted", "dossier.received", "dossier.received_elsewhere"]
    last = (await client.read(dossier)).json()["history"][-1]
    assert (last["data"]["counter"], last["data"]["receiving_place"]) == (2, "STP")


async def test_receipt_at_the_rules_counter_publishes_no_further_event(whole: Running, broker: Broker) -> None:
    """The rule names counter 2."""
    client, _ = whole
    dossier = (await client.submit()).json()["dossier_id"]
    await send(broker.bootstrap, [life_of(dossier, 1).assignment_decided(2, 3)])

    async def assigned() -> bool:
        return (await client.read(dossier)).json()["assignment"] is not None

    await eventually(assigned, within=20)
    answer = (await client.act(dossier, "receive")).json()
    assert answer["sequence"] == 2


async def test_assignment_to_another_department_is_listed(whole: Running, broker: Broker) -> None:
    """Acts are still checked against the department of the submission."""
    client, _ = whole
    dossier = (await client.submit()).json()["dossier_id"]
    life = life_of(dossier, 1)
    decided = life.assignment_decided(2)
    assert isinstance(decided.data, AssignmentDecidedV1)
    differing = decided.model_copy(update={"data": decided.data.model_copy(update={"competent_department": "SYT"})})
    await send(broker.bootstrap, [differing])

    async def listed() -> bool:
        response = await client.http.get(f"{client.base}/assignments:differing", headers=client.headers("auditor"))
        found = {row["dossier_id"]: (row["department"], row["by_routing"]) for row in response.json()["items"]}
        return found.get(dossier) == ("STP", "SYT")

    await eventually(listed, within=20)
    await client.act(dossier, "receive")
    assert (await client.act(dossier, "take_over", "officer-syt")).status_code == 403
    assert (await client.act(dossier, "take_over", "officer")).status_code == 200


async def test_act_is_dated_back_only_with_a_calendar(whole: Running, broker: Broker) -> None:
    """The status is 503 without one; with one, the limit is a working day."""
    client, context = whole
    now = machine_now()
    an_hour_ago = (now - timedelta(hours=1)).isoformat()
    await context.pool.execute("delete from calendars")  # other tests may have published theirs on this broker

    data = {"procedure": "2.000908", "receive": {}}
    refused = await client.submit(occurred_at=an_hour_ago, data=data)
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:motcua:problem:calendar-not-available")
    life = life_of("01890000-0000-7000-8000-000000000000", 1)
    event = life.publish(calendar(1, day=now)).model_copy(update={"subject": "vn-public"})
    await send(broker.bootstrap, [event])

    async def accepted() -> bool:
        return (await client.submit(occurred_at=an_hour_ago, data=data)).status_code == 201

    await eventually(accepted, within=20)
    too_long_ago = await client.submit(occurred_at=(now - timedelta(hours=9)).isoformat(), data=data)
    assert (too_long_ago.status_code, too_long_ago.json()["errors"][0]["pointer"]) == (422, "/occurred_at")
    ahead = await client.submit(occurred_at=(now + timedelta(hours=1)).isoformat(), data=data)
    assert ahead.status_code == 422
