"""When a week can get no dossier any more. Pure."""

from datetime import date, datetime, timedelta

from shared.kernel.centre import Centre
from shared.kernel.weeks import WEEK
from shared.kernel.worktime import OutsideCalendarError, Worktime, midnight

_DAY = timedelta(days=1)


def closes_at(week: date, centre: Centre, worktime: Worktime, standard_day: timedelta) -> datetime | None:
    """The last instant at which intake takes an act dated into the week that begins on that Monday: it closes right
    after. None beyond the calendar.

    An act may be dated back by `max_backdate` of working time, and none passes between a day's close and the next
    opening; so with one day it is Tuesday's opening. Where a decision raises it before that, the larger counts.
    """
    ends = midnight(week + WEEK, worktime.zone)
    days, found = -1, None
    largest = centre.thresholds(week + WEEK).max_backdate_working_days
    try:
        while largest > days:
            days = largest
            found = worktime.from_opening(worktime.add(ends, days * standard_day))
            last = worktime.local_date(found)
            until = [week + WEEK + n * _DAY for n in range((last - week - WEEK).days + 1)]
            largest = max(centre.thresholds(day).max_backdate_working_days for day in until)
    except OutsideCalendarError:
        return None
    return found
