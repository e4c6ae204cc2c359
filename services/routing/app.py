"""Routing put together: the one file that knows every part of it."""

from services.routing.api import router
from services.routing.handlers import Routing
from services.routing.store import DOSSIERS
from services.routing.waiting import decide_waiting
from shared.contracts.topics import DOSSIERS as DOSSIERS_TOPIC
from shared.messaging.applying import Stream
from shared.messaging.service import Context, Parts


async def build(context: Context) -> Parts:
    """What routing consumes and answers."""
    routing = Routing(context.centre)

    async def prepare() -> None:
        await decide_waiting(context, routing)

    return Parts(
        streams=[Stream(DOSSIERS_TOPIC, DOSSIERS, routing.handlers())],
        routers=[router(context)],
        prepare=prepare,
    )
