"""Route of the report of honest pauses."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.sla.calendars.in_force import follow
from services.sla.parameters import Department, LocalDate, ProcessContext, Rules, require_department, scope_of
from services.sla.reports.handlers import ReportQuery, report_honest_pauses
from services.sla.reports.schemas import HonestPauses
from shared.kernel.errors import InvalidContentError
from shared.service.keys import Principal, require

routes = APIRouter()

Hours = Annotated[int, Query(ge=0, le=2000)]


@routes.get("/reports/honest-pauses")
async def honest_pauses(
    who: Annotated[Principal, Depends(require("leader", "auditor", "officer"))],
    context: ProcessContext,
    rules: Rules,
    first: Annotated[LocalDate, Query(description="The first local date, YYYY-MM-DD.")],
    last: Annotated[LocalDate, Query(description="The last local date, YYYY-MM-DD.")],
    near_hours: Hours = 8,
    patience_hours: Hours = 8,
    department: Department = None,
) -> HonestPauses:
    """Return the pauses and settlements to check that began from `first` to `last`, with counts by department.

    These are pauses begun within `near_hours` of working time before the due date, pauses beyond the centre's ceiling,
    and settlements without a result after `patience_hours` of working time.
    """
    if last < first:
        raise InvalidContentError(f"last ({last}) is before first ({first}).", pointer="/query/last")
    limited_to = scope_of(who, context).department(department)
    require_department(limited_to, context.centre)
    await follow(rules, context.pool)
    query = ReportQuery(first, last, near_hours, patience_hours, limited_to)
    return await report_honest_pauses(context.pool, rules, query, context.clock.now())
