"""Who receives for a department, by the decisions in force: a row of dated decisions for each, only ever longer. Pure.

A decision counts from its date until the next one's. It is signed before its date and never edited, so what it says of
a day stands before that day begins, and replaying the past by it gives the same answers.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.routing.domain.pooling import Receiving, Standing, Week
from shared.kernel.centre import Centre, Pooling
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import Worktime

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who receives for a `department` from `effective_from` on, by the document `number`.

    `fixed`: the rule proposes nothing until a later decision says otherwise. `rule` and `weeks` are the parameters'
    decision and the figures of the proposal that it approved, if there was one.
    """

    department: str
    effective_from: date
    receiving: Receiving
    number: str
    fixed: bool = False
    rule: str | None = None
    weeks: tuple[Week, ...] = ()


class Decisions:
    """The decisions of a centre, by department and date. A department without any receives at its own counters."""

    __slots__ = ("_by_department",)

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        found: dict[str, list[Decision]] = {}
        for decision in decisions:
            found.setdefault(decision.department, []).append(decision)
        self._by_department: Mapping[str, Sequence[Decision]] = {
            department: sorted(rows, key=_effective) for department, rows in found.items()
        }

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(map(len, self._by_department.values()))

    def of(self, department: str) -> Sequence[Decision]:
        """All of a department's, in the order of their dates."""
        return self._by_department.get(department, ())

    def in_force(self, department: str, on: date) -> Decision | None:
        """The one in force on that local date."""
        rows = self.of(department)
        place = bisect_right(rows, on, key=_effective)
        return rows[place - 1] if place else None

    def coming(self, department: str, on: date) -> Decision | None:
        """The next one that takes effect after that local date."""
        rows = self.of(department)
        place = bisect_right(rows, on, key=_effective)
        return rows[place] if place < len(rows) else None

    def pooling(self, department: str, on: date) -> Decision | None:
        """The decision by which the general counter receives for the department on that local date."""
        found = self.in_force(department, on)
        return found if found is not None and found.receiving == "general" else None

    def standing(self, department: str, on: date, *, refused_until: date | None = None) -> Standing:
        """How the department stands by then, for the rule."""
        rows = [row for row in self.of(department) if row.effective_from <= on]
        if not rows:
            return Standing("department", refused_until=refused_until)
        last = rows[-1]
        since, before = None, "department"
        for row in rows:
            if row.receiving != before:
                since, before = row.effective_from, row.receiving
        return Standing(last.receiving, since=since, fixed=last.fixed, refused_until=refused_until)


def _effective(decision: Decision) -> date:
    return decision.effective_from


def seeded(centre: Centre) -> list[Decision]:
    """The decisions with which a centre begins: those of receiving.csv. One that ends gives the counters back, unless
    another one follows on the next day."""
    return [decision for rows in centre.poolings.values() for decision in _of_poolings(rows)]


def _of_poolings(rows: Sequence[Pooling]) -> Iterable[Decision]:
    begun = {row.valid_from for row in rows}
    for row in rows:
        yield Decision(
            department=row.department, effective_from=row.valid_from, receiving="general", number=row.decision
        )
        if row.valid_to is not None and (ended := row.valid_to + _DAY) not in begun:
            yield Decision(department=row.department, effective_from=ended, receiving="department", number=row.decision)


def unreceived(centre: Centre, decisions: Decisions, since: date, *, department: str | None = None) -> list[str]:
    """The departments, or the one, for which nobody receives on some day from `since` on, with the first such day and
    what to do."""
    changes = {since}
    for row in (row for rows in centre.counters.values() for row in rows):
        changes |= {row.valid_from} | ({row.valid_to + _DAY} if row.valid_to else set())
    found = []
    for code, rows in centre.departments.items():
        if department not in (None, code):
            continue
        days = changes | {row.valid_from for row in rows} | {row.effective_from for row in decisions.of(code)}
        for day in sorted(day for day in days if day >= since and centre.department(code, day) is not None):
            pooled = decisions.pooling(code, day) is not None
            if not centre.counters_on(day, "general" if pooled else "department", None if pooled else code):
                lacks = "is pooled, but no general counter is open" if pooled else "has no counter and is not pooled"
                found.append(f"{code} {lacks} on {day}: open one in counters.csv")
                break
    return found


def next_start(worktime: Worktime, today: date) -> date:
    """The first working day of the first week of which none has come by `today`. Raises OutsideCalendarError."""
    start = worktime.working_day_from(monday(today))
    return start if start > today else worktime.working_day_from(monday(today) + WEEK)


def fault_of_date(effective_from: date, *, today: date, worktime: Worktime) -> str | None:
    """Why nothing may take effect on that date, and what to write instead; None for the start of a coming working week.

    Raises OutsideCalendarError.
    """
    instead = f"the next start of a working week is {next_start(worktime, today)}"
    if effective_from <= today:
        return f"{effective_from} is not after {today}, today: what is signed takes effect later; {instead}"
    if not worktime.is_working_day(effective_from):
        return f"{effective_from} is a day off by the calendar {worktime.name}; {instead}"
    start = worktime.working_day_from(monday(effective_from))
    if effective_from != start:
        return f"{effective_from} is not the start of its working week, which is {start}; {instead}"
    return None
