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
    """Accept only YYYY-MM-DD: the framework also reads a number, as seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("write a date as YYYY-MM-DD")
    return value


LocalDate = Annotated[date, BeforeValidator(_local_date)]
Code = Annotated[str, Field(min_length=1, max_length=40)]
DepartmentCode = Annotated[str, Path(min_length=1, max_length=40)]

ServiceContext = Annotated[Context, Depends(provided(Context))]
Calendar = Annotated[PublishedCalendar, Depends(provided(PublishedCalendar))]


async def today(context: ServiceContext) -> date:
    """FastAPI dependency: the centre's local date."""
    return context.centre.local_date(context.clock.now())


Today = Annotated[date, Depends(today)]


class OnQuery(Body):
    """The local date of the answer; today by default."""

    on: LocalDate | None = None
