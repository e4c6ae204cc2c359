"""Comparison of a log's recorded deadlines with the centre's due dates, by local date."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from motcua.lab.scenarios.event_log.plan import Plan


@dataclass(frozen=True, slots=True)
class Comparison:
    """Numbers of cases whose recorded deadline and due date match, differ or are missing.

    `unmatched_cases` has the ids of the cases whose dates differ, by the days from the recorded deadline to the due
    date (negative: the due date is earlier). `ended` and `late_as_recorded` are by the log's own ends and deadlines.
    """

    cases: int
    matched: int
    unmatched_cases: Mapping[int, list[str]] = field(default_factory=dict)
    without_deadline: int = 0
    without_due_date: int = 0
    ended: int = 0
    late_as_recorded: int = 0

    @property
    def days(self) -> Counter[int]:
        """The number of cases whose dates differ, by the days from the recorded deadline to the due date."""
        return Counter({days: len(cases) for days, cases in self.unmatched_cases.items()})

    @property
    def unmatched(self) -> int:
        """The number of cases whose recorded deadline and due date differ."""
        return self.days.total()


def compare(plan: Plan, due_dates: Mapping[UUID, date | None]) -> Comparison:
    """Compare a plan's recorded deadlines with `due_dates`, the local due dates by dossier (None or missing: none)."""
    local = plan.worktime.local_date
    unmatched: dict[int, list[str]] = {}
    matched = without_deadline = without_due_date = ended = late = 0
    for case in plan.cases:
        recorded = None if case.deadline is None else local(case.deadline)
        due = due_dates.get(case.dossier_id)
        if case.ended_at is not None:
            ended += 1
            late += recorded is not None and local(case.ended_at) > recorded
        if recorded is None:
            without_deadline += 1
        elif due is None:
            without_due_date += 1
        elif due == recorded:
            matched += 1
        else:
            unmatched.setdefault((due - recorded).days, []).append(case.id)
    return Comparison(
        cases=len(plan.cases),
        matched=matched,
        unmatched_cases=unmatched,
        without_deadline=without_deadline,
        without_due_date=without_due_date,
        ended=ended,
        late_as_recorded=late,
    )
