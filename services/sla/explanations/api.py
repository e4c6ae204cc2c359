"""Route of explanations: the reasons for a dossier's due date."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.sla.calendars.in_force import calendar_of, follow
from services.sla.clocks import store
from services.sla.clocks.handlers import require_visible
from services.sla.explanations.handlers import explain_clock
from services.sla.explanations.schemas import ExplanationView, explanation_view
from services.sla.explanations.sentences import Lang
from services.sla.parameters import ClockReader, ProcessContext, Rules, scope_of
from shared.service.query import QueryInstant

routes = APIRouter()

AsKnownAt = Annotated[
    QueryInstant | None,
    Query(description="Explain by what was known then, without what became known or was recorded later."),
]
Language = Annotated[Lang, Query(description="The language of the sentences.")]


@routes.get("/dossiers/{dossier_id}/due-date/explanation")
async def explanation(
    who: ClockReader,
    context: ProcessContext,
    rules: Rules,
    dossier_id: UUID,
    as_known_at: AsKnownAt = None,
    lang: Language = "vi",
) -> ExplanationView:
    """Explain why a dossier is due when it is due: each day, pause and extension, as data and as sentences."""
    row = require_visible(await store.find_clock(context.pool, dossier_id), scope_of(who, context))
    await follow(rules, context.pool)
    calendar = await calendar_of(rules, row.calendar_version if row.has_ended else rules.calendar_version)
    found = await explain_clock(row, rules, calendar, as_known_at=as_known_at, now=context.clock.now())
    return explanation_view(found, lang)
