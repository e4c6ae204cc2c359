"""What the sender sends and what it does not, and which data it does not store or log."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import structlog

from motcua.local.embedded.postgres import Postgres
from motcua.local.sinks.inbox import read_inbox
from services.notify.sending import worker
from tests.integration.notify.office import EMAIL, IMPATIENT, Office, office, recent_dossier
from tests.support import Databases, eventually
from tests.support.dossier_events import DossierEvents

PLAIN = {"sms_idempotent": False, "sms_status_query": False}


async def test_two_senders_send_each_message_once(database: Databases, tmp_path: Path) -> None:
    """A lease excludes the other sender, and no message is left unsent."""
    async with office(database.fresh("notify"), tmp_path, replicas=2) as it:
        dossiers = [recent_dossier(reach=("sms",)) for _ in range(20)]
        for dossier in dossiers:
            dossier.withdrawn()
            await it.handle(dossier.events)
        await asyncio.gather(*(it.becomes(dossier, "sent", "delivered", within=30) for dossier in dossiers))
        assert await it.sms_requests() == 20
        for dossier in dossiers:
            assert len(await it.inbox(dossier)) == 1


async def test_plan_wakes_the_sender(database: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message planned by this process is sent at once, regardless of the polling interval."""
    monkeypatch.setattr(worker, "POLL_SECONDS", 600.0)
    async with office(database.fresh("notify"), tmp_path) as it:
        for _ in range(2):
            dossier = recent_dossier(reach=("sms",))
            dossier.withdrawn()
            await it.handle(dossier.events)
            it.consumer.published.notify()
            await it.becomes(dossier, "delivered")


async def test_overtaken_message_is_neither_looked_up_nor_sent(database: Databases, tmp_path: Path) -> None:
    """The papers came before the request for them was sent."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.intake.broken = True
        dossier = recent_dossier()
        dossier.supplement_required()
        await it.handle(dossier.events)
        await it.handle([dossier.supplement_received()])
        it.intake.broken = False
        message = await it.becomes(dossier, "dropped")
        assert message["reason"] == "overtaken"
        assert it.intake.requested == []


async def test_message_that_cannot_be_decided_is_set_aside(database: Databases, tmp_path: Path) -> None:
    """Messages that were leased with it are sent; after a correction and a release, it is sent as well."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT) as it:
        it.consumer.partitions = set()
        bad, unreadable, *others = [recent_dossier(reach=("sms",)) for _ in range(8)]
        for dossier in (bad, unreadable, *others):
            dossier.withdrawn()
            await it.handle(dossier.events)
        template = (await it.messages(bad))[0]["template"]
        change = "update messages set template = $2 where dossier_id = $1"
        await it.pool.execute(change, bad.dossier_id, "no-such-template")
        await it.pool.execute("update dossiers set fences = '[1]' where dossier_id = $1", unreadable.dossier_id)
        it.consumer.partitions = set(range(6))
        await asyncio.gather(*(it.becomes(dossier, "sent", "delivered") for dossier in others))
        wanted = {(await it.messages(dossier))[0]["message_id"] for dossier in (bad, unreadable)}

        async def are_set_aside() -> bool:
            rows = await it.pool.fetch("select key, worker from set_aside_rows")
            return {(row["key"], row["worker"]) for row in rows} == {(key, "sender_sms") for key in wanted}

        await eventually(are_set_aside, within=15)
        await it.pool.execute(change, bad.dossier_id, template)
        await it.pool.execute("update dossiers set fences = '{}' where dossier_id = $1", unreadable.dossier_id)
        await it.pool.execute("delete from set_aside_rows")
        for dossier in (bad, unreadable):
            await it.becomes(dossier, "sent", "delivered")
            assert len(await it.inbox(dossier)) == 1


async def test_message_of_a_lagging_partition_is_not_sent(database: Databases, tmp_path: Path) -> None:
    """An unread event on Kafka may overtake a message; messages of other partitions are sent."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.consumer.partitions = {1}
        waits, goes = recent_dossier(reach=("sms",)), recent_dossier(reach=("sms",))
        for dossier in (waits, goes):
            dossier.withdrawn()
        it.intake.broken = True
        await it.handle([*waits.events, *goes.events])
        await it.pool.execute("update dossiers set partition = 1 where dossier_id = $1", goes.dossier_id)
        it.intake.broken = False
        await it.becomes(goes, "delivered")
        (message,) = await it.messages(waits)
        assert (message["state"], message["lease_token"]) == ("planned", 0)
        it.consumer.partitions = {0}
        await it.becomes(waits, "delivered")


async def test_message_of_a_dossier_with_quarantined_records_is_not_sent(database: Databases, tmp_path: Path) -> None:
    """A quarantined record may overtake a message."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.intake.broken = True
        fence = "update dossiers set fences = jsonb_build_object($2::text, jsonb_build_array(2, 1, $3::boolean))"
        dossier, other = recent_dossier(reach=("sms",)), recent_dossier(reach=("sms",))
        for each, topic in ((dossier, "intake.dossiers.v1"), (other, "sla.deadlines.v1")):
            each.withdrawn()
            it.consumer.partitions = set()
            await it.handle(each.events)
            await it.pool.execute(f"{fence} where dossier_id = $1", each.dossier_id, topic, True)
        it.consumer.partitions, it.intake.broken = {0}, False
        third = recent_dossier(reach=("sms",))
        third.withdrawn()
        await it.handle(third.events)
        await it.becomes(third, "delivered")
        assert [(await it.messages(each))[0]["lease_token"] for each in (dossier, other)] == [0, 0]
        await it.pool.execute(f"{fence} where dossier_id = $1", dossier.dossier_id, "intake.dossiers.v1", False)
        await it.becomes(dossier, "delivered")


async def test_status_is_queried_while_the_broker_is_away(database: Databases, tmp_path: Path) -> None:
    """A message under way is settled in any case: only a new attempt waits for the events on Kafka."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN | {"sms_status_query": True}) as it:
        await it.sms_behaves(answers="nothing", times=1, receipts="none", status_query=True)
        dossier = recent_dossier(reach=("sms",))
        dossier.withdrawn()
        await it.handle(dossier.events)

        async def offered() -> bool:
            return await it.sms_requests() == 1

        await eventually(offered, within=15)
        it.consumer.partitions = set()
        await it.becomes(dossier, "sent")
        assert await it.sms_requests() == 1


async def test_received_alert_with_an_old_due_date_is_not_sent(database: Databases, tmp_path: Path) -> None:
    """If sla moves the due date first, only the alert with the new date is sent."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.intake.broken = True
        dossier = recent_dossier(reach=("sms",))
        dossier.deadline_set("2017-11-27 16:30")
        dossier.deadline_set("2017-11-28 16:30")
        await it.handle(dossier.events)
        it.intake.broken = False
        changed = await it.becomes(dossier, "delivered")
        assert changed["template"] == "due_date_delayed"

        async def overtaken() -> bool:
            received = (await it.messages(dossier))[0]
            assert (received["state"], received["reason"]) == ("dropped", "overtaken")
            return True

        await eventually(overtaken, within=10)  # it may have been leased and postponed before the date moved


async def test_expired_message_is_not_sent(database: Databases, tmp_path: Path) -> None:
    """Expiry counts from the event's time: a rebuild from the topics sends no old message."""
    async with office(database.fresh("notify"), tmp_path) as it:
        dossier = DossierEvents()
        dossier.submitted()
        dossier.withdrawn()
        await it.handle(dossier.events)
        assert (await it.becomes(dossier, "dropped"))["reason"] == "expired"
        assert (await it.becomes(dossier, "dropped", channel="email"))["reason"] == "expired"
        assert it.intake.requested == []


async def test_message_waits_while_intake_is_away(database: Databases, tmp_path: Path) -> None:
    """A failed look-up is not a missing contact: the message is postponed without an attempt."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.intake.broken = True
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)

        async def tried() -> bool:
            (message,) = await it.messages(dossier)
            return bool(message["lease_token"] >= 2)

        await eventually(tried, within=15)
        it.intake.broken = False
        assert (await it.becomes(dossier, "sent", "delivered"))["attempts"] == 1


async def test_message_without_usable_contact_is_dropped(database: Databases, tmp_path: Path) -> None:
    """The contact was withdrawn or erased, or its number cannot receive an SMS."""
    async with office(database.fresh("notify"), tmp_path) as it:
        contacts: list[dict[str, str | None] | None] = [
            {"phone": None, "email": None},
            None,
            {"phone": "0271 388 8999", "email": None},
        ]
        for contact in contacts:
            dossier = recent_dossier()
            it.intake.contacts[dossier.dossier_id] = contact
            dossier.withdrawn()
            await it.handle(dossier.events)
            for channel in ("sms", "email"):
                message = await it.becomes(dossier, "dropped", channel=channel)
                assert (message["reason"], message["attempts"]) == ("no_contact", 0)


async def test_applicant_without_contact_has_a_dropped_message(database: Databases, tmp_path: Path) -> None:
    """The event has its message, the message its reason, and staff find it in the list."""
    async with office(database.fresh("notify"), tmp_path) as it:
        dossier = recent_dossier(reach=())
        dossier.withdrawn()
        await it.handle(dossier.events)
        kinds = [(kind, data.get("reason")) for kind, data in await it.outcomes(dossier, "none")]
        assert kinds == [("message.planned", None), ("message.dropped", "not_reachable")]
        assert it.intake.requested == []
        listed = await ask(it, "leader", "/messages", state="dropped", reason="not_reachable")
        assert [message["code"] for message in listed["items"]] == [dossier.code]


async def test_overtaken_message_in_doubt_is_unknown(database: Databases, tmp_path: Path) -> None:
    """Without an answer to the attempt, a message that is overtaken is neither repeated nor "never sent"."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN, sms_receipt_window_seconds=3.0) as it:
        await it.sms_behaves(answers="nothing", receipts="none", idempotent=False)
        dossier = recent_dossier()
        dossier.supplement_required()
        await it.handle(dossier.events)

        async def in_doubt() -> bool:
            (message,) = await it.messages(dossier)
            return bool(message["in_doubt"])

        await eventually(in_doubt, within=10)
        await it.handle([dossier.supplement_received()])
        assert (await it.becomes(dossier, "unknown"))["attempts"] == 1


async def test_repetition_has_the_same_text(database: Databases, tmp_path: Path) -> None:
    """The place is fixed by the first attempt, even if routing decides again in between."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN, sms_receipt_window_seconds=3.0) as it:
        await it.sms_behaves(answers="nothing", receipts="none", idempotent=False, times=1)
        dossier = recent_dossier()
        dossier.assignment_decided(2)
        dossier.supplement_required()
        await it.handle(dossier.events)
        await eventually(lambda: it.inbox(dossier), within=10)
        await it.handle([dossier.assignment_decided(3)])
        await it.becomes(dossier, "sent")
        first, second = await it.inbox(dossier)
        assert "quay so 2" in first.text
        assert second.text == first.text


async def test_personal_data_is_in_no_table_and_no_log(database: Databases, tmp_path: Path) -> None:
    """Contacts exist only at the moment of sending, also when sending fails."""
    url = database.fresh("notify")
    with structlog.testing.capture_logs() as logs:
        async with office(url, tmp_path, **IMPATIENT) as it:
            await it.sms_behaves(answers="nothing", receipts="none", times=1)
            it.mail_behaves(answers="refused", takes=False)
            dossier = recent_dossier()
            dossier.withdrawn()
            await it.handle(dossier.events)
            await it.becomes(dossier, "sent")
            await it.becomes(dossier, "failed", channel="email")
            stored = ""
            for table in ("dossiers", "messages", "events"):
                stored += "".join(str(dict(row)) for row in await it.pool.fetch(f"select * from {table}"))
    for trace in ("381234567", "168123", EMAIL, "Nguyễn"):
        assert trace not in stored + str(logs)
    assert logs


async def test_messages_of_a_dossier_are_listed_for_staff(database: Databases, tmp_path: Path) -> None:
    """The list has outcomes and no address; an officer sees the own department's, an applicant none."""
    async with office(database.fresh("notify"), tmp_path) as it:
        dossier = recent_dossier()
        dossier.deadline_set("2017-11-27 16:30")
        dossier.result_arrived()
        await it.handle(dossier.events)
        await it.becomes(dossier, "delivered")
        path = f"/dossiers/{dossier.dossier_id}/messages"
        found = (await ask(it, "officer", path))["items"]
        assert [(message["moment"], message["channel"]) for message in found[::2]] == [
            ("received", found[0]["channel"]),
            ("result_ready", found[2]["channel"]),
        ]
        assert EMAIL not in str(found)
        assert (await ask(it, "other", path))["items"] == []
        for headers, status in (({"Authorization": f"Bearer {it.keys['applicant']}"}, 403), ({}, 401)):
            assert (await it.http.get(it.urls[0] + path, headers=headers)).status_code == status


async def test_messages_of_a_state_are_listed_in_pages(database: Databases, tmp_path: Path) -> None:
    """A page has at most `limit` messages; `next` continues the list and is null on the last page."""
    async with office(database.fresh("notify"), tmp_path) as it:
        dossiers = [recent_dossier(reach=()) for _ in range(4)]
        for dossier in dossiers:
            dossier.withdrawn()
            await it.handle(dossier.events)
        listed: list[str] = []
        sizes: list[int] = []
        after: str | None = None
        while after is not None or not sizes:
            query = {"state": "dropped", "limit": "2"} | ({} if after is None else {"after": after})
            page = await ask(it, "officer", "/messages", **query)
            listed += [message["code"] for message in page["items"]]
            sizes.append(len(page["items"]))
            after = page["next"]
        assert sizes == [2, 2]
        assert sorted(listed) == sorted(dossier.code for dossier in dossiers)
        assert (await ask(it, "other", "/messages", state="dropped"))["items"] == []


async def ask(it: Office, key: str, path: str, **query: str) -> Any:
    answer = await it.http.get(it.urls[0] + path, params=query, headers={"Authorization": f"Bearer {it.keys[key]}"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_answer_is_not_lost_while_the_database_is_away(
    database: Databases, postgres: Postgres, tmp_path: Path
) -> None:
    """An acceptance during an outage of Postgres is recorded afterwards and not left in doubt."""
    async with office(database.fresh("notify"), tmp_path, send_seconds=10.0, lease_seconds=60.0) as it:
        it.mail_behaves(delay_seconds=1.5)
        dossier = recent_dossier(reach=("email",))
        dossier.withdrawn()
        await it.handle(dossier.events)
        await eventually(lambda: it.mail.requests, within=10)
        await asyncio.to_thread(postgres.stop_immediately)
        await eventually(lambda: read_inbox(tmp_path), within=10)
        await asyncio.to_thread(postgres.start)
        message = await it.becomes(dossier, "sent", channel="email")
        assert (message["attempts"], message["in_doubt"]) == (1, False)
