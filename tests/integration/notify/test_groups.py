"""Messages that are leased together: looked up and marked in one go, and still none suffers for another."""

from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from tests.integration.notify.office import MOBILE, Office, life_now, office
from tests.support import Databases, eventually
from tests.support.life import Life

PATIENT: dict[str, Any] = {"send_seconds": 20.0, "lease_seconds": 60.0}


async def planned(it: Office, count: int) -> list[Life]:
    """As many lives with one message each; none is leased before `it.heard.partitions` says so."""
    it.heard.partitions = set()
    lives = [life_now(reach=("sms",)) for _ in range(count)]
    for life in lives:
        life.withdrawn()
        await it.hear(life.events)
    return lives


async def id_of(it: Office, life: Life) -> UUID:
    found: UUID = (await it.messages(life))[0]["message_id"]
    return found


async def test_a_group_is_looked_up_by_one_request(database: Databases, tmp_path: Path) -> None:
    """And each contact is asked for its own message, once."""
    async with office(database.fresh("notify"), tmp_path) as it:
        lives = await planned(it, 10)
        it.heard.partitions = {0}
        for life in lives:
            await it.becomes(life, "delivered")
        assert it.intake.requests == [10]
        assert sorted(it.intake.asked) == sorted([await id_of(it, life) for life in lives])


async def test_a_message_that_cannot_be_marked_holds_up_no_other(database: Databases, tmp_path: Path) -> None:
    """Neither one that has no text any more, nor one that the database does not take; and neither is handed over."""
    async with office(database.fresh("notify"), tmp_path) as it:
        lives = await planned(it, 8)
        unwritable, untaken = [await id_of(it, life) for life in lives[:2]]
        await it.pool.execute("update messages set template = 'nothing' where message_id = $1", unwritable)
        await it.pool.execute(f"alter table messages add check (message_id <> '{untaken}' or attempts = 0)")
        it.heard.partitions = {0}
        for life in lives[2:]:
            await it.becomes(life, "delivered")
        assert it.intake.requests == [8]
        assert await it.sms_requests() == 6
        for life in lives[:2]:
            (message,) = await it.messages(life)
            assert (message["state"], message["next_step"], message["attempts"]) == ("planned", "send", 0)


async def test_an_answer_that_cannot_be_recorded_holds_up_no_other(database: Databases, tmp_path: Path) -> None:
    """The provider's answers come together; what the database does not take of one spoils none beside it."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(receipts="none", delay_seconds=0.5)
        lives = await planned(it, 8)
        untaken = await id_of(it, lives[0])
        await it.pool.execute(f"alter table messages add check (message_id <> '{untaken}' or state = 'planned')")
        it.heard.partitions = {0}
        for life in lives[1:]:
            await it.becomes(life, "sent")
        (message,) = await it.messages(lives[0])
        assert (message["state"], message["next_step"]) == ("planned", "answer")


async def test_an_answer_that_does_not_come_holds_up_no_other(database: Databases, tmp_path: Path) -> None:
    """One of the group meets silence: the outcomes of the others are recorded while it is waited for."""
    async with office(database.fresh("notify"), tmp_path, **PATIENT) as it:
        await it.sms_behaves(answers="nothing", receipts="none", times=1)
        lives = await planned(it, 8)
        it.heard.partitions = {0}

        async def all_but_one() -> bool:
            found = [(await it.messages(life))[0] for life in lives]
            assert sorted(message["state"] for message in found) == ["planned"] + ["sent"] * 7
            (silent,) = [message for message in found if message["state"] == "planned"]
            assert silent["next_step"] == "answer"
            return True

        await eventually(all_but_one, within=15)


async def test_without_an_answer_from_intake_a_whole_group_is_given_back(database: Databases, tmp_path: Path) -> None:
    """Nothing was sent, nothing is in doubt, no lease has to run out; when intake is back all of it goes."""
    async with office(database.fresh("notify"), tmp_path, **PATIENT) as it:
        it.intake.broken = True
        lives = await planned(it, 8)
        it.heard.partitions = {0}

        async def given_back() -> bool:
            found = [(await it.messages(life))[0] for life in lives]
            assert all(message["claims"] >= 1 and message["leased_until"] is None for message in found)
            assert {(message["next_step"], message["attempts"], message["in_doubt"]) for message in found} == {
                ("send", 0, False)
            }
            return True

        await eventually(given_back, within=15)
        assert await it.sms_requests() == 0
        it.intake.broken = False
        for life in lives:
            assert (await it.becomes(life, "delivered"))["attempts"] == 1


async def test_a_dossier_unknown_to_intake_spoils_no_other(database: Databases, tmp_path: Path) -> None:
    """Its message has no contact; the rest of the group has its own."""
    async with office(database.fresh("notify"), tmp_path) as it:
        lives = await planned(it, 8)
        it.intake.contacts[lives[3].dossier_id] = None
        it.intake.contacts[lives[4].dossier_id] = {"phone": "0912 345 678", "email": None}
        it.heard.partitions = {0}
        assert (await it.becomes(lives[3], "dropped"))["reason"] == "no_contact"
        for life in lives[:3] + lives[4:]:
            await it.becomes(life, "delivered")
        assert it.intake.requests == [8]
        assert [(await it.inbox(life))[0].to for life in lives[4:6]] == ["+84912345678", MOBILE]


async def test_of_a_group_nobody_is_looked_up_whose_message_was_overtaken(database: Databases, tmp_path: Path) -> None:
    """It is closed beside the others, which go."""
    async with office(database.fresh("notify"), tmp_path) as it:
        lives = await planned(it, 4)
        late = life_now(reach=("sms",))
        late.supplement_required()
        late.supplement_received()
        await it.hear(late.events)
        it.heard.partitions = {0}
        assert (await it.becomes(late, "dropped"))["reason"] == "overtaken"
        for life in lives:
            await it.becomes(life, "delivered")
        assert it.intake.requests == [4]
        assert await id_of(it, late) not in it.intake.asked


async def test_an_orderly_stop_leaves_nothing_in_doubt(database: Databases, tmp_path: Path) -> None:
    """What is with the provider is waited for and recorded."""
    fresh = database.fresh("notify")
    async with office(fresh, tmp_path, **PATIENT) as it:
        await it.sms_behaves(receipts="none", delay_seconds=1)
        lives = await planned(it, 8)
        it.heard.partitions = {0}

        async def handed_over() -> bool:
            return await it.sms_requests() == 8

        await eventually(handed_over, within=15)
    connection = await asyncpg.connect(fresh.url("notify"), server_settings={"search_path": "notify"})
    try:
        assert await connection.fetchval("select count(*) from messages where state = 'sent'") == len(lives)
    finally:
        await connection.close()
