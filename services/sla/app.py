"""Composition root of sla: creates its consumer, routes and workers."""

from functools import partial

from services.sla.calendars.api import routes as calendar_routes
from services.sla.calendars.handlers import start_calendar
from services.sla.calendars.in_force import follow
from services.sla.calendars.worker import Sweep
from services.sla.clocks.api import routes as clock_routes
from services.sla.clocks.handlers import ClockHandlers
from services.sla.clocks.store import CLOCKS, ClockRow, count_outdated, count_waiting
from services.sla.clocks.worker import Ticker
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.rules import DerivationRules, catalogue_digest
from services.sla.explanations.api import routes as explanation_routes
from services.sla.reports.api import routes as report_routes
from services.sla.settings import SlaSettings
from shared.contracts.topics import DOSSIERS
from shared.messaging.applier import Stream
from shared.postgres.gauges import keep_counted
from shared.runtime import metrics
from shared.service.process import Context, Parts

OUTDATED = metrics.gauge(
    "motcua_sla_outdated_clocks", "Open clocks not derived by the calendar in force yet, at the last count."
)
WAITING = metrics.gauge(
    "motcua_sla_waiting_dossiers", "Dossiers whose due date cannot be derived yet, at the last count."
)


async def build(context: Context[SlaSettings]) -> Parts:
    """Create sla's consumer, routes and workers and return them; they do not run yet. Commits.

    Starts the calendar first, because deadlines name its version. Raises StartError (see `start_calendar`).
    """
    rules = await load_rules(context)
    clocks = ClockHandlers(rules)
    consumer = context.create_consumer(create_streams(clocks))
    ticker = Ticker(context, clocks, consumer, tick_seconds=context.settings.tick_seconds)
    sweep = Sweep(context, clocks, tick_seconds=context.settings.tick_seconds)
    return Parts(
        consumer,
        routers=[clock_routes, explanation_routes, calendar_routes, report_routes],
        provides=[rules],
        workers={
            "ticker": ticker.worker,
            "sweep": sweep.worker,
            "waiting": keep_counted(WAITING, partial(count_waiting, context.pool)),
            "outdated": keep_counted(OUTDATED, partial(count_outdated, context.pool), every_seconds=15.0),
        },
    )


def create_streams(clocks: ClockHandlers) -> list[Stream[ClockRow]]:
    """Return the one topic that sla consumes, intake's dossier events, with the handler of each event type.

    In each transaction, the rules follow the calendar in the database after the rows are locked.
    """
    return [Stream(DOSSIERS, CLOCKS, clocks.by_event_type(), after_lock=partial(follow, clocks.rules))]


async def load_rules(context: Context) -> DerivationRules:
    """Return the rules in force: the configured catalogue and the calendar in the database. Commits.

    At the first start, the calendar is stored from the configuration and published before. Raises StartError (see
    `start_calendar`).
    """
    row = await start_calendar(context)
    calendar = compile_calendar(row.calendar_rules())
    return DerivationRules(context.centre, calendar, row.version, catalogue_digest(context.centre), row.versions())
