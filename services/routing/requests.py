"""Parameters and dependencies that the routes of several features share."""

import re
from datetime import date
from typing import Annotated

from fastapi import Depends, Path
from pydantic import BeforeValidator, Field

from shared.postgres.published_calendars import PublishedCalendar
from shared.service.http import Body
from shared.service.process import Context
from shared.service.provided import provided


def _local_date(value: object) -> object:
    """Return `value` unchanged; raise ValueError for a text that is not YYYY-MM-DD.

    Without this check, pydantic would also read a number, as seconds since 1970.
    """
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("write a date as YYYY-MM-DD")
    return value


LocalDate = Annotated[date, BeforeValidator(_local_date)]
Code = Annotated[str, Field(min_length=1, max_length=40)]
DepartmentCode = Annotated[str, Path(min_length=1, max_length=40)]

ServiceContext = Annotated[Context, Depends(provided(Context))]
Calendar = Annotated[PublishedCalendar, Depends(provided(PublishedCalendar))]


async def today(context: ServiceContext) -> date:
    """FastAPI dependency: the present local date of the centre, by centre time."""
    return context.centre.local_date(context.clock.now())


Today = Annotated[date, Depends(today)]


class OnQuery(Body):
    """The local date `on` for which the answer holds; None means today."""

    on: LocalDate | None = None
