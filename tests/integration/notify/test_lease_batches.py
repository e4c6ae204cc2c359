"""Messages that are leased together: they share look-up and commit, and do not affect each other."""

from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from tests.integration.notify.office import MOBILE, Office, office, recent_dossier
from tests.support import Databases, eventually
from tests.support.dossier_events import DossierEvents

PATIENT: dict[str, Any] = {"send_seconds": 20.0, "lease_seconds": 60.0}


async def planned(it: Office, count: int) -> list[DossierEvents]:
    """Lives with one message each, which are not leased before a test sets `it.consumer.partitions`."""
    it.consumer.partitions = set()
    dossiers = [recent_dossier(reach=("sms",)) for _ in range(count)]
    for dossier in dossiers:
        dossier.withdrawn()
        await it.handle(dossier.events)
    return dossiers


async def id_of(it: Office, dossier: DossierEvents) -> UUID:
    found: UUID = (await it.messages(dossier))[0]["message_id"]
    return found


async def test_batch_is_looked_up_by_one_request(database: Databases, tmp_path: Path) -> None:
    """Each contact of a batch is requested once, for its own message."""
    async with office(database.fresh("notify"), tmp_path) as it:
        dossiers = await planned(it, 10)
        it.consumer.partitions = {0}
        for dossier in dossiers:
            await it.becomes(dossier, "delivered")
        assert it.intake.request_sizes == [10]
        assert sorted(it.intake.requested) == sorted([await id_of(it, dossier) for dossier in dossiers])


async def test_attempt_that_cannot_be_recorded_delays_no_other(database: Databases, tmp_path: Path) -> None:
    """A message without a text and one that the database rejects are not handed over; the others of the batch are."""
    async with office(database.fresh("notify"), tmp_path) as it:
        dossiers = await planned(it, 8)
        unwritable, untaken = [await id_of(it, dossier) for dossier in dossiers[:2]]
        await it.pool.execute("update messages set template = 'nothing' where message_id = $1", unwritable)
        await it.pool.execute(f"alter table messages add check (message_id <> '{untaken}' or attempts = 0)")
        it.consumer.partitions = {0}
        for dossier in dossiers[2:]:
            await it.becomes(dossier, "delivered")
        assert it.intake.request_sizes == [8]
        assert await it.sms_requests() == 6
        for dossier in dossiers[:2]:
            (message,) = await it.messages(dossier)
            assert (message["state"], message["next_step"], message["attempts"]) == ("planned", "send", 0)


async def test_answer_that_cannot_be_recorded_delays_no_other(database: Databases, tmp_path: Path) -> None:
    """The answers are recorded together; one that the database rejects does not affect the others."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(receipts="none", delay_seconds=0.5)
        dossiers = await planned(it, 8)
        untaken = await id_of(it, dossiers[0])
        await it.pool.execute(f"alter table messages add check (message_id <> '{untaken}' or state = 'planned')")
        it.consumer.partitions = {0}
        for dossier in dossiers[1:]:
            await it.becomes(dossier, "sent")
        (message,) = await it.messages(dossiers[0])
        assert (message["state"], message["next_step"]) == ("planned", "await_answer")


async def test_missing_answer_delays_no_other(database: Databases, tmp_path: Path) -> None:
    """While one answer is missing, the outcomes of the other messages are recorded."""
    async with office(database.fresh("notify"), tmp_path, **PATIENT) as it:
        await it.sms_behaves(answers="nothing", receipts="none", times=1)
        dossiers = await planned(it, 8)
        it.consumer.partitions = {0}

        async def all_but_one() -> bool:
            found = [(await it.messages(dossier))[0] for dossier in dossiers]
            assert sorted(message["state"] for message in found) == ["planned"] + ["sent"] * 7
            (silent,) = [message for message in found if message["state"] == "planned"]
            assert silent["next_step"] == "await_answer"
            return True

        await eventually(all_but_one, within=15)


async def test_batch_without_contacts_returns_its_leases(database: Databases, tmp_path: Path) -> None:
    """Nothing was sent, nothing is in doubt and no lease must end first; when intake is back, all are sent."""
    async with office(database.fresh("notify"), tmp_path, **PATIENT) as it:
        it.intake.broken = True
        dossiers = await planned(it, 8)
        it.consumer.partitions = {0}

        async def leases_returned() -> bool:
            found = [(await it.messages(dossier))[0] for dossier in dossiers]
            assert all(message["lease_token"] >= 1 and message["leased_until"] is None for message in found)
            assert {(message["next_step"], message["attempts"], message["in_doubt"]) for message in found} == {
                ("send", 0, False)
            }
            return True

        await eventually(leases_returned, within=15)
        assert await it.sms_requests() == 0
        it.intake.broken = False
        for dossier in dossiers:
            assert (await it.becomes(dossier, "delivered"))["attempts"] == 1


async def test_dossier_unknown_to_intake_affects_no_other(database: Databases, tmp_path: Path) -> None:
    """Its message has no contact; the others of the batch have their own."""
    async with office(database.fresh("notify"), tmp_path) as it:
        dossiers = await planned(it, 8)
        it.intake.contacts[dossiers[3].dossier_id] = None
        it.intake.contacts[dossiers[4].dossier_id] = {"phone": "0912 345 678", "email": None}
        it.consumer.partitions = {0}
        assert (await it.becomes(dossiers[3], "dropped"))["reason"] == "no_contact"
        for dossier in dossiers[:3] + dossiers[4:]:
            await it.becomes(dossier, "delivered")
        assert it.intake.request_sizes == [8]
        assert [(await it.inbox(dossier))[0].to for dossier in dossiers[4:6]] == ["+84912345678", MOBILE]


async def test_overtaken_message_of_a_batch_is_not_looked_up(database: Databases, tmp_path: Path) -> None:
    """It is closed, and the others are sent."""
    async with office(database.fresh("notify"), tmp_path) as it:
        dossiers = await planned(it, 4)
        late = recent_dossier(reach=("sms",))
        late.supplement_required()
        late.supplement_received()
        await it.handle(late.events)
        it.consumer.partitions = {0}
        assert (await it.becomes(late, "dropped"))["reason"] == "overtaken"
        for dossier in dossiers:
            await it.becomes(dossier, "delivered")
        assert it.intake.request_sizes == [4]
        assert await id_of(it, late) not in it.intake.requested


async def test_orderly_stop_leaves_nothing_in_doubt(database: Databases, tmp_path: Path) -> None:
    """The answers to messages that the provider already has are awaited and recorded."""
    fresh = database.fresh("notify")
    async with office(fresh, tmp_path, **PATIENT) as it:
        await it.sms_behaves(receipts="none", delay_seconds=1)
        dossiers = await planned(it, 8)
        it.consumer.partitions = {0}

        async def handed_over() -> bool:
            return await it.sms_requests() == 8

        await eventually(handed_over, within=15)
    connection = await asyncpg.connect(fresh.url("notify"), server_settings={"search_path": "notify"})
    try:
        assert await connection.fetchval("select count(*) from messages where state = 'sent'") == len(dossiers)
    finally:
        await connection.close()
