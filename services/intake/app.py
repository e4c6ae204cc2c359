"""The composition root of intake."""

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
    """Intake consumes the events of routing and sla, and serves acts, reads and contact look-ups."""
    return Parts(
        context.create_consumer(STREAMS),
        routers=[dossiers_router, papers_router, contacts_router],
        provides=[Executor(context), HandOvers(context), PaperViews(context)],
        body_rules=BODIES,
    )
