"""Signed decisions about who receives for a department: dated rows, to which only later ones are added.

A decision is in force from its date until the next one's date. It is signed before its date and never edited, so a
rebuild from the history gives the same answers.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from services.routing.domain.volumes import Week
from shared.kernel.centre import Centre, Pooling
from shared.kernel.weeks import WEEK, monday
from shared.kernel.worktime import Worktime

_DAY = timedelta(days=1)

Receiving = Literal["department", "general"]
"""Who receives for a department: its own counters, or the general counter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A signed decision: who receives for `department` from `effective_from` on, by the document `number`.

    `fixed`: the rule proposes no change for the department until a later decision. If the decision approved a proposal,
    `weeks` are the figures of the proposal, and `rule` is the number of the decision about the rule's parameters.
    """

    department: str
    effective_from: date
    receiving: Receiving
    number: str
    fixed: bool = False
    rule: str | None = None
    weeks: tuple[Week, ...] = ()


@dataclass(frozen=True, slots=True)
class CurrentReceiving:
    """Who receives for a department on a date, and what limits the changes that the rule may propose.

    `since` is the date of the last change of who receives, None if there was none. `fixed`: the decision in force
    excludes the department from the rule. `rejected_until` is the Monday of the newest week that was closed when a
    leader last rejected a proposal for the department, None if no leader did.
    """

    receiving: Receiving
    since: date | None = None
    fixed: bool = False
    rejected_until: date | None = None


class Decisions:
    """All signed decisions of a centre about who receives; immutable.

    A department without a decision in force receives at its own counters.
    """

    __slots__ = ("_by_department",)

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        found: dict[str, list[Decision]] = {}
        for decision in decisions:
            found.setdefault(decision.department, []).append(decision)
        self._by_department: Mapping[str, Sequence[Decision]] = {
            department: sorted(rows, key=_effective_from) for department, rows in found.items()
        }

    @property
    def count(self) -> int:
        """The number of decisions about all departments."""
        return sum(map(len, self._by_department.values()))

    def of(self, department: str) -> Sequence[Decision]:
        """All decisions about a department, past and future, in the order of `effective_from`; may be empty."""
        return self._by_department.get(department, ())

    def in_force(self, department: str, on: date) -> Decision | None:
        """The decision about a department that is in force on the local date `on`, or None."""
        rows = self.of(department)
        place = bisect_right(rows, on, key=_effective_from)
        return rows[place - 1] if place else None

    def next_after(self, department: str, on: date) -> Decision | None:
        """The first decision about a department that takes effect after the local date `on`, or None."""
        rows = self.of(department)
        place = bisect_right(rows, on, key=_effective_from)
        return rows[place] if place < len(rows) else None

    def pooling(self, department: str, on: date) -> Decision | None:
        """The decision by which the general counter receives for the department on the local date `on`.

        None if the department receives at its own counters.
        """
        found = self.in_force(department, on)
        return found if found is not None and found.receiving == "general" else None

    def current(self, department: str, on: date, *, rejected_until: date | None = None) -> CurrentReceiving:
        """Who receives for the department on the local date `on`, as input of the rule.

        `rejected_until` is only copied into the result.
        """
        rows = [row for row in self.of(department) if row.effective_from <= on]
        if not rows:
            return CurrentReceiving("department", rejected_until=rejected_until)
        last = rows[-1]
        since, before = None, "department"
        for row in rows:
            if row.receiving != before:
                since, before = row.effective_from, row.receiving
        return CurrentReceiving(last.receiving, since=since, fixed=last.fixed, rejected_until=rejected_until)


def _effective_from(decision: Decision) -> date:
    return decision.effective_from


def initial_decisions(centre: Centre) -> list[Decision]:
    """Return the decisions that the rows of receiving.csv contain, with which a centre begins. Stores nothing.

    Each row pools a department. On the day after the row's `valid_to`, a second decision returns the department to its
    own counters, unless another row begins on that day.
    """
    return [decision for rows in centre.poolings.values() for decision in _of_poolings(rows)]


def _of_poolings(rows: Sequence[Pooling]) -> Iterable[Decision]:
    starts = {row.valid_from for row in rows}
    for row in rows:
        yield Decision(
            department=row.department, effective_from=row.valid_from, receiving="general", number=row.decision
        )
        if row.valid_to is not None and (after := row.valid_to + _DAY) not in starts:
            yield Decision(department=row.department, effective_from=after, receiving="department", number=row.decision)


def differences(seed: Sequence[Decision], configured: Sequence[Decision]) -> list[str]:
    """Describe each decision that is only in `seed` (removed) or only in `configured` (added), one sentence each.

    `seed` are the decisions stored at the first start, `configured` those in the present configuration.
    """
    return [
        *(f"{_describe(each)} was removed" for each in seed if each not in configured),
        *(f"{_describe(each)} was added" for each in configured if each not in seed),
    ]


def _describe(decision: Decision) -> str:
    where = "the general counter" if decision.receiving == "general" else "its own counters"
    return f"{decision.department} at {where} from {decision.effective_from} by {decision.number}"


def missing_counters(centre: Centre, decisions: Decisions, since: date, *, department: str | None = None) -> list[str]:
    """Return one sentence for each department for which no counter receives on some day from `since` on.

    The sentence names the first such day and the remedy. `department` limits the check to one department.
    """
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
                lack = "is pooled, but no general counter is open" if pooled else "has no counter and is not pooled"
                found.append(f"{code} {lack} on {day}: open one in counters.csv")
                break
    return found


def next_week_start(worktime: Worktime, today: date) -> date:
    """The first date after `today` on which a working week begins, usually next Monday. Raises OutsideCalendarError."""
    start = worktime.working_day_from(monday(today))
    return start if start > today else worktime.working_day_from(monday(today) + WEEK)


def effective_date_error(effective_from: date, *, today: date, worktime: Worktime) -> str | None:
    """Return why a decision cannot take effect on `effective_from`, and which date to use instead; None if it can.

    It can on the first working day of a week, after today. Raises OutsideCalendarError.
    """
    remedy = f"The next working week starts on {next_week_start(worktime, today)}."
    if effective_from <= today:
        return f"{effective_from} is not after today, {today}; a decision takes effect on a later date. {remedy}"
    if not worktime.is_working_day(effective_from):
        return f"{effective_from} is a day off in the calendar {worktime.name}. {remedy}"
    start = worktime.working_day_from(monday(effective_from))
    if effective_from != start:
        return f"{effective_from} is not the start of its working week, which is {start}. {remedy}"
    return None
