"""SQL of the counters' load: dossiers received by hour."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from services.routing.domain.load import Arrivals
from shared.kernel.worktime import midnight
from shared.postgres.pool import Connection

_BY_HOUR = """
select named_department, procedure, day, hour, count(*) as dossiers from (
    select named_department, procedure, (received_at at time zone $1)::date as day,
        extract(hour from received_at at time zone $1)::int as hour
    from unnest($2::timestamptz[], $3::timestamptz[]) as days (start, until)
    join dossiers on received_at >= start and received_at < until and channel = any($4::text[])
) as received
group by 1, 2, 3, 4
"""


async def count_arrivals_by_hour(
    connection: "Connection | asyncpg.Pool", zone: ZoneInfo, days: Sequence[date], channels: Sequence[str]
) -> list[Arrivals]:
    """Count the dossiers received by these channels on these local dates, by department, procedure, day and hour."""
    starts = [midnight(day, zone) for day in days]
    ends = [midnight(day + timedelta(days=1), zone) for day in days]
    rows = await connection.fetch(_BY_HOUR, zone.key, starts, ends, list(channels))
    return [
        Arrivals(row["named_department"], row["procedure"], row["day"], row["hour"], row["dossiers"]) for row in rows
    ]


_BY_PLACE = """
select receiving_place, named_department, extract(hour from received_at at time zone $1)::int as hour,
    count(*) as dossiers
from dossiers where received_at >= $2 and received_at < $3 and channel = any($4::text[]) and receiving_place is not null
group by 1, 2, 3
"""


async def count_arrivals_by_place(
    connection: "Connection | asyncpg.Pool", zone: ZoneInfo, start: datetime, end: datetime, channels: Sequence[str]
) -> dict[str | None, dict[int, int]]:
    """Count the dossiers received by these channels from `start` to just before `end`, by receiving place and hour.

    The receiving place is the one to which a dossier was assigned: a department's code, or None for the general
    counter. Dossiers without an assignment are not counted.
    """
    found: dict[str | None, dict[int, int]] = {}
    for row in await connection.fetch(_BY_PLACE, zone.key, start, end, list(channels)):
        place = None if row["receiving_place"] == "general" else row["named_department"]
        hours = found.setdefault(place, {})
        hours[row["hour"]] = hours.get(row["hour"], 0) + row["dossiers"]
    return found
