"""The sender against a mail server that takes, refuses, hesitates or keeps silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.notify.domain.delivery import Accepted, Answer, NoAnswer, NotTaken, Refused
from services.notify.gateways import Outgoing, mail
from services.notify.gateways.mail import SmtpGateway
from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.notify.office import EMAIL, IMPATIENT, life_now, office
from tests.support import Databases, eventually, free_port


async def test_an_email_arrives_with_its_diacritics(database: Databases, tmp_path: Path) -> None:
    """Subject and text as written, and the message's own id as Message-ID."""
    async with office(database.fresh("notify"), tmp_path) as it:
        life = life_now(reach=("email",))
        life.supplement_required()
        await it.hear(life.events)
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
        await it.hear(life.events)
        message = await it.becomes(life, "sent", channel="email")
        assert (message["attempts"], message["in_doubt"]) == (2, False)
        assert len(await it.inbox(life, "email")) == 1


async def test_a_refused_text_has_failed(database: Databases, tmp_path: Path) -> None:
    """5xx is final."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.mail_behaves(answers="refused", takes=False)
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        assert (await it.becomes(life, "failed", channel="email"))["reason"] == "smtp_554"


async def test_silence_after_the_text_is_unknown(database: Databases, tmp_path: Path) -> None:
    """SMTP knows no key and no question."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT) as it:
        it.mail_behaves(answers="nothing")
        life = life_now()
        life.withdrawn()
        await it.hear(life.events)
        await it.becomes(life, "unknown", channel="email")
        assert len(await it.inbox(life, "email")) == 1


async def test_a_result_is_mailed_once_more_after_silence(database: Databases, tmp_path: Path) -> None:
    """Marked, and under the same Message-ID, so that a mail reader can tell."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT) as it:
        it.mail_behaves(answers="nothing", times=1)
        life = life_now()
        life.settled()
        life.result_arrived()
        await it.hear(life.events)
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
            await it.hear(life.events)
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
        await gateway.close()


async def test_no_connection_is_no_doubt() -> None:
    """Nothing was handed over."""
    gateway = SmtpGateway(host="127.0.0.1", port=free_port(), sender="tt@example.vn", seconds=2)
    message = a_mail()
    assert await gateway.send(message) == NotTaken()
    assert await gateway.ask(message.message_id) == NoAnswer()


def a_mail() -> Outgoing:
    return Outgoing(uuid7(machine_now()), EMAIL, "Văn bản", "Chủ đề")


class Server:
    """A mail server that takes everything, at most `a_connection` messages over each of its `connections`."""

    def __init__(self, a_connection: int = 1000) -> None:
        self.a_connection = a_connection
        self.connections: list[SMTP] = []
        self.taken: list[Session] = []

    def connected(self) -> SMTP:
        self.connections.append(SMTP(self, hostname="mail.example.vn"))
        return self.connections[-1]

    def hang_up(self) -> None:
        transport = self.connections[-1].transport
        assert transport is not None
        transport.close()

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.taken.count(session) >= self.a_connection:
            return "421 Enough for this connection"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append(session)
        return "250 OK"


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[SmtpGateway]:
    """A gateway to it."""
    listening = await asyncio.get_running_loop().create_server(server.connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    gateway = SmtpGateway(host="127.0.0.1", port=port, sender="tt@example.vn", seconds=5)
    try:
        yield gateway
    finally:
        await gateway.close()
        listening.close()


async def test_a_connection_carries_the_next_message() -> None:
    """Another one is opened only for what goes at the same time."""
    server = Server()
    async with serving(server) as gateway:
        assert [await gateway.send(a_mail()) for _ in range(3)] == [Accepted()] * 3
        assert len(server.connections) == 1
        assert await asyncio.gather(*(gateway.send(a_mail()) for _ in range(3))) == [Accepted()] * 3
        assert len(server.connections) == 3


async def test_a_connection_that_the_server_closed_costs_no_attempt() -> None:
    """It was closed while it waited, seen or unseen by us: the message goes over a new one."""
    server = Server()
    async with serving(server) as gateway:
        for _ in range(3):
            assert await gateway.send(a_mail()) == Accepted()
            server.hang_up()
        assert len(server.connections) == len(server.taken) == 3


async def test_a_server_may_limit_the_messages_of_a_connection() -> None:
    """421 is about the connection; said on a new one, it asks for patience."""
    server = Server(a_connection=2)
    async with serving(server) as gateway:
        assert [await gateway.send(a_mail()) for _ in range(5)] == [Accepted()] * 5
        assert len(server.connections) == 3
        server.a_connection = 0
        assert await gateway.send(a_mail()) == NotTaken()
        assert len(server.taken) == 5


async def test_a_connection_is_not_kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers count idle ones, too."""
    monkeypatch.setattr(mail, "_IDLE_SECONDS", 0.1)
    server = Server()
    async with serving(server) as gateway:
        assert await gateway.send(a_mail()) == Accepted()
        await eventually(lambda: server.connections[0].transport is None, within=5)
