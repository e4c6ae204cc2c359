"""notify put together: the one file that knows every part of it."""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from services.notify.api import router
from services.notify.contacts import Contacts
from services.notify.domain.delivery import Capabilities
from services.notify.gateways import Gateway
from services.notify.gateways.mail import SmtpGateway
from services.notify.gateways.sms import HttpSmsGateway
from services.notify.handlers import streams
from services.notify.recording import Recorder
from services.notify.sender import Sender
from services.notify.settings import NotifySettings
from services.notify.texts import load_texts
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.service.process import Context, Parts

SINKS_SECONDS = 30.0
"""How long the providers of a set centre may take to start."""


async def build(context: Context[NotifySettings]) -> Parts:
    """What notify consumes, sends and answers. Raises StartError for wrong texts or a missing secret."""
    settings = context.settings
    texts = load_texts(context.centre)
    if settings.lease_seconds < 3 * settings.send_seconds:
        raise StartError("NOTIFY_LEASE_SECONDS must be at least three times NOTIFY_SEND_SECONDS")
    gateways: dict[str, Gateway] = {
        "sms": _sms(settings, context.centre),
        "email": _mail(settings, context.centre),
    }
    recorder = Recorder(context)
    consumer = context.create_consumer(streams(texts))
    senders = {
        channel: Sender(
            channel,
            context,
            recorder,
            consumer,
            gateway=gateway,
            contacts=Contacts(
                url=settings.intake_url, key_file=settings.intake_key_file, seconds=settings.send_seconds
            ),
            texts=texts,
            lease=settings.lease,
        )
        for channel, gateway in gateways.items()
    }
    for channel, sender in senders.items():
        context.health.register(f"sender_{channel}", sender.reason_not_ready)

    async def prepare() -> None:
        if context.clock.is_simulated:
            await require_sinks(gateways, within_seconds=SINKS_SECONDS)

    return Parts(
        consumer,
        routers=[router(context, recorder, receipt_key=_secret(settings.receipt_key_file, "NOTIFY_RECEIPT_KEY_FILE"))],
        workers={f"sender_{channel}": sender.run for channel, sender in senders.items()},
        prepare=prepare,
    )


async def require_sinks(gateways: Mapping[str, Gateway], *, within_seconds: float) -> None:
    """Wait until every provider has said that it passes nothing on. Raises StartError for any other one, or none."""
    until = time.monotonic() + within_seconds
    for channel, gateway in gateways.items():
        while True:
            try:
                is_sink = await gateway.is_sink()
                break
            except OSError as error:
                if time.monotonic() > until:
                    raise StartError(f"the {channel} provider does not answer: {error}") from error
                await asyncio.sleep(0.2)
        if not is_sink:
            raise StartError(
                f"the {channel} provider is none of motcua's own sinks: a centre whose time is set plays a past, and "
                "nobody may get its messages"
            )


def _sms(settings: NotifySettings, centre: Centre) -> HttpSmsGateway:
    return HttpSmsGateway(
        url=settings.sms_url,
        key=_secret(settings.sms_key_file, "NOTIFY_SMS_KEY_FILE"),
        brand=centre.sms_brand,
        seconds=settings.send_seconds,
        can=Capabilities(
            idempotent=settings.sms_idempotent,
            status_query=settings.sms_status_query,
            settled_after=timedelta(seconds=settings.sms_settled_seconds),
            receipt_window=timedelta(seconds=settings.sms_receipt_window_seconds),
        ),
    )


def _mail(settings: NotifySettings, centre: Centre) -> SmtpGateway:
    return SmtpGateway(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=centre.email,
        seconds=settings.send_seconds,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=_secret(settings.smtp_password_file, "NOTIFY_SMTP_PASSWORD_FILE"),
        repeat_after=timedelta(seconds=settings.smtp_receipt_window_seconds),
    )


def _secret(file: Path | None, name: str) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StartError(f"{name}: {error}") from error
