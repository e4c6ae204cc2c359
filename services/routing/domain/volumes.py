"""Weekly volumes of a department, and the instant at which a week can be closed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from shared.kernel.centre import Centre, PoolingRule
from shared.kernel.weeks import WEEK
from shared.kernel.worktime import OutsideCalendarError, Worktime, midnight

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Week:
    """A department's week from Monday `start` to Sunday: the dossiers received and the working days."""

    start: date
    dossiers: int
    working_days: int

    def volume(self, rule: PoolingRule) -> Fraction:
        """Dossiers, scaled to a full week. Raises ZeroDivisionError for a week without working days."""
        return Fraction(self.dossiers * rule.full_week_days, self.working_days)

    def counts(self, rule: PoolingRule) -> bool:
        """Whether the week has enough working days to be counted."""
        return self.working_days >= rule.least_working_days


def counted_weeks(weeks: Iterable[Week], rule: PoolingRule) -> list[Week]:
    """The weeks that count, oldest first. A week with too few working days, such as one around Tết, is skipped."""
    return sorted((week for week in weeks if week.counts(rule)), key=lambda week: week.start)


def closes_at(week: date, centre: Centre, worktime: Worktime, standard_day: timedelta) -> datetime | None:
    """The last instant at which intake accepts an act dated into the week that begins on this Monday.

    The week can be closed right after it. None if the instant is outside the calendar.

    An act may be dated back by `max_backdate` of working time, which does not pass between a day's close and the next
    opening: with one working day, the instant is Tuesday's opening. If a decision raises the limit before the week
    closes, the larger limit applies.
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
