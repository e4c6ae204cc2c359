"""A centre with a simulated clock sends only to motcua's own sinks: messages about the past reach no person."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from fastapi import FastAPI

from motcua.local.sinks.behaviour import Control
from motcua.local.sinks.inbox import Inbox
from motcua.local.sinks.sms import create_sms_simulator
from motcua.local.sinks.smtp import SmtpSink
from services.notify.app import require_sinks
from services.notify.domain.delivery import Capabilities
from services.notify.sending.gateways import Gateway
from services.notify.sending.gateways.mail import SmtpGateway
from services.notify.sending.gateways.sms import HttpSmsGateway
from shared.kernel.errors import StartError
from tests.support import free_port
from tests.support.asgi_server import serving

CAPABILITIES = Capabilities(receipt_window=timedelta(seconds=1))


@asynccontextmanager
async def sms(url: str) -> AsyncIterator[dict[str, Gateway]]:
    gateway = HttpSmsGateway(url=url, key=None, brand="TTHCC", seconds=5, capabilities=CAPABILITIES)
    try:
        yield {"sms": gateway}
    finally:
        await gateway.close()


def mail(port: int) -> dict[str, Gateway]:
    return {"email": SmtpGateway(host="127.0.0.1", port=port, sender="centre@example.com", seconds=5)}


async def test_sinks_identify_themselves(tmp_path: Path) -> None:
    """The SMS sink identifies itself over HTTP, the mail sink in the SMTP greeting."""
    inbox = Inbox(tmp_path)
    sink = SmtpSink(inbox, Control(), host="127.0.0.1", port=0)
    await sink.start()
    try:
        async with serving(create_sms_simulator(inbox)) as url, sms(url) as gateways:
            await require_sinks({**gateways, **mail(sink.port)}, within_seconds=10)
    finally:
        sink.close()


async def test_other_sms_provider_stops_the_start() -> None:
    """A provider that answers without identifying itself as a sink is not accepted."""
    async with serving(FastAPI()) as url, sms(url) as gateways:
        with pytest.raises(StartError, match="The sms provider is not one of motcua's own sinks"):
            await require_sinks(gateways, within_seconds=10)


async def test_other_mail_server_stops_the_start() -> None:
    """A relay on the same machine delivers mail like any other."""
    relay = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    relay.start()
    try:
        with pytest.raises(StartError, match="The email provider is not one of motcua's own sinks"):
            await require_sinks(mail(relay.port), within_seconds=10)
    finally:
        relay.stop()


async def test_provider_without_answer_stops_the_start() -> None:
    """The start waits for a limited time, because sinks start at the same time as the services."""
    with pytest.raises(StartError, match="The email provider does not answer"):
        await require_sinks(mail(free_port()), within_seconds=0.3)
