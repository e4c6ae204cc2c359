"""The composition root of intake: creates its parts and connects them."""

from services.intake.contacts.api import router as contacts_router
from services.intake.dossiers.api import BODIES
from services.intake.dossiers.api import router as dossiers_router
from services.intake.dossiers.executor import Executor
from services.intake.dossiers.handlers import STREAMS
from services.intake.papers.api import router as papers_router
from services.intake.papers.handlers import HandOvers
from services.intake.papers.views import PaperViews
from services.intake.settings import IntakeSettings
from shared.service.process import Context, Parts


async def build(context: Context[IntakeSettings]) -> Parts:
    """Create the parts of intake without starting them.

    These are the consumer of routing's and sla's events, the HTTP routers, and the objects that the routes use.
    """
    return Parts(
        context.create_consumer(STREAMS),
        routers=[dossiers_router, papers_router, contacts_router],
        provides=[Executor(context), HandOvers(context), PaperViews(context)],
        body_rules=BODIES,
    )
