"""Parser of the instants in a log's cells: ISO 8601, with an offset of their own or in the log's time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

FIRST_YEAR = 2000
"""The first year whose instants intake accepts."""


@dataclass(frozen=True, slots=True)
class ParsedInstant:
    """An aware instant, with a fixed offset.

    `ambiguous`: the cell's local time occurs twice, at the end of summer time; `at` is the first of the two instants.
    """

    at: datetime
    ambiguous: bool = False


def parse_instant(cell: str, zone: ZoneInfo | None) -> ParsedInstant:
    """Parse an ISO 8601 instant; `zone` is for one without an offset.

    Raises ValueError, with a text for the user, if it cannot be parsed, has no offset while `zone` is None, does not
    exist in `zone`, or is before 2000.
    """
    try:
        found = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise ValueError(f"{cell!r} is not an instant such as 2011-10-18T15:53:19+02:00.") from None
    ambiguous = False
    if found.tzinfo is None:
        if zone is None:
            raise ValueError(f"{cell!r} has no offset. Add the log's zone to the mapping.")
        first, second = (found.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first > second:  # PEP 495: in the hour that the change to summer time leaves out
            raise ValueError(f"{cell!r} does not exist in {zone.key}: the change to summer time leaves it out.")
        ambiguous = first < second
        # an offset instead of the zone: instants of the repeated hour are equal to nothing in another zone (PEP 495)
        found = first.astimezone(timezone(first.astimezone(zone).utcoffset() or timedelta(0)))
    if found.year < FIRST_YEAR:
        raise ValueError(f"{cell!r} is before {FIRST_YEAR}, the first year that a centre accepts.")
    return ParsedInstant(found, ambiguous)
