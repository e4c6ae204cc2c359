"""The sender against a mail server that takes, refuses, hesitates or keeps silent."""

from pathlib import Path

import pytest

from services.notify.domain.delivery import Accepted, Answer, NoAnswer, NotTaken, Refused
from services.notify.gateways import Outgoing
from services.notify.gateways.mail import SmtpGateway
from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.notify.office import EMAIL, IMPATIENT, life_now, office
from tests.support import Databases, free_port


async def test_an_email_arrives_with_its_diacritics(database: Databases, tmp_path: Path) -> None:
    """Subject and text as written, and the message's own id as Message-ID."""
    async with office(database.fresh("notify"), tmp_path) as it:
        life = life_now(reach=("email",))
        life.supplement_required()
        await it.hear(life.facts)
        message = await it.becomes(life, "sent", channel="email")
        (mail,) = await it.inbox(life, "email")
        assert (mail.to, mail.subject) == (EMAIL, f"Hồ sơ {life.code}: cần bổ sung giấy tờ")
        assert "- Bản sao giấy khai sinh\n- Sổ hộ khẩu" in mail.text
        assert mail.message_id == str(message["message_id"])


@pytest.mark.parametrize("answers", ["busy", "error"])
async def test_a_server_that_asks_for_patience_gets_it_again(database: Databases, tmp_path: Path, answers: str) -> None:
    """4xx says "not taken", so the repeat cannot double."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.mail_behaves(answers=answers, takes=False, times=1)
        life = life_now()
        life.withdrawn()
        await it.hear(life.facts)
        message = await it.becomes(life, "sent", channel="email")
        assert (message["attempts"], message["in_doubt"]) == (2, False)
        assert len(await it.inbox(life, "email")) == 1


async def test_a_refused_text_has_failed(database: Databases, tmp_path: Path) -> None:
    """5xx is final."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.mail_behaves(answers="refused", takes=False)
        life = life_now()
        life.withdrawn()
        await it.hear(life.facts)
        assert (await it.becomes(life, "failed", channel="email"))["reason"] == "smtp_554"


async def test_silence_after_the_text_is_unknown(database: Databases, tmp_path: Path) -> None:
    """SMTP knows no key and no question."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT) as it:
        it.mail_behaves(answers="nothing")
        life = life_now()
        life.withdrawn()
        await it.hear(life.facts)
        await it.becomes(life, "unknown", channel="email")
        assert len(await it.inbox(life, "email")) == 1


async def test_a_result_is_mailed_once_more_after_silence(database: Databases, tmp_path: Path) -> None:
    """Marked, and under the same Message-ID, so that a mail reader can tell."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT) as it:
        it.mail_behaves(answers="nothing", times=1)
        life = life_now()
        life.settled()
        life.result_arrived()
        await it.hear(life.facts)
        await it.becomes(life, "sent", channel="email")
        first, second = await it.inbox(life, "email")
        assert first.message_id == second.message_id
        assert (await it.outcomes(life, "email"))[-1][1]["possibly_doubled"] is True


async def test_silence_of_mail_holds_up_no_sms(database: Databases, tmp_path: Path) -> None:
    """Each channel has a sender of its own."""
    async with office(database.fresh("notify"), tmp_path, send_seconds=20.0, lease_seconds=60.0) as it:
        it.mail_behaves(answers="nothing")
        lives = [life_now() for _ in range(10)]
        for life in lives:
            life.withdrawn()
            await it.hear(life.facts)
        for life in lives:
            await it.becomes(life, "delivered", within=10)
        it.mail_behaves()


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("nguoi.dan@example.vn", Accepted()),
        ("không@example.vn", Refused("address_invalid")),
        ("a@example.vn\r\nBcc: b@example.vn", Refused("address_invalid")),
    ],
)
async def test_addresses_that_mail_cannot_take(
    database: Databases, tmp_path: Path, address: str, answer: Answer
) -> None:
    """Refused for good, before anything is said to the server; and nothing is smuggled into the header."""
    async with office(database.fresh("notify"), tmp_path) as it:
        settings = it.context.settings
        gateway = SmtpGateway(host="127.0.0.1", port=settings.smtp_port, sender="tt@example.vn", seconds=2)
        assert await gateway.send(Outgoing(uuid7(machine_now()), address, "Văn bản", "Chủ đề")) == answer


async def test_no_connection_is_no_doubt() -> None:
    """Nothing was handed over."""
    gateway = SmtpGateway(host="127.0.0.1", port=free_port(), sender="tt@example.vn", seconds=2)
    message = Outgoing(uuid7(machine_now()), EMAIL, "Văn bản", "Chủ đề")
    assert await gateway.send(message) == NotTaken()
    assert await gateway.ask(message.message_id) == NoAnswer()
