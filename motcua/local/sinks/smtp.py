"""SMTP sink: an SMTP server that stores every mail in the inbox and relays none."""

import asyncio
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session

from motcua.local.sinks.behaviour import SINK, Control
from motcua.local.sinks.inbox import Inbox, InboxMessage
from shared.runtime.clock import machine_now

_ANSWERS = {
    "ok": "250 OK",
    "busy": "451 Try again later",
    "error": "451 Local error",
    "refused": "554 Refused",
}


class SmtpSink:
    """An SMTP server that listens on `host`:`port` from `start` to `close`. With port 0 it chooses a free port."""

    def __init__(self, inbox: Inbox, control: Control, *, host: str, port: int) -> None:
        self._inbox = inbox
        self._control = control
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Open the port, and serve in the running event loop. Raises OSError if the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="motcua", ident=SINK), self._host, self._port
        )

    @property
    def port(self) -> int:
        """The port on which the started server listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop accepting connections. Does nothing before `start`."""
        if self._server is not None:
            self._server.close()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Handle one mail by the current behaviour, and return the SMTP reply; called by aiosmtpd."""
        behaviour = self._control.next_behaviour()
        await asyncio.sleep(behaviour.delay_seconds)
        if behaviour.takes:
            self._store(envelope)
        if behaviour.answers == "nothing":
            await asyncio.Event().wait()  # until the client disconnects: aiosmtpd then cancels this handler
        return _ANSWERS[behaviour.answers]

    def _store(self, envelope: Envelope) -> None:
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        mail = message_from_bytes(content, _class=EmailMessage, policy=default)
        body = mail.get_body(("plain",))
        found = re.match(r"<([^@>]+)", str(mail["Message-ID"] or ""))
        for recipient in envelope.rcpt_tos:
            self._inbox.append(
                InboxMessage(
                    channel="email",
                    at=machine_now().isoformat(),
                    to=str(recipient),
                    sender=str(envelope.mail_from),
                    subject=str(mail["Subject"]),
                    text=body.get_content().replace("\r\n", "\n") if body else "",
                    message_id=found[1] if found else "",
                )
            )
