"""The composition root: the one file that knows every part of intake."""

from services.intake.api import BODIES, create_router
from services.intake.handlers import STREAMS
from services.intake.papers_api import create_papers_router
from services.intake.performing import Performer
from services.intake.settings import IntakeSettings
from shared.service.process import Context, Parts


async def build(context: Context[IntakeSettings]) -> Parts:
    """Intake consumes what routing and sla tell, and answers acts and reads."""
    routers = [create_router(context, Performer(context)), create_papers_router(context)]
    return Parts(context.create_consumer(STREAMS), routers=routers, body_rules=BODIES)
