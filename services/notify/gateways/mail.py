"""E-mail through an SMTP relay. The Message-ID is the message's own id, so a repeat can be recognised by any reader."""

from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Literal
from uuid import UUID

import aiosmtplib

from services.notify.domain.delivery import Accepted, Answer, Capabilities, NoAnswer, NotTaken, Refused
from services.notify.gateways import SINK, Outgoing
from shared.runtime.clock import machine_now


class SmtpGateway:
    """One connection a message; `seconds` bounds each step. SMTP knows neither idempotency nor a status query.

    Until the text has been handed over, a lost connection means "surely not taken"; after that, nobody knows.
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

    @property
    def can(self) -> Capabilities:
        return self._can

    async def send(self, message: Outgoing) -> Answer:
        try:
            content = self._content(message)
        except ValueError:
            return Refused("address_invalid")
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            timeout=self._seconds,
            use_tls=self._tls == "tls",
            start_tls=self._tls == "starttls",
        )
        handed_over = False
        try:
            await client.connect()
            if self._user is not None and self._password is not None:
                await client.login(self._user, self._password)
            await client.mail(self._sender)
            await client.rcpt(message.address)
            handed_over = True
            await client.data(content)
        except aiosmtplib.SMTPResponseException as error:
            # 4xx asks for patience and says "not taken" (RFC 5321, 4.2.1); a 5xx to anything but this recipient or
            # this text is about us, and must be put right first
            about_message = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
            return Refused(f"smtp_{error.code}") if about_message and error.code >= 500 else NotTaken()
        except (aiosmtplib.SMTPNotSupported, UnicodeError):
            return Refused("address_invalid")  # letters that this server's mail cannot address
        except (aiosmtplib.SMTPException, OSError):
            return NoAnswer() if handed_over else NotTaken()
        finally:
            client.close()
        return Accepted()

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
        """Nothing is kept open between messages."""

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
