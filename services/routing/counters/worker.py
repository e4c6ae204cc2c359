"""The value of the gauge of the general counter's peak use."""

from datetime import timedelta

from services.routing.counters.handlers import compute_load, is_worked
from services.routing.general_counter.store import SignedDecisions
from shared.postgres.published_calendars import PublishedCalendar
from shared.service.process import Context

_DAYS = 7


async def compute_peak_use(context: Context, signed: SignedDecisions, calendar: PublishedCalendar) -> float:
    """Compute the highest use of the general counter in any hour of seven days, today included. Sets no gauge.

    Use is the share of the general counter's officer minutes that the expected work takes. 0 if no calendar was
    consumed yet, or if the general counter is not open on these days.
    """
    found = await calendar.read(context.pool)
    if found is None:
        return 0.0
    today = context.centre.local_date(context.clock.now())
    days = [day for day in (today + timedelta(days=n) for n in range(_DAYS)) if is_worked(found.worktime, day)]
    peaks = [(await compute_load(context, signed, found.worktime, day)).places[0].peak for day in days]
    return max((round(peak.use, 3) for peak in peaks if peak is not None and peak.use is not None), default=0.0)
