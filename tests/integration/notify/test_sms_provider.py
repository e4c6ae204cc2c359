"""The sender with an SMS provider that is slow, wrong or does not answer, with and without its optional features."""

import asyncio
from pathlib import Path

import pytest

from services.notify.domain.delivery import Capabilities, NoAnswer
from services.notify.sending.gateways import Outgoing
from services.notify.sending.gateways.sms import HttpSmsGateway
from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.notify.office import IMPATIENT, MOBILE, RECEIPT_KEY, office, recent_dossier
from tests.support import Databases, eventually, free_port

IDEMPOTENT = {"sms_idempotent": True}
QUERYABLE = {"sms_idempotent": False, "sms_status_query": True}
PLAIN = {"sms_idempotent": False, "sms_status_query": False}
FORGETFUL = {"idempotent": False, "status_query": False}


async def test_alert_is_delivered(database: Databases, tmp_path: Path) -> None:
    """The SMS has plain letters, an E.164 number and the place that routing decided."""
    async with office(database.fresh("notify"), tmp_path) as it:
        dossier = recent_dossier()
        dossier.assignment_decided(2)
        dossier.withdrawn()
        await it.handle(dossier.events)
        await it.becomes(dossier, "delivered")
        (sms,) = await it.inbox(dossier)
        assert (sms.to, sms.sender) == (MOBILE, "HCC BPHUOC")
        assert f"Ho so {dossier.code} da duoc rut" in sms.text
        assert "quay so 2" in sms.text
        kinds = [kind for kind, _ in await it.outcomes(dossier)]
        # a receipt may arrive before the answer to the attempt
        assert [kind for kind in kinds if kind != "message.sent"] == ["message.planned", "message.delivered"]


async def test_slow_answer_is_one_attempt(database: Databases, tmp_path: Path) -> None:
    """An answer within the time limit counts."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(delay_seconds=1)
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "delivered")
        assert (message["attempts"], message["possibly_doubled"]) == (1, False)
        assert len(await it.inbox(dossier)) == 1


@pytest.mark.parametrize("answers", ["nothing", "error"])
async def test_idempotent_provider_without_answer_gets_the_message_again(
    database: Databases, tmp_path: Path, answers: str
) -> None:
    """The provider accepted the message without an answer or with an error: it is repeated by key, delivered once."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **IDEMPOTENT) as it:
        await it.sms_behaves(answers=answers, times=1, receipts="none")
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "sent")
        assert (message["attempts"], message["possibly_doubled"]) == (2, False)
        assert len(await it.inbox(dossier)) == 1


async def test_provider_with_status_query_is_queried_before_a_repetition(database: Databases, tmp_path: Path) -> None:
    """It accepted the message without an answer; the query settles the message without a second one."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **QUERYABLE) as it:
        await it.sms_behaves(answers="nothing", idempotent=False, receipts="none", times=1)
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "sent")
        assert (message["attempts"], message["possibly_doubled"]) == (1, False)
        assert len(await it.inbox(dossier)) == 1


async def test_message_unknown_to_the_provider_is_sent_again(database: Databases, tmp_path: Path) -> None:
    """The query proves that the provider does not have it, so the repetition is not a possible duplicate."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **QUERYABLE) as it:
        await it.sms_behaves(answers="nothing", takes=False, idempotent=False, receipts="none", times=1)
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "sent")
        assert (message["attempts"], message["possibly_doubled"], message["in_doubt"]) == (2, False, False)
        assert len(await it.inbox(dossier)) == 1


async def test_missing_answer_without_key_and_query_is_unknown(database: Databases, tmp_path: Path) -> None:
    """The message is neither "sent" nor "failed", and officers find it in the list."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN) as it:
        await it.sms_behaves(answers="nothing", receipts="none", **FORGETFUL)
        dossier = recent_dossier(reach=("sms",))
        dossier.withdrawn()
        await it.handle(dossier.events)
        await it.becomes(dossier, "unknown")
        assert await it.sms_requests() == 1
        listed = await it.http.get(
            f"{it.urls[0]}/messages", params={"state": "unknown"}, headers=bearer(it.keys["leader"])
        )
        assert [message["code"] for message in listed.json()["items"]] == [dossier.code]


async def test_important_message_without_answer_is_sent_a_second_time(database: Databases, tmp_path: Path) -> None:
    """The applicant may have received it twice; the outcome states it, and there is no third attempt."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN) as it:
        await it.sms_behaves(answers="nothing", receipts="none", times=1, **FORGETFUL)
        dossier = recent_dossier()
        dossier.supplement_required()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "sent")
        assert message["attempts"] == 2
        assert (await it.outcomes(dossier))[-1][1]["possibly_doubled"] is True
        assert len(await it.inbox(dossier)) == 2


async def test_repetition_without_answer_is_the_last(database: Databases, tmp_path: Path) -> None:
    """After one repetition the message is unknown."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN) as it:
        await it.sms_behaves(answers="nothing", receipts="none", **FORGETFUL)
        dossier = recent_dossier()
        dossier.payment_required()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "unknown")
        assert message["attempts"] == 2
        assert await it.sms_requests() == 2


async def test_receipt_within_the_window_prevents_the_repetition(database: Databases, tmp_path: Path) -> None:
    """Without an answer but with a delivery receipt, nothing is sent again."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN, sms_receipt_window_seconds=30.0) as it:
        await it.sms_behaves(answers="nothing", **FORGETFUL)
        dossier = recent_dossier()
        dossier.supplement_required()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "delivered")
        assert message["attempts"] == 1
        assert len(await it.inbox(dossier)) == 1


async def test_late_receipt_makes_an_unknown_message_delivered(database: Databases, tmp_path: Path) -> None:
    """A late receipt counts, once."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT, **PLAIN) as it:
        await it.sms_behaves(answers="nothing", receipts="none", **FORGETFUL)
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "unknown")
        for news in (True, False):
            answer = await it.http.post(
                f"{it.urls[0]}/receipts",
                json={"receipts": [{"message_id": str(message["message_id"]), "status": "delivered"}]},
                headers=bearer(RECEIPT_KEY),
            )
            assert answer.json()["taken"][0]["news"] is news
        kinds = [kind for kind, _ in await it.outcomes(dossier)]
        assert kinds == ["message.planned", "message.unknown", "message.delivered"]


async def test_message_accepted_without_receipt_is_sent(database: Databases, tmp_path: Path) -> None:
    """Sent means that the provider accepted it; delivered needs its receipt."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(takes=False)
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        await it.becomes(dossier, "sent")
        assert await it.inbox(dossier) == []


async def test_receipt_of_failed_delivery_is_a_failure(database: Databases, tmp_path: Path) -> None:
    """Staff see that the applicant did not get the message."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(receipts="undelivered")
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        assert (await it.becomes(dossier, "failed"))["reason"] == "undelivered"


async def test_rejection_is_final(database: Databases, tmp_path: Path) -> None:
    """A rejected message is attempted once."""
    async with office(database.fresh("notify"), tmp_path) as it:
        await it.sms_behaves(answers="refused", takes=False)
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        assert (await it.becomes(dossier, "failed"))["reason"] == "http_422"
        assert await it.sms_requests() == 1


async def test_rate_limit_is_retried_without_doubt(database: Databases, tmp_path: Path) -> None:
    """A rate limit means "not accepted", also for a provider without keys."""
    async with office(database.fresh("notify"), tmp_path, **PLAIN) as it:
        await it.sms_behaves(answers="busy", takes=False, receipts="none", times=1, **FORGETFUL)
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "sent")
        assert (message["attempts"], message["in_doubt"]) == (2, False)
        assert len(await it.inbox(dossier)) == 1


async def test_unreachable_provider_is_retried(database: Databases, tmp_path: Path) -> None:
    """Without a connection there is no doubt: the message stays planned."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with office(database.fresh("notify"), tmp_path, sms_url=nowhere, **PLAIN) as it:
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)

        async def tried_twice() -> bool:
            (message,) = await it.messages(dossier)
            return message["attempts"] >= 2 and message["state"] == "planned" and not message["in_doubt"]

        await eventually(tried_twice, within=15)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 40\r\n\r\n{",
        b"MAIL 1.0\r\n\r\n",
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["hangs up", "half an answer", "no HTTP", "a redirect"],
)
async def test_inconclusive_reply_is_no_answer(reply: bytes) -> None:
    """The message may have been accepted, so the client does not hand it over a second time."""
    requests: list[bytes] = []

    async def provider(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"}"))
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(provider, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    gateway = HttpSmsGateway(url=url, key="k", brand="TTHCC", seconds=5, capabilities=Capabilities())
    async with server:
        try:
            assert await gateway.send(Outgoing(uuid7(machine_now()), MOBILE, "Ho so")) == NoAnswer()
        finally:
            await gateway.close()
    assert len(requests) == 1


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
