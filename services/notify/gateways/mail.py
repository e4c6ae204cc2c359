"""E-mail through an SMTP relay. The Message-ID is the message's own id, so a repeat can be recognised by any reader."""

import asyncio
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Literal
from uuid import UUID

import aiosmtplib

from services.notify.domain.delivery import Accepted, Answer, Capabilities, NoAnswer, NotTaken, Refused
from services.notify.gateways import SINK, Outgoing
from shared.runtime.clock import machine_now

_IDLE_SECONDS = 2.0
"""How long a connection waits for the next message. Servers bear idle ones for minutes; this bridges a batch."""
_CLOSING = 421
"""The server ends this connection (RFC 5321, 4.2.3), as after so many messages; it says nothing about the message."""


class _LostError(Exception):
    """The connection ended before the text was handed over."""


class SmtpGateway:
    """`seconds` bounds each step. SMTP knows neither idempotency nor a status query.

    A connection that carried a message carries the next one, if that comes soon. Until the text has been handed over,
    a lost connection means "surely not taken"; after that, nobody knows.
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
        repeat_after: timedelta = timedelta(minutes=15),
    ) -> None:
        self._can = Capabilities(receipt_window=repeat_after)
        self._sender = sender
        self._domain = sender.rpartition("@")[2]
        self._user, self._password = user, password
        self._host, self._port, self._seconds, self._tls = host, port, seconds, tls
        self._own_name: str | None = None
        self._kept: dict[aiosmtplib.SMTP, asyncio.TimerHandle] = {}

    @property
    def can(self) -> Capabilities:
        return self._can

    async def send(self, message: Outgoing) -> Answer:
        try:
            content = self._content(message)
        except ValueError:
            return Refused("address_invalid")
        while (kept := self._take()) is not None:
            try:
                return await self._hand_over(kept, message, content)
            except _LostError:
                continue  # closed while it waited: that says nothing about the message, nor about the server
        try:
            return await self._hand_over(None, message, content)
        except _LostError:
            return NotTaken()

    async def _hand_over(self, kept: aiosmtplib.SMTP | None, message: Outgoing, content: bytes) -> Answer:
        """Over a kept connection or a new one; kept again where it took the message. Raises _LostError."""
        client = kept or self._client()
        handed_over = taken = False
        try:
            if kept is None:
                await self._connect(client)
            await client.mail(self._sender)
            await client.rcpt(message.address)
            handed_over = True
            await client.data(content)
            taken = True
        except aiosmtplib.SMTPResponseException as error:
            if error.code == _CLOSING:
                raise _LostError from error
            # 4xx asks for patience and says "not taken" (RFC 5321, 4.2.1); a 5xx to anything but this recipient or
            # this text is about us, and must be put right first
            about_message = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
            return Refused(f"smtp_{error.code}") if about_message and error.code >= 500 else NotTaken()
        except (aiosmtplib.SMTPNotSupported, UnicodeError):
            return Refused("address_invalid")  # letters that this server's mail cannot address
        except (aiosmtplib.SMTPException, OSError) as error:
            if handed_over:
                return NoAnswer()
            if isinstance(error, ConnectionError):
                raise _LostError from error
            return NotTaken()
        finally:
            if taken:
                self._keep(client)
            else:
                client.close()
        return Accepted()

    async def _connect(self, client: aiosmtplib.SMTP) -> None:
        await client.connect()
        self._own_name = client.local_hostname  # a look-up in the DNS, once
        if self._user is not None and self._password is not None:
            await client.login(self._user, self._password)

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            timeout=self._seconds,
            local_hostname=self._own_name,
            use_tls=self._tls == "tls",
            start_tls=self._tls == "starttls",
        )

    def _take(self) -> aiosmtplib.SMTP | None:
        """A connection that waits, as far as is known; it is the caller's to keep or to close."""
        while self._kept:
            client, timer = self._kept.popitem()
            timer.cancel()
            if client.is_connected:
                return client
            client.close()
        return None

    def _keep(self, client: aiosmtplib.SMTP) -> None:
        def end() -> None:
            del self._kept[client]
            client.close()

        self._kept[client] = asyncio.get_running_loop().call_later(_IDLE_SECONDS, end)

    async def ask(self, message_id: UUID) -> Answer:
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
        while (client := self._take()) is not None:
            client.close()

    def _content(self, message: Outgoing) -> bytes:
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = self._sender
        mail["To"] = message.address
        mail["Subject"] = message.subject or ""
        mail["Message-ID"] = f"<{message.message_id}@{self._domain}>"
        mail["Date"] = machine_now()
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text, cte="quoted-printable")  # lines of any length, relays of any age
        return mail.as_bytes()
