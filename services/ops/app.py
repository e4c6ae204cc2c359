"""Composition root of ops: creates its parts, connects them and runs them."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import structlog
from fastapi import FastAPI

from services.ops.lag.api import router as lag_router
from services.ops.lag.reader import LagReader
from services.ops.lag.sampler import Sampler
from services.ops.lag.store import GroupPartition
from services.ops.page.api import BODIES
from services.ops.page.api import router as page_router
from services.ops.page.renderer import PageRenderer
from services.ops.page.sessions import Sessions
from services.ops.settings import OpsSettings
from services.ops.views.api import router as views_router
from services.ops.views.changelog import ChangelogReader
from services.ops.views.clock import ViewClock
from services.ops.views.store import ViewStore
from services.ops.views.worker import GROUP, Worker
from shared.catalogue import load_centre
from shared.runtime.supervision import Part, stop_on_signals, supervise
from shared.service import openapi
from shared.service.health import Health
from shared.service.http import create_app
from shared.service.keys import KeyRing
from shared.service.process import http_part, tune_garbage_collection
from shared.service.provided import provide

log = structlog.get_logger(__name__)


def build(settings: OpsSettings) -> tuple[FastAPI, Mapping[str, Part]]:
    """Return the HTTP application of ops and the parts to supervise, which do not run yet.

    Raises StartError if the settings or the centre's files are invalid. Kafka and the database need not be available:
    `/readyz` names what is missing, and each part retries by itself.
    """
    centre = load_centre(settings.centre)
    store = ViewStore()
    worker = Worker(settings.kafka_bootstrap, member=settings.member)
    changelog = ChangelogReader(settings.kafka_bootstrap, store)

    def own_offsets() -> dict[GroupPartition, tuple[int, datetime]]:
        return {(GROUP, *place): position for place, position in store.positions().items()}

    def views_loaded() -> bool:
        has_positions = worker.reason_not_ready() is None or bool(store.positions())
        return has_positions and changelog.reason_not_ready() is None

    sampler = Sampler(LagReader(settings.kafka_bootstrap, settings.database_url), own_offsets)
    health = Health()
    health.register("views", worker.reason_not_ready)
    health.register("changelog", changelog.reason_not_ready)
    health.register("lag", sampler.reason_not_ready)

    keys = KeyRing(settings.keys_file)
    clock = ViewClock(store, settings.clock)
    app = create_app(
        "motcua ops",
        description=openapi.DESCRIPTIONS["ops"],
        health=health,
        keys=keys,
        catalogue_version=centre.catalogue_version,
        body_rules=BODIES,
    )
    renderer = PageRenderer(centre, store, sampler, now=clock.now, views_loaded=views_loaded)
    provide(app, [store, clock, sampler, renderer, keys, Sessions()])
    openapi.include_routers(app, [views_router, lag_router, page_router])
    # stopped in reverse order: first the sampler, which ends every page's stream, then HTTP, then the counting
    parts: dict[str, Part] = {
        "views": worker.run,
        "changelog": changelog.run,
        "http": http_part(app, settings),
        "lag": sampler.run,
    }
    return app, parts


async def run(settings: OpsSettings) -> None:
    """Build and run ops until SIGTERM or SIGINT. Raises StartError, or PartEndedError if a part ends by itself."""
    stop = asyncio.Event()
    with stop_on_signals(stop):
        _, parts = build(settings)
        tune_garbage_collection()
        log.info("service_started", service="ops", member=settings.member, port=settings.port)
        await supervise(parts, stop=stop, grace_seconds=settings.stop_seconds)
    log.info("service_stopped", service="ops", member=settings.member)
