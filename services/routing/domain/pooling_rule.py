"""The general counter's rule: for which departments it should receive, by their weekly volumes.

The rule is applied to each department separately, on its counted weeks and with the parameters of the day. Its result
is a proposal with figures; a leader decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.routing.domain.decisions import CurrentReceiving, Receiving
from services.routing.domain.volumes import Week, counted_weeks
from shared.kernel.centre import PoolingRule
from shared.kernel.weeks import WEEK


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """A change of who receives for a department, not before `earliest_from`, and the weeks that justify it, oldest
    first."""

    receiving: Receiving
    weeks: tuple[Week, ...]
    earliest_from: date


def propose_change(
    weeks: Iterable[Week], current: CurrentReceiving, rule: PoolingRule, *, earliest_from: date
) -> ProposedChange | None:
    """The change that the rule proposes for a department with these closed weeks.

    None if the volumes do not justify one, a decision fixed the department, the least stay has not passed by
    `earliest_from`, or a leader rejected a proposal that had one of the same weeks.
    """
    if current.fixed:
        return None
    if current.since is not None and earliest_from < current.since + rule.min_stay_weeks * WEEK:
        return None
    justifying = _justifying_weeks(counted_weeks(weeks, rule), current.receiving, rule)
    if justifying is None:
        return None
    if current.rejected_until is not None and justifying[0].start <= current.rejected_until:
        return None
    return ProposedChange("department" if current.receiving == "general" else "general", justifying, earliest_from)


def _justifying_weeks(weeks: Sequence[Week], receiving: Receiving, rule: PoolingRule) -> tuple[Week, ...] | None:
    """The last counted weeks, if the volume of each is beyond the threshold for a change; otherwise None."""
    needed = rule.pool_weeks if receiving == "department" else rule.release_weeks
    last = tuple(weeks[-needed:])
    if len(last) < needed:
        return None
    if receiving == "department":
        return last if all(week.volume(rule) < rule.pool_below for week in last) else None
    return last if all(week.volume(rule) >= rule.release_from for week in last) else None
