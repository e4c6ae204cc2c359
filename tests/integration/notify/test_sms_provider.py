"""The sender against an SMS provider that is slow, failing, silent or lying, with and without its better abilities."""

import asyncio
from pathlib import Path

import pytest

from services.notify.domain.delivery import Capabilities, NoAnswer
from services.notify.gateways import Outgoing
from services.notify.gateways.sms import HttpSmsGateway
from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.notify.office import IMPATIENT, MOBILE, RECEIPT_KEY, life_now, office
from tests.support import Databases, eventually, free_port

KEYED = {"sms_idempotent": True}
ASKABLE = {"sms_idempotent": False, "sms_status_query": True}
PLAIN = {"sms_idempotent": False, "sms_status_query": False}
FORGETFUL = {"idempotent": False, "status_query": False}


async def test_an_alert_arrives_and_its_receipt_is_told(database: Databases, tmp_path: Path) -> None:
    """Planned, sent, delivered; in plain letters, to the number in E.164, where routing says."""
    async with office(database.fresh("notify"), tmp_path) as it:
        life = life_now()
        life.assigned(2)
        life.withdrawn()
        await it.hear(life.events)
        await it.becomes(life, "delivered")
        (sms,) = await it.inbox(life)
        assert (sms.to, sms.sender) == (MOBILE, "HCC BPHUOC")
        assert f"Ho so {life.code} da duoc rut" in sms.text
        assert "quay so 2" in sms.text
        kinds = [kind for kind, _ in await it.outcomes(life)]
        # a receipt may be faster than the answer to the sending: then it alone is told
        assert [kind for kind in kinds if kind != "message.sent"] == ["message.planned", "message.delivered"]


async def test_a_slow_provider_sends_once(database: Databases, tmp_path: Path) -> None:
    """An answer within the time limit is an answer."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(delay_seconds=1)
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        message = await it.becomes(life, "delivered")
        assert (message["attempts"], message["doubled"]) == (1, False)
        assert len(await it.inbox(life)) == 1


@pytest.mark.parametrize("answers", ["nothing", "error"])
async def test_a_provider_that_knows_keys_gets_the_message_again_until_it_answers(
    database: Databases, tmp_path: Path, answers: str
) -> None:
    """Silent, or lying with an error after it took the message: repeated by key, so the applicant hears once."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **KEYED) as it:
        await it.sms_behaves(answers=answers, times=1, receipts="none")
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        message = await it.becomes(life, "sent")
        assert (message["attempts"], message["doubled"]) == (2, False)
        assert len(await it.inbox(life)) == 1


async def test_a_provider_that_can_be_asked_is_asked_before_anything_is_repeated(
    database: Databases, tmp_path: Path
) -> None:
    """It took the message and kept silent; the question settles it without a second message."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **ASKABLE) as it:
        await it.sms_behaves(answers="nothing", idempotent=False, receipts="none", times=1)
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        message = await it.becomes(life, "sent")
        assert (message["attempts"], message["doubled"]) == (1, False)
        assert len(await it.inbox(life)) == 1


async def test_what_a_provider_never_heard_of_is_sent_again(database: Databases, tmp_path: Path) -> None:
    """Its silence had swallowed the message; asking tells, and the repeat is no possible double."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **ASKABLE) as it:
        await it.sms_behaves(answers="nothing", takes=False, idempotent=False, receipts="none", times=1)
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        message = await it.becomes(life, "sent")
        assert (message["attempts"], message["doubled"], message["in_doubt"]) == (2, False, False)
        assert len(await it.inbox(life)) == 1


async def test_silence_without_key_or_question_stays_unknown(database: Databases, tmp_path: Path) -> None:
    """Nobody can tell, so nobody says "sent" or "failed", and officers find it listed."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN) as it:
        await it.sms_behaves(answers="nothing", receipts="none", **FORGETFUL)
        life = life_now(reach=("sms",))
        life.withdrawn()
        await it.hear(life.events)
        await it.becomes(life, "unknown")
        assert await it.sms_requests() == 1
        listed = await it.http.get(
            f"{it.urls[0]}/messages", params={"state": "unknown"}, headers=bearer(it.keys["leader"])
        )
        assert [message["code"] for message in listed.json()["messages"]] == [life.code]


async def test_what_the_applicant_must_act_on_is_sent_once_more_and_marked(database: Databases, tmp_path: Path) -> None:
    """The applicant may have got it twice; the outcome says so, and there is no third."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN) as it:
        await it.sms_behaves(answers="nothing", receipts="none", times=1, **FORGETFUL)
        life = life_now()
        life.supplement_required()
        await it.hear(life.events)
        message = await it.becomes(life, "sent")
        assert message["attempts"] == 2
        assert (await it.outcomes(life))[-1][1]["possibly_doubled"] is True
        assert len(await it.inbox(life)) == 2


async def test_a_repeat_that_meets_silence_again_is_the_last(database: Databases, tmp_path: Path) -> None:
    """Once more, never again."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN) as it:
        await it.sms_behaves(answers="nothing", receipts="none", **FORGETFUL)
        life = life_now()
        life.payment_required()
        await it.hear(life.events)
        message = await it.becomes(life, "unknown")
        assert message["attempts"] == 2
        assert await it.sms_requests() == 2


async def test_a_receipt_within_the_window_saves_the_repeat(database: Databases, tmp_path: Path) -> None:
    """Silent, but it did arrive and the provider reports it: nothing is sent again."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN, sms_receipt_window_seconds=30.0) as it:
        await it.sms_behaves(answers="nothing", **FORGETFUL)
        life = life_now()
        life.supplement_required()
        await it.hear(life.events)
        message = await it.becomes(life, "delivered")
        assert message["attempts"] == 1
        assert len(await it.inbox(life)) == 1


async def test_a_late_receipt_turns_unknown_into_delivered(database: Databases, tmp_path: Path) -> None:
    """The truth may come late; it is taken, once."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN) as it:
        await it.sms_behaves(answers="nothing", receipts="none", **FORGETFUL)
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        message = await it.becomes(life, "unknown")
        for news in (True, False):
            answer = await it.http.post(
                f"{it.urls[0]}/receipts",
                json={"receipts": [{"message_id": str(message["message_id"]), "status": "delivered"}]},
                headers=bearer(RECEIPT_KEY),
            )
            assert answer.json()["taken"][0]["news"] is news
        kinds = [kind for kind, _ in await it.outcomes(life)]
        assert kinds == ["message.planned", "message.unknown", "message.delivered"]


async def test_a_provider_that_says_yes_and_drops_it_is_only_believed_to_have_taken_it(
    database: Databases, tmp_path: Path
) -> None:
    """Sent is "the provider took it"; delivered is said only after its report."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(takes=False)
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        await it.becomes(life, "sent")
        assert await it.inbox(life) == []


async def test_a_report_that_it_did_not_arrive_is_a_failure(database: Databases, tmp_path: Path) -> None:
    """A wrong or switched-off number: staff see that the applicant did not hear."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(receipts="undelivered")
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        assert (await it.becomes(life, "failed"))["reason"] == "undelivered"


async def test_a_refusal_is_final(database: Databases, tmp_path: Path) -> None:
    """The provider will never take it, so it is asked once."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(answers="refused", takes=False)
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        assert (await it.becomes(life, "failed"))["reason"] == "http_422"
        assert await it.sms_requests() == 1


async def test_a_busy_provider_is_tried_again_without_any_doubt(database: Databases, tmp_path: Path) -> None:
    """ "Slow down" is "surely not taken", also for a provider without keys."""
    async with office(database.fresh("notify"), tmp_path, **PLAIN) as it:
        await it.sms_behaves(answers="busy", takes=False, receipts="none", times=1, **FORGETFUL)
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        message = await it.becomes(life, "sent")
        assert (message["attempts"], message["in_doubt"]) == (2, False)
        assert len(await it.inbox(life)) == 1


async def test_a_provider_that_is_away_is_waited_for(database: Databases, tmp_path: Path) -> None:
    """No connection, no doubt: the message stays planned."""
    nobody = f"http://127.0.0.1:{free_port()}"
    async with office(database.fresh("notify"), tmp_path, sms_url=nobody, **PLAIN) as it:
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)

        async def tried_twice() -> bool:
            (message,) = await it.messages(life)
            return message["attempts"] >= 2 and message["state"] == "planned" and not message["in_doubt"]

        await eventually(tried_twice, within=15)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 40\r\n\r\n{",
        b"MAIL 1.0\r\n\r\n",
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["hangs up", "half an answer", "no HTTP", "a redirect"],
)
async def test_what_settles_nothing_is_no_answer(said: bytes) -> None:
    """The message may have gone out, and is not handed over a second time on its own account."""
    heard: list[bytes] = []

    async def provider(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"}"))
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(provider, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    gateway = HttpSmsGateway(url=url, key="k", brand="TTHCC", seconds=5, can=Capabilities())
    async with server:
        try:
            assert await gateway.send(Outgoing(uuid7(machine_now()), MOBILE, "Ho so")) == NoAnswer()
        finally:
            await gateway.close()
    assert len(heard) == 1


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
