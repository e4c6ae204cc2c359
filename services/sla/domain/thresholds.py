"""Thresholds of a clock: near, at_risk (per step), reached, breached and escalated, each once per due date, and
pause_exceeded, once per pause."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Literal, NamedTuple

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import Deadline
from services.sla.domain.steps import at_risk_from
from shared.kernel.centre import ProcedureStep, Thresholds
from shared.kernel.worktime import OutsideCalendarError, Worktime

Level = Literal["near", "at_risk", "reached", "breached", "escalated", "pause_exceeded"]


Key = tuple[Level, int, datetime]
"""Level, step and anchor."""

_AFTER_DUE_DATE: tuple[Level, ...] = ("reached", "breached", "escalated")


class Threshold(NamedTuple):
    """A level of a clock and the instant, `at`, when it passes.

    `anchor_at` is the due date, or the begin of the pause, from which the level is counted. `step` distinguishes
    escalation levels (1, 2…) and the steps at risk; it is 0 for the other levels.
    """

    level: Level
    anchor_at: datetime
    at: datetime
    step: int = 0


def thresholds(
    deadline: Deadline, rules: Thresholds, calendar: Calendar, steps: Sequence[ProcedureStep] = ()
) -> tuple[Threshold, ...]:
    """Return every threshold of a deadline's due date and of its present pause, in time order.

    There are none after the clock's end. Escalations and pause ceilings after the end of the calendar are left out
    until the calendar is extended.
    """
    if deadline.state == "ended":
        return ()
    return _ordered([*_of_due_date(deadline, rules, calendar, steps), *_of_pause(deadline, rules, calendar)])


def _ordered(found: Sequence[Threshold]) -> tuple[Threshold, ...]:
    return tuple(sorted(found, key=attrgetter("at")))


def _of_due_date(
    deadline: Deadline, rules: Thresholds, calendar: Calendar, steps: Sequence[ProcedureStep]
) -> Sequence[Threshold]:
    due_at = deadline.due_at
    if due_at is None or deadline.due_date is None:
        return ()
    near_at = _near_at(deadline, rules, calendar)
    found = [] if near_at is None else [Threshold("near", due_at, near_at)]
    risk_at = at_risk_from(deadline, steps, calendar)
    if risk_at is not None:
        found.append(Threshold("at_risk", due_at, risk_at, deadline.step))
    return found + _from_due_date(due_at, deadline.due_date, rules, calendar)


def thresholds_without_steps(
    due_at: datetime, next_at: datetime, rules: Thresholds, calendar: Calendar
) -> tuple[Threshold, ...]:
    """Return the thresholds of a running clock without steps, from the next one, at `next_at`, on; in time order.

    Published thresholds after the due date are included. Only `near` comes before the due date, so a next threshold
    before the due date is `near`.
    """
    near = [Threshold("near", due_at, next_at)] if next_at < due_at else []
    return _ordered(near + _from_due_date(due_at, calendar.worktime.local_date(due_at), rules, calendar))


def _from_due_date(due_at: datetime, due_date: date, rules: Thresholds, calendar: Calendar) -> list[Threshold]:
    breached_at, *escalated_at = _late(calendar.worktime, due_date, rules.escalation_working_hours)
    return [
        Threshold("reached", due_at, due_at),
        Threshold("breached", due_at, breached_at),
        *(Threshold("escalated", due_at, at, step) for step, at in enumerate(escalated_at, start=1)),
    ]


@lru_cache(maxsize=4096)
def _late(worktime: Worktime, due_date: date, hours: tuple[int, ...]) -> tuple[datetime, ...]:
    """Return the instants of the breach of a due date and of its escalations, without those after the calendar's end.

    Cached: thousands of clocks are due on the same date.
    """
    instants = [worktime.end_of(due_date)]
    for each in hours:
        try:
            instants.append(worktime.add(instants[0], timedelta(hours=each)))
        except OutsideCalendarError:
            break
    return tuple(instants)


def _of_pause(deadline: Deadline, rules: Thresholds, calendar: Calendar) -> Sequence[Threshold]:
    if deadline.paused_at is None:
        return ()
    ceiling = rules.pause_ceiling_working_days * calendar.standard_day
    try:
        at = calendar.worktime.add(deadline.paused_at, ceiling)
    except OutsideCalendarError:
        return ()
    return (Threshold("pause_exceeded", deadline.paused_at, at),)


def pending(candidates: Sequence[Threshold], fired: Collection[Threshold]) -> tuple[Threshold, ...]:
    """Return the candidates that have not fired: each level fires once per due date or pause."""
    if not fired:
        return tuple(candidates)
    keys = {key_of(each) for each in fired}
    return tuple(each for each in candidates if key_of(each) not in keys)


def passed(candidates: Sequence[Threshold], until: datetime) -> tuple[Threshold, ...]:
    """Return the candidates whose instant is at or before `until`."""
    return tuple(each for each in candidates if each.at <= until)


def refuted_by_due_date(fired: Sequence[Threshold], due_at: datetime | None) -> tuple[Threshold, ...]:
    """Return the fired thresholds `reached`, `breached` and `escalated` of a due date that is not `due_at` any more.

    A pause or extension does not move a due date that has come. Only a changed calendar can show that it had not.
    """
    return tuple(each for each in fired if each.level in _AFTER_DUE_DATE and each.anchor_at != due_at)


def refuted_by_steps(
    fired: Sequence[Threshold], current: Collection[Threshold], now: datetime
) -> tuple[Threshold, ...]:
    """Return the fired `at_risk` thresholds that `current` does not have, or has only after `now`.

    `fired` are thresholds of the present step and due date; `current` are those by the present internal terms of the
    steps.
    """
    instants = {key_of(each): each.at for each in current}
    risks = (each for each in fired if each.level == "at_risk")
    return tuple(each for each in risks if key_of(each) not in instants or instants[key_of(each)] > now)


def refuted_by_act(
    fired: Sequence[Threshold], since: datetime, current: Collection[Threshold]
) -> tuple[Threshold, ...]:
    """Return the fired thresholds after an act at `since` that the deadline after the act does not have.

    They fired before the act was recorded. `current` are the thresholds of the deadline after the act, which are still
    true: a pause after the due date moves nothing.
    """
    keys = {key_of(each) for each in current}
    return tuple(each for each in fired if each.at > since and key_of(each) not in keys)


def key_of(threshold: Threshold) -> Key:
    """Return the identity of a threshold, independent of its instant: a clock publishes each key once."""
    return threshold.level, threshold.step, threshold.anchor_at


def _near_at(deadline: Deadline, rules: Thresholds, calendar: Calendar) -> datetime | None:
    """Return when the due date is near: in working time or at a closing time, and before the due date; else None.

    If the due date comes into force with less time left than the warning time, that is the instant; outside working
    time, the start of the next window.
    """
    due_at, since, worktime = deadline.due_at, deadline.in_force_from, calendar.worktime
    if due_at is None or deadline.term_time is None or since is None or since >= due_at:
        return None
    short = deadline.term_time <= timedelta(hours=rules.short_term_working_hours)
    lead = deadline.term_time / 2 if short else timedelta(hours=rules.near_working_hours)
    left = worktime.elapsed(since, due_at)
    if left < lead and worktime.is_working_time(since):  # a closing time is not moved to the next opening
        return since
    near_at = worktime.back(due_at, min(lead, left))
    return near_at if near_at < due_at else None
