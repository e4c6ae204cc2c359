"""The composition root of notify: creates its parts and connects them."""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from services.notify.domain.delivery import Capabilities
from services.notify.planning.streams import create_streams
from services.notify.receipts.api import ReceiptKey, router
from services.notify.sending.contacts import ContactLookup
from services.notify.sending.gateways import Gateway
from services.notify.sending.gateways.mail import SmtpGateway
from services.notify.sending.gateways.sms import HttpSmsGateway
from services.notify.sending.group_commit import GroupCommit
from services.notify.sending.worker import Sender
from services.notify.settings import NotifySettings
from services.notify.texts import load_texts
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.service.process import Context, Parts

SINKS_SECONDS = 30.0
"""How long the providers of a centre with a simulated clock may take to start."""


async def build(context: Context[NotifySettings]) -> Parts:
    """Create the parts of notify, which the process then runs: consumer, routes and one sender per channel.

    Raises StartError for invalid texts, a lease that is too short or an unreadable file of a key or password.
    """
    settings = context.settings
    texts = load_texts(context.centre)
    if settings.lease_seconds < 3 * settings.send_seconds:
        raise StartError("NOTIFY_LEASE_SECONDS must be at least three times NOTIFY_SEND_SECONDS.")
    gateways: dict[str, Gateway] = {
        "sms": _create_sms_gateway(settings, context.centre),
        "email": _create_mail_gateway(settings, context.centre),
    }
    group_commit = GroupCommit(context)
    consumer = context.create_consumer(create_streams(texts))
    senders = {
        channel: Sender(
            channel,
            context,
            group_commit,
            consumer,
            gateway=gateway,
            contacts=ContactLookup(
                url=settings.intake_url, key_file=settings.intake_key_file, seconds=settings.send_seconds
            ),
            texts=texts,
            lease=settings.lease,
        )
        for channel, gateway in gateways.items()
    }

    async def prepare() -> None:
        if context.clock.is_simulated:
            await require_sinks(gateways, within_seconds=SINKS_SECONDS)

    return Parts(
        consumer,
        routers=[router],
        provides=[group_commit, ReceiptKey(_read_secret(settings.receipt_key_file, "NOTIFY_RECEIPT_KEY_FILE"))],
        workers={f"sender_{channel}": sender for channel, sender in senders.items()},
        prepare=prepare,
    )


async def require_sinks(gateways: Mapping[str, Gateway], *, within_seconds: float) -> None:
    """Wait until the provider of every channel has identified itself as a sink, which delivers nothing.

    Raises StartError for a provider that is not a sink, and if a provider does not answer within `within_seconds`.
    """
    until = time.monotonic() + within_seconds
    for channel, gateway in gateways.items():
        while True:
            try:
                is_sink = await gateway.is_sink()
                break
            except OSError as error:
                if time.monotonic() > until:
                    raise StartError(f"The {channel} provider does not answer: {error}") from error
                await asyncio.sleep(0.2)
        if not is_sink:
            raise StartError(
                f"The {channel} provider is not one of motcua's own sinks. A centre with a simulated clock replays the "
                "past and must not send messages to anyone. Configure a sink."
            )


def _create_sms_gateway(settings: NotifySettings, centre: Centre) -> HttpSmsGateway:
    return HttpSmsGateway(
        url=settings.sms_url,
        key=_read_secret(settings.sms_key_file, "NOTIFY_SMS_KEY_FILE"),
        brand=centre.sms_brand,
        seconds=settings.send_seconds,
        capabilities=Capabilities(
            idempotent=settings.sms_idempotent,
            status_query=settings.sms_status_query,
            settled_after=timedelta(seconds=settings.sms_settled_seconds),
            receipt_window=timedelta(seconds=settings.sms_receipt_window_seconds),
        ),
    )


def _create_mail_gateway(settings: NotifySettings, centre: Centre) -> SmtpGateway:
    return SmtpGateway(
        host=settings.smtp_host,
        port=settings.smtp_port,
        sender=centre.email,
        seconds=settings.send_seconds,
        tls=settings.smtp_tls,
        user=settings.smtp_user,
        password=_read_secret(settings.smtp_password_file, "NOTIFY_SMTP_PASSWORD_FILE"),
        receipt_window=timedelta(seconds=settings.smtp_receipt_window_seconds),
    )


def _read_secret(file: Path | None, name: str) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StartError(f"{name}: {error}") from error
