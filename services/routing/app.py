"""Routing put together: the one file that knows every part of it."""

from functools import partial

from services.routing import counter
from services.routing.api import router
from services.routing.counter_api import router as counter_router
from services.routing.counters_api import peak_use
from services.routing.counters_api import router as counters_router
from services.routing.domain.decisions import Decisions
from services.routing.handlers import Routing
from services.routing.settings import RoutingSettings
from services.routing.store import DOSSIERS, count_waiting
from services.routing.waiting import decide_waiting
from services.routing.weeks import Weeks
from shared.contracts.calendars import CalendarPublishedV1
from shared.contracts.topics import CALENDARS as CALENDARS_TOPIC
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.messaging.applier import Stream
from shared.postgres.gauges import keep_counted
from shared.postgres.published_calendars import CALENDARS, PublishedCalendar, on_calendar_published
from shared.runtime import metrics
from shared.service.process import Context, Parts

WAITING = metrics.gauge("motcua_routing_waiting_dossiers", "Open dossiers without a receiving place, as last counted.")


WEEKS_LATE = metrics.gauge(
    "motcua_routing_weeks_late", "Weeks that could be closed by now and are not, as last counted."
)
PEAK_USE = metrics.gauge(
    "motcua_routing_general_counter_peak_use",
    "The general counter's fullest hour of the coming seven days: work expected, as a share of its officers' time.",
)


async def build(context: Context[RoutingSettings]) -> Parts:
    """What routing consumes and answers, and what weeks bring."""
    await counter.begin(context)
    routing = Routing(context.centre, Decisions())
    await counter.follow(routing, context.pool)
    calendar = PublishedCalendar(context.centre.calendar.name)
    consumer = context.create_consumer(
        [
            Stream(
                DOSSIERS_TOPIC, DOSSIERS, routing.handlers(), after_lock=partial(counter.follow_for_dossiers, routing)
            ),
            Stream(CALENDARS_TOPIC, CALENDARS, {CalendarPublishedV1: on_calendar_published}),
        ]
    )
    weeks = Weeks(context, calendar, consumer)

    async def prepare() -> None:
        await decide_waiting(context, routing)

    return Parts(
        consumer,
        routers=[
            router(context, routing),
            counter_router(context, routing, weeks, calendar),
            counters_router(context, routing, calendar),
        ],
        workers={
            "waiting": keep_counted(WAITING, partial(count_waiting, context.pool)),
            "weeks": weeks.run,
            "weeks_late": keep_counted(WEEKS_LATE, weeks.late),
            "peak_use": keep_counted(PEAK_USE, partial(peak_use, context, routing, calendar), every_seconds=600.0),
        },
        prepare=prepare,
    )
