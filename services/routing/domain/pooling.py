"""The general counter's rule: which departments it should receive for, by their volumes. Pure.

Each department is judged by itself, on its counted weeks, by the rule of the day; what follows is a proposal with its
figures, and a leader decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from shared.kernel.centre import PoolingRule
from shared.kernel.weeks import WEEK

Receiving = Literal["department", "general"]


@dataclass(frozen=True, slots=True)
class Week:
    """A department's week: from Monday `start` to Sunday, the dossiers received, the working days that it had."""

    start: date
    dossiers: int
    working_days: int

    def volume(self, rule: PoolingRule) -> Fraction:
        """Dossiers, scaled to a full week. Raises ZeroDivisionError for a week without working days."""
        return Fraction(self.dossiers * rule.full_week_days, self.working_days)

    def counts(self, rule: PoolingRule) -> bool:
        """Whether it has enough working days to say anything."""
        return self.working_days >= rule.least_working_days


@dataclass(frozen=True, slots=True)
class Standing:
    """How a department stands: who receives for it, `since` when (None: it has always been so), and whether a decision
    fixed that, so that the rule says nothing. `refused_until` is the last week that a leader, rejecting a proposal,
    had before his eyes."""

    receiving: Receiving
    since: date | None = None
    fixed: bool = False
    refused_until: date | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What the rule proposes: who receives from `coming` on, by these weeks, oldest first."""

    receiving: Receiving
    weeks: tuple[Week, ...]
    coming: date


def counted(weeks: Iterable[Week], rule: PoolingRule) -> list[Week]:
    """The weeks that count, oldest first. A week around Tết that has too few working days is as if it had not been."""
    return sorted((week for week in weeks if week.counts(rule)), key=lambda week: week.start)


def change(weeks: Iterable[Week], standing: Standing, rule: PoolingRule, *, coming: date) -> Change | None:
    """What the rule proposes for a department with these closed weeks, to take effect on `coming` at the earliest.

    None where its volumes give no reason, where a decision fixed it, where it has not stayed long enough by `coming`,
    and where a leader has refused it on some of the very weeks.
    """
    if standing.fixed:
        return None
    if standing.since is not None and coming < standing.since + rule.min_stay_weeks * WEEK:
        return None
    reason = by_volume(counted(weeks, rule), standing.receiving, rule)
    if reason is None or (standing.refused_until is not None and reason[0].start <= standing.refused_until):
        return None
    return Change("department" if standing.receiving == "general" else "general", reason, coming)


def by_volume(weeks: Sequence[Week], receiving: Receiving, rule: PoolingRule) -> tuple[Week, ...] | None:
    """The last counted weeks, if each of them speaks for a change of who receives; None otherwise."""
    needed = rule.pool_weeks if receiving == "department" else rule.release_weeks
    last = tuple(weeks[-needed:])
    if len(last) < needed:
        return None
    if receiving == "department":
        return last if all(week.volume(rule) < rule.pool_below for week in last) else None
    return last if all(week.volume(rule) >= rule.release_from for week in last) else None
