"""The composition root of routing: builds its parts and connects them."""

from functools import partial
from typing import Any

from services.routing.assignments.api import router as assignments
from services.routing.assignments.handlers import AssignmentHandlers
from services.routing.assignments.store import DOSSIERS, count_waiting
from services.routing.assignments.worker import assign_waiting
from services.routing.counters.api import router as counters
from services.routing.counters.worker import compute_peak_use
from services.routing.general_counter.api import router as general_counter
from services.routing.general_counter.handlers import DecisionSigner, start_general_counter
from services.routing.general_counter.store import SignedDecisions
from services.routing.general_counter.worker import WeekCloser
from services.routing.settings import RoutingSettings
from shared.contracts.calendars import CalendarPublishedV1
from shared.contracts.topics import CALENDARS as CALENDARS_TOPIC
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.messaging.applier import Stream
from shared.postgres.gauges import keep_counted
from shared.postgres.published_calendars import CALENDARS, PublishedCalendar, on_calendar_published
from shared.runtime import metrics
from shared.service.process import Context, Parts

WAITING = metrics.gauge("motcua_routing_waiting_dossiers", "Open dossiers without an assignment, at the last count.")
WEEKS_LATE = metrics.gauge("motcua_routing_weeks_late", "Weeks that could be closed and are open, at the last count.")
PEAK_USE = metrics.gauge(
    "motcua_routing_general_counter_peak_use",
    "Highest use of the general counter in an hour of the next seven days: expected work as a share of officers' time.",
)


async def build(context: Context[RoutingSettings]) -> Parts:
    """Build the consumer, the routes and the workers of routing, without starting them.

    At the first start, stores the decisions of receiving.csv and commits. Raises StartError if receiving.csv was edited
    later, or if no counter receives for some department.
    """
    await start_general_counter(context)
    signed = SignedDecisions()
    await signed.refresh(context.pool)
    calendar = PublishedCalendar(context.centre.calendar.name)
    handlers = AssignmentHandlers(context.centre, signed)
    consumer = context.create_consumer(create_streams(handlers))
    closer = WeekCloser(context, calendar, consumer)

    async def prepare() -> None:
        await assign_waiting(context, handlers)

    return Parts(
        consumer,
        routers=[assignments, general_counter, counters],
        provides=[signed, calendar, closer, DecisionSigner(context, calendar)],
        workers={
            "waiting": keep_counted(WAITING, partial(count_waiting, context.pool)),
            "weeks": closer.worker,
            "weeks_late": keep_counted(WEEKS_LATE, closer.count_late),
            "peak_use": keep_counted(
                PEAK_USE, partial(compute_peak_use, context, signed, calendar), every_seconds=600.0
            ),
        },
        prepare=prepare,
    )


def create_streams(handlers: AssignmentHandlers) -> list[Stream[Any]]:
    """The topics that routing consumes, each with its table and the handlers of its event types."""
    return [
        Stream(DOSSIERS_TOPIC, DOSSIERS, handlers.by_event(), after_lock=handlers.signed.refresh_locked),
        Stream(CALENDARS_TOPIC, CALENDARS, {CalendarPublishedV1: on_calendar_published}),
    ]
