"""Routing put together: the one file that knows every part of it."""

from functools import partial

from services.routing.api import router
from services.routing.handlers import Routing
from services.routing.store import DOSSIERS, count_waiting
from services.routing.waiting import decide_waiting
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.messaging.applying import Stream
from shared.messaging.service import Context, Parts
from shared.postgres.counting import keep_counted
from shared.runtime import metrics

WAITING = metrics.gauge("motcua_routing_waiting_dossiers", "Open dossiers without a receiving place, as last counted.")


async def build(context: Context) -> Parts:
    """What routing consumes and answers."""
    routing = Routing(context.centre)

    async def prepare() -> None:
        await decide_waiting(context, routing)

    return Parts(
        streams=[Stream(DOSSIERS_TOPIC, DOSSIERS, routing.handlers())],
        routers=[router(context)],
        workers={"waiting": keep_counted(WAITING, partial(count_waiting, context.pool))},
        prepare=prepare,
    )
