"""Sla put together: the one file that knows every part of it."""

import hashlib
from functools import partial

from services.sla import calendars
from services.sla.api import router
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.handlers import Clocks
from services.sla.store import DOSSIERS, count_waiting
from services.sla.ticker import Ticker
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.kernel.centre import Centre
from shared.messaging.applying import Stream
from shared.messaging.service import Context, Parts
from shared.postgres.counting import keep_counted
from shared.runtime import metrics

WAITING = metrics.gauge("motcua_sla_waiting_dossiers", "Dossiers whose due date cannot be derived, as last counted.")


async def build(context: Context) -> Parts:
    """What sla consumes, answers, and what time starts. Publishes the calendar first: due dates name its version."""
    clocks = await clocks_of(context)
    ticker = Ticker(context, clocks, tick_seconds=context.settings.tick_seconds)
    context.health.register("ticker", ticker.reason_not_ready)
    return Parts(
        streams=[Stream(DOSSIERS_TOPIC, DOSSIERS, clocks.handlers())],
        routers=[router(context, clocks)],
        workers={"ticker": ticker.run, "waiting": keep_counted(WAITING, partial(count_waiting, context.pool))},
    )


async def clocks_of(context: Context) -> Clocks:
    """The rules by which this process decides, their calendar published."""
    calendar = compile_calendar(context.centre.calendar)
    version = await calendars.publish(context, calendar)
    return Clocks(context.centre, calendar, version, rules_of(context.centre, calendar))


def rules_of(centre: Centre, calendar: Calendar) -> str:
    """A name for everything that due dates follow from: other terms, thresholds or calendar give another one."""
    terms = {
        code: [(row.valid_from, row.valid_to, row.term) for row in rows] for code, rows in centre.procedures.items()
    }
    parts = (sorted(terms.items()), centre.all_thresholds, calendars.digest_of(calendar))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
