"""Expected proposals: the departments that the general counter's rule would pool, by the drawn volumes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from motcua.lab.scenarios.half_year.ledger import Ledger
from services.routing.domain.decisions import CurrentReceiving
from services.routing.domain.pooling_rule import propose_change
from services.routing.domain.volumes import Week, closes_at
from shared.kernel.centre import Centre
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import Worktime

_OWN = CurrentReceiving("department")
"""The demo's centre begins without a decision about the general counter, and no leader signs one."""


@dataclass(frozen=True, slots=True)
class ExpectedPooling:
    """The weeks that must be closed, and the proposals of the rule, after a play from `first_date` until `now`."""

    centre: Centre
    worktime: Worktime
    standard_day: timedelta
    first_date: date
    now: datetime

    @property
    def last_closed(self) -> date | None:
        """The Monday of the last week closed at `now`: no more acts can be recorded for it. None if none is closed."""
        found, week = None, monday(self.first_date)
        while (last := closes_at(week, self.centre, self.worktime, self.standard_day)) is not None and last < self.now:
            found, week = week, week + WEEK
        return found

    def week(self, ledger: Ledger, department: str, start: date) -> Week:
        """Return a department's volume and working days, as drawn, in the week that begins on the Monday `start`."""
        days = [start + timedelta(days=n) for n in range(7)]
        worked = sum(day >= self.first_date and self.worktime.is_working_day(day) for day in days)
        return Week(start, ledger.volume[department, start], worked)

    def pooled(self, ledger: Ledger) -> set[str]:
        """Return the departments that the rule would propose to pool, judged by all weeks up to the last closed one.

        Empty if no week is closed, or if the centre has no rule.
        """
        last = self.last_closed
        rule = None if last is None else self.centre.pooling_rule(last + WEEK)
        if last is None or rule is None:
            return set()
        starts = [monday(self.first_date)]
        while starts[-1] < last:
            starts.append(starts[-1] + WEEK)
        return {
            department
            for department in self.centre.departments
            if propose_change(
                [self.week(ledger, department, start) for start in starts], _OWN, rule, earliest_from=last + 2 * WEEK
            )
        }
