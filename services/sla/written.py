"""Dates and times of day as requests write them."""

import re
from collections.abc import Callable
from datetime import date, time
from typing import Annotated

from pydantic import BeforeValidator


def _written(form: str, refusal: str) -> Callable[[object], object]:
    """Only that form: the framework would also read numbers as seconds, and instants as dates."""
    pattern = re.compile(form, re.ASCII)

    def check(value: object) -> object:
        if not (isinstance(value, str) and pattern.fullmatch(value)):
            raise ValueError(refusal)
        return value

    return check


Day = Annotated[date, BeforeValidator(_written(r"\d{4}-\d\d-\d\d", "write a date as YYYY-MM-DD"))]
LocalTime = Annotated[
    time, BeforeValidator(_written(r"\d\d:\d\d(:\d\d)?", "write a time of day as HH:MM, or HH:MM:SS"))
]
