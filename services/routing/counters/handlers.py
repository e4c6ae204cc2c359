"""The load of every receiving place on a date, from past weeks, today's arrivals and the signed decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.routing.counters.store import count_arrivals_by_hour, count_arrivals_by_place
from services.routing.domain.load import PlaceLoad, place_load
from services.routing.general_counter.store import SignedDecisions, list_proposals, read_counted_from
from shared.kernel.weeks import WEEK
from shared.kernel.worktime import Worktime, midnight
from shared.service.process import Context

SAMPLE_WEEKS = 8
_PAPER_CHANNELS = ("counter", "post")
"""The channels whose dossiers need an officer at a counter, if no pooling rule of the centre names them."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CentreLoad:
    """The load of every receiving place, the general counter first.

    `sample_days` are the past days from which the expected dossiers were computed, oldest first.
    """

    sample_days: list[date]
    places: list[PlaceLoad]


async def compute_load(
    context: Context,
    signed: SignedDecisions,
    worktime: Worktime,
    on: date,
    *,
    weeks: int = SAMPLE_WEEKS,
    with_proposals: bool = False,
) -> CentreLoad:
    """Compute the load of every receiving place on the date `on`, which the calendar must cover. Stores nothing.

    The expected dossiers are the mean of up to `weeks` past working days of the same weekday. With `with_proposals`,
    the open proposals count as if they were in force.
    """
    centre, pool = context.centre, context.pool
    decisions = await signed.refresh(pool)
    pooled = {row.code for row in centre.departments_on(on) if decisions.pooling(row.code, on) is not None}
    if with_proposals:
        for proposal in await list_proposals(pool, state="proposed"):
            (pooled.add if proposal.receiving == "general" else pooled.discard)(proposal.department)
    today = centre.local_date(context.clock.now())
    days = _sample_days(worktime, on, today, await read_counted_from(pool) or today, weeks)
    rule = centre.pooling_rule(on)
    channels: Sequence[str] = _PAPER_CHANNELS if rule is None else rule.channels
    past = await count_arrivals_by_hour(pool, centre.zone, days, channels) if days else []
    arrived = await count_arrivals_by_place(
        pool, centre.zone, midnight(on, centre.zone), midnight(on + _DAY, centre.zone), channels
    )
    places: list[tuple[str | None, list[str]]] = [(None, sorted(pooled))]
    places += [(row.code, [row.code]) for row in centre.departments_on(on) if row.code not in pooled]
    return CentreLoad(
        sorted(days),
        [
            place_load(
                centre,
                worktime,
                on,
                department=department,
                receives_for=receives_for,
                past=past,
                sample_days=len(days) or 1,
                today=arrived.get(department, {}),
            )
            for department, receives_for in places
        ],
    )


def _sample_days(worktime: Worktime, on: date, today: date, counted_from: date, weeks: int) -> list[date]:
    """Up to `weeks` working days with the weekday of `on`, before both `on` and today, newest first.

    No day before `counted_from`, the first day whose dossiers are counted.
    """
    latest = min(on, today)
    first = (on - latest).days // 7
    same_weekday = [on - n * WEEK for n in range(first, first + weeks + 1)]
    return [day for day in same_weekday if counted_from <= day < latest and is_worked(worktime, day)][:weeks]


def is_worked(worktime: Worktime, day: date) -> bool:
    """Whether the day is a working day; false for a day that the calendar does not cover."""
    return worktime.first_date <= day <= worktime.last_date and worktime.is_working_day(day)
