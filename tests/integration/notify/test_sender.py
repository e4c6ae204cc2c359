"""What is sent, what is not any more, by whom, and what stays out of the database and the logs."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import structlog

from motcua.local.embedded.postgres import Postgres
from motcua.local.sinks.inbox import read_inbox
from services.notify import sender
from tests.integration.notify.office import EMAIL, IMPATIENT, Office, life_now, office
from tests.support import Databases, eventually
from tests.support.life import Life

PLAIN = {"sms_idempotent": False, "sms_status_query": False}


async def test_two_senders_send_each_message_once(database: Databases, tmp_path: Path) -> None:
    """A lease keeps the other away, and no work is left lying."""
    async with office(database.fresh("notify"), tmp_path, replicas=2) as it:
        lives = [life_now(reach=("sms",)) for _ in range(20)]
        for life in lives:
            life.withdrawn()
            await it.hear(life.events)
        await asyncio.gather(*(it.becomes(life, "sent", "delivered", within=30) for life in lives))
        assert await it.sms_requests() == 20
        for life in lives:
            assert len(await it.inbox(life)) == 1


async def test_a_plan_wakes_the_sender(database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process's consumer has just planned goes at once, however seldom the sender looks by itself."""
    monkeypatch.setattr(sender, "LOOK_AGAIN_SECONDS", 600.0)
    async with office(database.fresh("notify"), tmp_path) as it:
        for _ in range(2):
            life = life_now(reach=("sms",))
            life.withdrawn()
            await it.hear(life.events)
            it.heard.published.notify()
            await it.becomes(life, "delivered")


async def test_what_was_overtaken_is_not_sent_and_nobody_is_looked_up(database: Databases, tmp_path: Path) -> None:
    """The papers came before the request for them went out."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.intake.broken = True
        life = life_now()
        life.supplement_required()
        await it.hear(life.events)
        await it.hear([life.supplement_received()])
        it.intake.broken = False
        message = await it.becomes(life, "dropped")
        assert message["reason"] == "overtaken"
        assert it.intake.asked == []


async def test_nothing_is_sent_of_a_partition_that_is_not_heard_to_its_end(database: Databases, tmp_path: Path) -> None:
    """What lies unread on Kafka may be the state that overtakes a message; the others go."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.heard.partitions = {1}
        waits, goes = life_now(reach=("sms",)), life_now(reach=("sms",))
        for life in (waits, goes):
            life.withdrawn()
        it.intake.broken = True
        await it.hear([*waits.events, *goes.events])
        await it.pool.execute("update dossiers set partition = 1 where dossier_id = $1", goes.dossier_id)
        it.intake.broken = False
        await it.becomes(goes, "delivered")
        (message,) = await it.messages(waits)
        assert (message["state"], message["claims"]) == ("planned", 0)
        it.heard.partitions = {0}
        await it.becomes(waits, "delivered")


async def test_nothing_is_sent_of_a_dossier_with_held_records(database: Databases, tmp_path: Path) -> None:
    """A parked record, or one behind a gap, may be the state that overtakes a message."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.intake.broken = True
        holds = "update dossiers set fences = jsonb_build_object($2::text, jsonb_build_array(2, 1, $3::boolean))"
        life, other = life_now(reach=("sms",)), life_now(reach=("sms",))
        for each, topic in ((life, "intake.dossiers.v1"), (other, "sla.deadlines.v1")):
            each.withdrawn()
            it.heard.partitions = set()
            await it.hear(each.events)
            await it.pool.execute(f"{holds} where dossier_id = $1", each.dossier_id, topic, True)
        it.heard.partitions, it.intake.broken = {0}, False
        third = life_now(reach=("sms",))
        third.withdrawn()
        await it.hear(third.events)
        await it.becomes(third, "delivered")
        assert [(await it.messages(each))[0]["claims"] for each in (life, other)] == [0, 0]
        await it.pool.execute(f"{holds} where dossier_id = $1", life.dossier_id, "intake.dossiers.v1", False)
        await it.becomes(life, "delivered")


async def test_a_provider_is_asked_about_what_it_may_have_while_the_broker_is_away(
    database: Databases, tmp_path: Path
) -> None:
    """What is under way is settled in any case: only a new sending waits for what lies on Kafka."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN | {"sms_status_query": True}) as it:
        await it.sms_behaves(answers="nothing", times=1, receipts="none", status_query=True)
        life = life_now(reach=("sms",))
        life.withdrawn()
        await it.hear(life.events)

        async def offered() -> bool:
            return await it.sms_requests() == 1

        await eventually(offered, within=15)
        it.heard.partitions = set()
        await it.becomes(life, "sent")
        assert await it.sms_requests() == 1


async def test_a_promise_that_changed_is_not_told_any_more(database: Databases, tmp_path: Path) -> None:
    """ "Received" names a due date; when sla moves it first, only the new date is told."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.intake.broken = True
        life = life_now(reach=("sms",))
        life.due(27)
        life.due(28)
        await it.hear(life.events)
        it.intake.broken = False
        changed = await it.becomes(life, "delivered")
        assert changed["template"] == "due_date_delayed"

        async def overtaken() -> bool:
            received = (await it.messages(life))[0]
            assert (received["state"], received["reason"]) == ("dropped", "overtaken")
            return True

        await eventually(overtaken, within=10)  # it may have been leased, and given back, before the date moved


async def test_what_has_expired_is_not_sent(database: Databases, tmp_path: Path) -> None:
    """Expiry counts from the event's time: a rebuild from the topics sends nothing old."""
    async with office(database.fresh("notify"), tmp_path) as it:
        life = Life()
        life.submitted()
        life.withdrawn()
        await it.hear(life.events)
        assert (await it.becomes(life, "dropped"))["reason"] == "expired"
        assert (await it.becomes(life, "dropped", channel="email"))["reason"] == "expired"
        assert it.intake.asked == []


async def test_while_intake_is_away_messages_wait(database: Databases, tmp_path: Path) -> None:
    """No contact for now is not "no contact": nothing is lost, nothing counted as an attempt."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.intake.broken = True
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)

        async def tried() -> bool:
            (message,) = await it.messages(life)
            return bool(message["claims"] >= 2)

        await eventually(tried, within=15)
        it.intake.broken = False
        assert (await it.becomes(life, "sent", "delivered"))["attempts"] == 1


async def test_no_usable_contact_is_a_reason(database: Databases, tmp_path: Path) -> None:
    """Taken back since, erased, or a number that no SMS reaches."""
    async with office(database.fresh("notify"), tmp_path) as it:
        contacts: list[dict[str, str | None] | None] = [
            {"phone": None, "email": None},
            None,
            {"phone": "0271 388 8999", "email": None},
        ]
        for contact in contacts:
            life = life_now()
            it.intake.contacts[life.dossier_id] = contact
            life.withdrawn()
            await it.hear(life.events)
            for channel in ("sms", "email"):
                message = await it.becomes(life, "dropped", channel=channel)
                assert (message["reason"], message["attempts"]) == ("no_contact", 0)


async def test_who_left_no_contact_has_a_plan_that_says_so(database: Databases, tmp_path: Path) -> None:
    """The event has its plan, the plan its reason, and staff find it listed."""
    async with office(database.fresh("notify"), tmp_path) as it:
        life = life_now(reach=())
        life.withdrawn()
        await it.hear(life.events)
        kinds = [(kind, data.get("reason")) for kind, data in await it.outcomes(life, "none")]
        assert kinds == [("message.planned", None), ("message.dropped", "not_reachable")]
        assert it.intake.asked == []
        listed = await ask(it, "leader", "/messages", state="dropped", reason="not_reachable")
        assert [message["code"] for message in listed["messages"]] == [life.code]


async def test_what_may_have_gone_out_is_unknown_when_it_is_overtaken(database: Databases, tmp_path: Path) -> None:
    """Silence, then the papers came: it is not sent again, and nobody claims that it was never sent."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN, sms_receipt_window_seconds=3.0) as it:
        await it.sms_behaves(answers="nothing", receipts="none", idempotent=False)
        life = life_now()
        life.supplement_required()
        await it.hear(life.events)

        async def in_doubt() -> bool:
            (message,) = await it.messages(life)
            return bool(message["in_doubt"])

        await eventually(in_doubt, within=10)
        await it.hear([life.supplement_received()])
        assert (await it.becomes(life, "unknown"))["attempts"] == 1


async def test_a_repeat_says_the_same(database: Databases, tmp_path: Path) -> None:
    """Where to go is fixed with the first sending, though routing answers in between."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN, sms_receipt_window_seconds=3.0) as it:
        await it.sms_behaves(answers="nothing", receipts="none", idempotent=False, times=1)
        life = life_now()
        life.assigned(2)
        life.supplement_required()
        await it.hear(life.events)
        await eventually(lambda: it.inbox(life), within=10)
        await it.hear([life.assigned(3)])
        await it.becomes(life, "sent")
        first, second = await it.inbox(life)
        assert "quay so 2" in first.text
        assert second.text == first.text


async def test_personal_data_stays_out_of_tables_and_logs(database: Databases, tmp_path: Path) -> None:
    """Contacts exist for the moment of sending only, also when sending fails."""
    url = database.fresh("notify")
    with structlog.testing.capture_logs() as logs:
        async with office(url, tmp_path, **IMPATIENT) as it:
            await it.sms_behaves(answers="nothing", receipts="none", times=1)
            it.mail_behaves(answers="refused", takes=False)
            life = life_now()
            life.withdrawn()
            await it.hear(life.events)
            await it.becomes(life, "sent")
            await it.becomes(life, "failed", channel="email")
            kept = ""
            for table in ("dossiers", "messages", "events"):
                kept += "".join(str(dict(row)) for row in await it.pool.fetch(f"select * from {table}"))
    for trace in ("381234567", "168123", EMAIL, "Nguyễn"):
        assert trace not in kept + str(logs)
    assert logs


async def test_messages_of_a_dossier_are_listed_for_staff(database: Databases, tmp_path: Path) -> None:
    """With their outcome and without an address; an officer sees their own department's, an applicant nothing."""
    async with office(database.fresh("notify"), tmp_path) as it:
        life = life_now()
        life.due(27)
        life.result_arrived()
        await it.hear(life.events)
        await it.becomes(life, "delivered")
        path = f"/dossiers/{life.dossier_id}/messages"
        found = (await ask(it, "officer", path))["messages"]
        assert [(message["moment"], message["channel"]) for message in found[::2]] == [
            ("received", found[0]["channel"]),
            ("result_ready", found[2]["channel"]),
        ]
        assert EMAIL not in str(found)
        assert (await ask(it, "other", path))["messages"] == []
        for headers, status in (({"Authorization": f"Bearer {it.keys['applicant']}"}, 403), ({}, 401)):
            assert (await it.http.get(it.urls[0] + path, headers=headers)).status_code == status


async def ask(it: Office, key: str, path: str, **query: str) -> Any:
    answer = await it.http.get(it.urls[0] + path, params=query, headers={"Authorization": f"Bearer {it.keys[key]}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_answer_is_not_lost_when_the_database_is_away(
    database: Databases, postgres: Postgres, tmp_path: Path
) -> None:
    """The mail server took it while Postgres was down: written down afterwards, not left in doubt."""
    async with office(database.fresh("notify"), tmp_path, send_seconds=10.0, lease_seconds=60.0) as it:
        it.mail_behaves(delay_seconds=1.5)
        life = life_now(reach=("email",))
        life.withdrawn()
        await it.hear(life.events)
        await eventually(lambda: it.mail.requests, within=10)
        await asyncio.to_thread(postgres.stop_immediately)
        await eventually(lambda: read_inbox(tmp_path), within=10)
        await asyncio.to_thread(postgres.start)
        message = await it.becomes(life, "sent", channel="email")
        assert (message["attempts"], message["in_doubt"]) == (1, False)
