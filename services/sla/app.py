"""Sla put together: the one file that knows every part of it."""

import hashlib
from functools import partial

from services.sla import calendars
from services.sla.api import router
from services.sla.domain.calendar import compile_calendar
from services.sla.handlers import Clocks
from services.sla.honesty_api import router as honesty_router
from services.sla.proposals_api import router as proposals_router
from services.sla.settings import SlaSettings
from services.sla.store import DOSSIERS, count_outdated, count_waiting
from services.sla.sweep import Sweep
from services.sla.ticker import Ticker
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.centre import Centre
from shared.messaging.applier import Stream
from shared.postgres.gauges import keep_counted
from shared.runtime import metrics
from shared.service.process import Context, Parts

OUTDATED = metrics.gauge(
    "motcua_sla_outdated_clocks", "Open clocks still to be derived by the calendar in force, as last counted."
)
WAITING = metrics.gauge("motcua_sla_waiting_dossiers", "Dossiers whose due date cannot be derived, as last counted.")


async def build(context: Context[SlaSettings]) -> Parts:
    """What sla consumes, answers, and what time starts. Publishes the calendar first: due dates name its version."""
    clocks = await clocks_of(context)
    consumer = context.create_consumer(
        [Stream(DOSSIERS_TOPIC, DOSSIERS, clocks.handlers(), after_lock=partial(calendars.follow, clocks))]
    )
    ticker = Ticker(context, clocks, consumer, tick_seconds=context.settings.tick_seconds)
    sweep = Sweep(context, clocks, tick_seconds=context.settings.tick_seconds)
    context.health.register("ticker", ticker.reason_not_ready)
    return Parts(
        consumer,
        routers=[router(context, clocks), proposals_router(context, clocks), honesty_router(context, clocks)],
        workers={
            "ticker": ticker.run,
            "sweep": sweep.run,
            "waiting": keep_counted(WAITING, partial(count_waiting, context.pool)),
            "outdated": keep_counted(OUTDATED, partial(count_outdated, context.pool), every_seconds=15.0),
        },
    )


async def clocks_of(context: Context) -> Clocks:
    """The rules by which this process decides: the configured catalogue, and the calendar that sla keeps."""
    row = await calendars.begin(context)
    assert row.rules is not None  # it has begun
    calendar = compile_calendar(calendars.from_document(row.rules))
    return Clocks(context.centre, calendar, row.version, rules_of(context.centre), calendars.versions_of(row.history))


def rules_of(centre: Centre) -> str:
    """A name for what clocks are derived by beside the calendar: other terms, steps or thresholds give another one."""
    terms = {
        code: [(row.valid_from, row.valid_to, row.term) for row in rows] for code, rows in centre.procedures.items()
    }
    parts = (sorted(terms.items()), sorted(centre.steps.items()), centre.all_thresholds)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
