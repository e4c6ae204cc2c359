"""What stands in a cell: instants with an offset or a zone, words of the mapping."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

FIRST_YEAR = 2000
"""No instant before it: intake takes none."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An aware instant, with a fixed offset. `twice`: its local time stood twice on the clock; this is the first."""

    at: datetime
    twice: bool = False


def moment(cell: str, zone: ZoneInfo | None) -> Moment:
    """The instant in a cell: ISO 8601, with an offset, or in the mapping's zone. Raises ValueError with a reason."""
    try:
        found = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise ValueError(f"{cell!r} is not an instant: expected is 2011-10-18T15:53:19+02:00") from None
    twice = False
    if found.tzinfo is None:
        if zone is None:
            raise ValueError(f"{cell!r} has no offset: name the log's zone in the mapping")
        first, second = (found.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first > second:  # PEP 495: so it is in the hour that the clocks leave out
            raise ValueError(f"{cell!r} never stood on the clocks of {zone.key}: they went forward over it")
        twice = first < second
        # an offset instead of the zone: instants of the doubled hour are equal to nothing in another zone (PEP 495)
        found = first.astimezone(timezone(first.astimezone(zone).utcoffset() or timedelta(0)))
    if found.year < FIRST_YEAR:
        raise ValueError(f"{cell!r} lies before {FIRST_YEAR}, which no centre takes")
    return Moment(found, twice)
