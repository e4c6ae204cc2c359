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
    """A proposed change of who receives for a department, not before `earliest_from`.

    `receiving` is who would receive; `weeks` are the weeks that justify the change, oldest first.
    """

    receiving: Receiving
    weeks: tuple[Week, ...]
    earliest_from: date


def propose_change(
    weeks: Iterable[Week], current: CurrentReceiving, rule: PoolingRule, *, earliest_from: date
) -> ProposedChange | None:
    """Compute the change that the rule proposes for a department, from its closed `weeks`. Stores nothing.

    None if the volumes do not justify a change, a decision fixed the department, `min_stay_weeks` since the last change
    have not passed by `earliest_from`, or one of the weeks that justify the change was already closed when a leader
    last rejected a proposal.
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
    """The last counted `weeks`, as many as the rule demands, if the volume of each justifies a change; otherwise None.

    Below `pool_below` the general counter should receive; from `release_from` on the department's own counters should.
    """
    needed = rule.pool_weeks if receiving == "department" else rule.release_weeks
    last = tuple(weeks[-needed:])
    if len(last) < needed:
        return None
    if receiving == "department":
        return last if all(week.volume(rule) < rule.pool_below for week in last) else None
    return last if all(week.volume(rule) >= rule.release_from for week in last) else None
