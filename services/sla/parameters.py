"""Parameters that the routes of several features share: the process's objects, callers, dates and departments."""

import re
from collections.abc import Callable
from datetime import date, time
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BeforeValidator

from services.sla.domain.rules import DerivationRules
from shared.kernel.centre import Centre
from shared.kernel.errors import InvalidContentError
from shared.service.keys import Principal, require
from shared.service.process import Context
from shared.service.provided import provided
from shared.service.scope import Scope

ProcessContext = Annotated[Context, Depends(provided(Context))]
Rules = Annotated[DerivationRules, Depends(provided(DerivationRules))]
ClockReader = Annotated[Principal, Depends(require("clerk", "officer", "leader", "ops", "auditor", "service"))]
Department = Annotated[str | None, Query(min_length=1, max_length=40, description="Only this department's dossiers.")]


def _in_form(form: str, fault: str) -> Callable[[object], object]:
    """Return a validator that accepts only text which matches `form`, and raises ValueError with `fault` otherwise.

    Without it, pydantic would also read numbers as seconds, and instants as dates.
    """
    pattern = re.compile(form, re.ASCII)

    def check(value: object) -> object:
        if not (isinstance(value, str) and pattern.fullmatch(value)):
            raise ValueError(fault)
        return value

    return check


LocalDate = Annotated[date, BeforeValidator(_in_form(r"\d{4}-\d\d-\d\d", "write a date as YYYY-MM-DD"))]
LocalTime = Annotated[
    time, BeforeValidator(_in_form(r"\d\d:\d\d(:\d\d)?", "write a time of day as HH:MM, or HH:MM:SS"))
]


def scope_of(who: Principal, context: Context) -> Scope:
    """Return which dossiers the caller may see, by the local date of the centre's time."""
    # in sla, as in intake, a clerk of any counter reads every dossier's clock
    return Scope(
        who.actor,
        context.centre,
        context.centre.local_date(context.clock.now()),
        clerks_see_every_department=True,
    )


def require_department(department: str | None, centre: Centre) -> None:
    """Raise InvalidContentError for a department that the centre never had; None means all departments.

    A department that no longer exists is accepted: its dossiers may still be open.
    """
    if department is not None and department not in centre.departments:
        detail = f"{department!r} is not a department of this centre."
        raise InvalidContentError(detail, allowed=sorted(centre.departments), pointer="/query/department")
