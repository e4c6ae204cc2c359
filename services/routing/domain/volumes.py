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
    """A department's figures of one week from Monday `start` to Sunday: dossiers received, and working days."""

    start: date
    dossiers: int
    working_days: int

    def volume(self, rule: PoolingRule) -> Fraction:
        """The number of dossiers, scaled from `working_days` to the rule's `full_week_days`.

        Raises ZeroDivisionError for a week without working days.
        """
        return Fraction(self.dossiers * rule.full_week_days, self.working_days)

    def counts(self, rule: PoolingRule) -> bool:
        """Whether the week has enough working days for the rule to evaluate it."""
        return self.working_days >= rule.least_working_days


def counted_weeks(weeks: Iterable[Week], rule: PoolingRule) -> list[Week]:
    """The weeks that the rule evaluates, oldest first. Weeks with too few working days, as around Tết, are skipped."""
    return sorted((week for week in weeks if week.counts(rule)), key=lambda week: week.start)


def closes_at(week: date, centre: Centre, worktime: Worktime, standard_day: timedelta) -> datetime | None:
    """The last instant at which intake accepts an act dated into the week that begins on the Monday `week`.

    The week can be closed right after this instant. None if the instant is outside the calendar.

    An act may be dated back by `max_backdate_working_days`. Working time does not pass between a day's close and the
    next opening, so with a limit of one day the instant is Tuesday's opening. If the limit rises before that instant,
    the larger limit applies.
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
