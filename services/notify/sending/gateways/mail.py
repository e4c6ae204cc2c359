"""Gateway for e-mail through an SMTP relay.

The Message-ID contains the message's id, so any mail reader can detect a duplicate.
"""

import asyncio
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Literal
from uuid import UUID

import aiosmtplib

from services.notify.domain.delivery import Accepted, Answer, Capabilities, NoAnswer, NotAccepted, Rejected
from services.notify.sending.gateways import SINK, Outgoing
from shared.runtime.clock import machine_now

_IDLE_SECONDS = 2.0
"""How long an idle connection stays open for the next message of a batch. Servers allow minutes."""
_CLOSING = 421
"""The server closes this connection (RFC 5321, 4.2.3), for example after a number of messages; the code is not about
the message."""


class _LostError(Exception):
    """The relay closed the connection before it accepted the message, for a reason unrelated to the message."""


class SmtpGateway:
    """A gateway to an SMTP relay; `seconds` is the time limit of each SMTP command, not of a whole message.

    SMTP has neither idempotency keys nor a status query. An open connection is reused if the next message follows
    within a short time. If the connection is lost before the text was transmitted, the answer is `NotAccepted`;
    if it is lost later, `NoAnswer`.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        sender: str,
        seconds: float,
        tls: Literal["none", "starttls", "tls"] = "none",
        user: str | None = None,
        password: str | None = None,
        receipt_window: timedelta = timedelta(minutes=15),
    ) -> None:
        self._capabilities = Capabilities(receipt_window=receipt_window)
        self._sender = sender
        self._domain = sender.rpartition("@")[2]
        self._user, self._password = user, password
        self._host, self._port, self._seconds, self._tls = host, port, seconds, tls
        self._local_hostname: str | None = None
        self._idle: dict[aiosmtplib.SMTP, asyncio.TimerHandle] = {}

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def send(self, message: Outgoing) -> Answer:
        try:
            content = self._content(message)
        except ValueError:
            return Rejected("address_invalid")
        while (idle := self._take_idle()) is not None:
            try:
                return await self._hand_over(idle, message, content)
            except _LostError:
                continue  # closed while idle, which is not about the message nor about the server
        try:
            return await self._hand_over(None, message, content)
        except _LostError:
            return NotAccepted()

    async def _hand_over(self, idle: aiosmtplib.SMTP | None, message: Outgoing, content: bytes) -> Answer:
        """Send over the connection `idle`, or over a new one for None, and return the relay's answer.

        If the message was accepted, the connection becomes idle, else it is closed. Raises _LostError if the relay
        closed the connection and certainly did not accept the message.
        """
        client = idle or self._new_client()
        transmitting = accepted = False
        try:
            if idle is None:
                await self._connect(client)
            await client.mail(self._sender)
            await client.rcpt(message.address)
            transmitting = True
            await client.data(content)
            accepted = True
        except aiosmtplib.SMTPResponseException as error:
            if error.code == _CLOSING:
                raise _LostError from error
            # 4xx means "not accepted, retry later" (RFC 5321, 4.2.1). A 5xx that is not about this recipient or this
            # text is about the centre's account or settings, which must be corrected first.
            about_message = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
            return Rejected(f"smtp_{error.code}") if about_message and error.code >= 500 else NotAccepted()
        except (aiosmtplib.SMTPNotSupported, UnicodeError):
            return Rejected("address_invalid")  # characters that this server does not accept in an address
        except (aiosmtplib.SMTPException, OSError) as error:
            if transmitting:
                return NoAnswer()
            if isinstance(error, ConnectionError):
                raise _LostError from error
            return NotAccepted()
        finally:
            if accepted:
                self._add_idle(client)
            else:
                client.close()
        return Accepted()

    async def _connect(self, client: aiosmtplib.SMTP) -> None:
        await client.connect()
        self._local_hostname = client.local_hostname  # from the DNS, looked up once
        if self._user is not None and self._password is not None:
            await client.login(self._user, self._password)

    def _new_client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            timeout=self._seconds,
            local_hostname=self._local_hostname,
            use_tls=self._tls == "tls",
            start_tls=self._tls == "starttls",
        )

    def _take_idle(self) -> aiosmtplib.SMTP | None:
        """Remove a connection from the idle ones and return it; None without one. The caller then owns the connection.

        The connection is open as far as known, but the relay may have closed it.
        """
        while self._idle:
            client, timer = self._idle.popitem()
            timer.cancel()
            if client.is_connected:
                return client
            client.close()
        return None

    def _add_idle(self, client: aiosmtplib.SMTP) -> None:
        def end() -> None:
            del self._idle[client]
            client.close()

        self._idle[client] = asyncio.get_running_loop().call_later(_IDLE_SECONDS, end)

    async def query(self, message_id: UUID) -> Answer:
        return NoAnswer()

    async def is_sink(self) -> bool:
        client = aiosmtplib.SMTP(
            hostname=self._host, port=self._port, timeout=self._seconds, use_tls=self._tls == "tls"
        )
        try:
            greeting = await client.connect()
        except aiosmtplib.SMTPException as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error
        finally:
            client.close()
        return SINK in greeting.message

    async def close(self) -> None:
        while (client := self._take_idle()) is not None:
            client.close()

    def _content(self, message: Outgoing) -> bytes:
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = self._sender
        mail["To"] = message.address
        mail["Subject"] = message.subject or ""
        mail["Message-ID"] = f"<{message.message_id}@{self._domain}>"
        mail["Date"] = machine_now()
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text, cte="quoted-printable")  # safe for long lines and for relays without 8BITMIME
        return mail.as_bytes()
