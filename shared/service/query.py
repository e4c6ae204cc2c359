"""What requests write into the query of their address."""

import re
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

_BEGINS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII | re.IGNORECASE)
_LOST_PLUS = re.compile(r".* \d\d:?\d\d", re.ASCII)


def _is_instant(value: object) -> object:
    """Only date, time and offset: the framework would also read a number as seconds since 1970."""
    if isinstance(value, str) and not _BEGINS.match(value):
        raise ValueError("write an instant as YYYY-MM-DDTHH:MM:SS with its offset, Z or +07:00 (its + as %2B)")
    if isinstance(value, str) and _LOST_PLUS.fullmatch(value):
        raise ValueError("a + in an address is read as a space: write the offset's + as %2B")
    return value


QueryInstant = Annotated[AwareDatetime, BeforeValidator(_is_instant)]
"""An instant with its offset, such as 2017-11-06T07:00:00+07:00."""
