"""ops put together: the one file that knows every part of it."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import structlog
from fastapi import FastAPI

from services.ops.api import router
from services.ops.follower import Follower
from services.ops.page import routes
from services.ops.page.sessions import Sessions
from services.ops.sampler import Sampler
from services.ops.settings import OpsSettings
from services.ops.views import Views
from services.ops.watching import Watcher
from services.ops.worker import Worker
from shared.catalogue import load_centre
from shared.runtime.clock import machine_now
from shared.runtime.supervision import Part, stop_on_signals, supervise
from shared.service import openapi
from shared.service.health import Health
from shared.service.http import create_app
from shared.service.keys import KeyRing
from shared.service.process import http_part, tune_garbage_collection

log = structlog.get_logger()


def build(settings: OpsSettings) -> tuple[FastAPI, Mapping[str, Part]]:
    """The application and the parts that must be supervised. Raises StartError when it cannot start as configured.

    Neither Kafka nor the database need be there: what is missing, `/readyz` says, and it comes by itself.
    """
    centre = load_centre(settings.centre)
    views = Views()
    worker = Worker(settings.kafka_bootstrap, member=settings.member)
    follower = Follower(settings.kafka_bootstrap, views)
    sampler = Sampler(Watcher(settings.kafka_bootstrap, settings.database_url), views)
    health = Health()
    health.register("views", worker.reason_not_ready)
    health.register("follower", follower.reason_not_ready)
    health.register("lag", sampler.reason_not_ready)

    def now() -> datetime:
        return (views.latest if settings.clock == "simulated" else None) or machine_now()

    def begun() -> bool:
        counts = worker.reason_not_ready() is None or bool(views.positions())
        return counts and follower.reason_not_ready() is None

    keys = KeyRing(settings.keys_file)
    app = create_app(
        "motcua ops",
        description=openapi.DESCRIPTIONS["ops"],
        health=health,
        keys=keys,
        catalogue_version=centre.catalogue_version,
        body_rules=routes.BODIES,
    )
    page = routes.Page(centre, views, sampler, now=now, begun=begun)
    openapi.include_routers(app, [router(views, sampler, now=now), routes.router(page, sampler, keys, Sessions())])
    # stopped in reverse: first the looks, and with them every page's stream, then requests, then the counting
    parts: dict[str, Part] = {
        "views": worker.run,
        "follower": follower.run,
        "http": http_part(app, settings),
        "lag": sampler.run,
    }
    return app, parts


async def run(settings: OpsSettings) -> None:
    """Run until SIGTERM or SIGINT. Raises StartError, or PartEndedError when a part ends by itself."""
    stop = asyncio.Event()
    with stop_on_signals(stop):
        _, parts = build(settings)
        tune_garbage_collection()
        log.info("service_started", service="ops", member=settings.member, port=settings.port)
        await supervise(parts, stop=stop, grace_seconds=settings.stop_seconds)
    log.info("service_stopped", service="ops", member=settings.member)
