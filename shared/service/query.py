"""Types of query parameters that several services use."""

import re
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator

_INSTANT_START = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII | re.IGNORECASE)
_LOST_PLUS = re.compile(r".* \d\d:?\d\d", re.ASCII)


def _require_instant(value: object) -> object:
    """Return `value` unchanged. Raises ValueError for a text that does not begin as date and time.

    Without this check, pydantic would also read a number as seconds since 1970.
    """
    if isinstance(value, str) and not _INSTANT_START.match(value):
        raise ValueError("write an instant as YYYY-MM-DDTHH:MM:SS with an offset, Z or +07:00 (write + as %2B)")
    if isinstance(value, str) and _LOST_PLUS.fullmatch(value):
        raise ValueError("a + in an address means a space: write the + of the offset as %2B")
    return value


QueryInstant = Annotated[AwareDatetime, BeforeValidator(_require_instant)]
"""An instant with its offset, such as 2017-11-06T07:00:00+07:00."""
