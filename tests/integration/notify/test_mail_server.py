"""The sender with a mail server that accepts, rejects, delays or does not answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.notify.domain.delivery import Accepted, Answer, NoAnswer, NotAccepted, Rejected
from services.notify.sending.gateways import Outgoing, mail
from services.notify.sending.gateways.mail import SmtpGateway
from shared.kernel.ids import uuid7
from shared.runtime.clock import machine_now
from tests.integration.notify.office import EMAIL, IMPATIENT, office, recent_dossier
from tests.support import Databases, eventually, free_port


async def test_email_arrives_with_its_diacritics(database: Databases, tmp_path: Path) -> None:
    """Subject and text are as written, and the Message-ID contains the message id."""
    async with office(database.fresh("notify"), tmp_path) as it:
        dossier = recent_dossier(reach=("email",))
        dossier.supplement_required()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "sent", channel="email")
        (mail,) = await it.inbox(dossier, "email")
        assert (mail.to, mail.subject) == (EMAIL, f"Hồ sơ {dossier.code}: cần bổ sung giấy tờ")
        assert "- Bản sao giấy khai sinh\n- Sổ hộ khẩu" in mail.text
        assert mail.message_id == str(message["message_id"])


@pytest.mark.parametrize("answers", ["busy", "error"])
async def test_temporary_error_is_retried(database: Databases, tmp_path: Path, answers: str) -> None:
    """4xx means "not accepted", so the repetition cannot cause a duplicate."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.mail_behaves(answers=answers, takes=False, times=1)
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        message = await it.becomes(dossier, "sent", channel="email")
        assert (message["attempts"], message["in_doubt"]) == (2, False)
        assert len(await it.inbox(dossier, "email")) == 1


async def test_rejected_text_fails(database: Databases, tmp_path: Path) -> None:
    """5xx is final."""
    async with office(database.fresh("notify"), tmp_path) as it:
        it.mail_behaves(answers="refused", takes=False)
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        assert (await it.becomes(dossier, "failed", channel="email"))["reason"] == "smtp_554"


async def test_missing_answer_after_the_text_is_unknown(database: Databases, tmp_path: Path) -> None:
    """SMTP has neither an idempotency key nor a status query."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT) as it:
        it.mail_behaves(answers="nothing")
        dossier = recent_dossier()
        dossier.withdrawn()
        await it.handle(dossier.events)
        await it.becomes(dossier, "unknown", channel="email")
        assert len(await it.inbox(dossier, "email")) == 1


async def test_result_without_answer_is_mailed_a_second_time(database: Databases, tmp_path: Path) -> None:
    """The repetition is marked and has the same Message-ID, so that a mail reader can detect the duplicate."""
    async with office(database.fresh("notify"), tmp_path, **IMPATIENT) as it:
        it.mail_behaves(answers="nothing", times=1)
        dossier = recent_dossier()
        dossier.settled()
        dossier.result_arrived()
        await it.handle(dossier.events)
        await it.becomes(dossier, "sent", channel="email")
        first, second = await it.inbox(dossier, "email")
        assert first.message_id == second.message_id
        assert (await it.outcomes(dossier, "email"))[-1][1]["possibly_doubled"] is True


async def test_missing_mail_answer_delays_no_sms(database: Databases, tmp_path: Path) -> None:
    """Each channel has its own sender."""
    async with office(database.fresh("notify"), tmp_path, send_seconds=20.0, lease_seconds=60.0) as it:
        it.mail_behaves(answers="nothing")
        dossiers = [recent_dossier() for _ in range(10)]
        for dossier in dossiers:
            dossier.withdrawn()
            await it.handle(dossier.events)
        for dossier in dossiers:
            await it.becomes(dossier, "delivered", within=10)
        it.mail_behaves()


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("nguoi.dan@example.vn", Accepted()),
        ("không@example.vn", Rejected("address_invalid")),
        ("a@example.vn\r\nBcc: b@example.vn", Rejected("address_invalid")),
    ],
)
async def test_invalid_address_is_rejected(database: Databases, tmp_path: Path, address: str, answer: Answer) -> None:
    """It is rejected before anything is sent to the server, and cannot inject a header."""
    async with office(database.fresh("notify"), tmp_path) as it:
        settings = it.context.settings
        gateway = SmtpGateway(host="127.0.0.1", port=settings.smtp_port, sender="tt@example.vn", seconds=2)
        assert await gateway.send(Outgoing(uuid7(machine_now()), address, "Văn bản", "Chủ đề")) == answer
        await gateway.close()


async def test_missing_connection_is_not_accepted() -> None:
    """Nothing was transmitted."""
    gateway = SmtpGateway(host="127.0.0.1", port=free_port(), sender="tt@example.vn", seconds=2)
    message = a_mail()
    assert await gateway.send(message) == NotAccepted()
    assert await gateway.query(message.message_id) == NoAnswer()


def a_mail() -> Outgoing:
    return Outgoing(uuid7(machine_now()), EMAIL, "Văn bản", "Chủ đề")


class Server:
    """A mail server that accepts at most `limit` messages over each of its `connections`."""

    def __init__(self, limit: int = 1000) -> None:
        self.limit = limit
        self.connections: list[SMTP] = []
        self.accepted: list[Session] = []

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
        if self.accepted.count(session) >= self.limit:
            return "421 Enough for this connection"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.accepted.append(session)
        return "250 OK"


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[SmtpGateway]:
    """A gateway to the server."""
    listening = await asyncio.get_running_loop().create_server(server.connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    gateway = SmtpGateway(host="127.0.0.1", port=port, sender="tt@example.vn", seconds=5)
    try:
        yield gateway
    finally:
        await gateway.close()
        listening.close()


async def test_connection_is_reused_for_the_next_message() -> None:
    """Further connections are opened only for concurrent messages."""
    server = Server()
    async with serving(server) as gateway:
        assert [await gateway.send(a_mail()) for _ in range(3)] == [Accepted()] * 3
        assert len(server.connections) == 1
        assert await asyncio.gather(*(gateway.send(a_mail()) for _ in range(3))) == [Accepted()] * 3
        assert len(server.connections) == 3


async def test_connection_closed_by_the_server_is_replaced() -> None:
    """The server closed it while it was idle: the message is sent over a new one in the same attempt."""
    server = Server()
    async with serving(server) as gateway:
        for _ in range(3):
            assert await gateway.send(a_mail()) == Accepted()
            server.hang_up()
        assert len(server.connections) == len(server.accepted) == 3


async def test_server_limit_of_messages_per_connection_opens_a_new_one() -> None:
    """421 is about the connection; on a new connection it means "not accepted"."""
    server = Server(limit=2)
    async with serving(server) as gateway:
        assert [await gateway.send(a_mail()) for _ in range(5)] == [Accepted()] * 5
        assert len(server.connections) == 3
        server.limit = 0
        assert await gateway.send(a_mail()) == NotAccepted()
        assert len(server.accepted) == 5


async def test_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers limit the number of idle connections."""
    monkeypatch.setattr(mail, "_IDLE_SECONDS", 0.1)
    server = Server()
    async with serving(server) as gateway:
        assert await gateway.send(a_mail()) == Accepted()
        await eventually(lambda: server.connections[0].transport is None, within=5)
