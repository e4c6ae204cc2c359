"""The instants at which a clock makes itself felt: near, at_risk (per step), reached, breached and escalated, each once
per due date; pause_exceeded, once per pause."""

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
"""Level, step and what it is about."""

_COME: tuple[Level, ...] = ("reached", "breached", "escalated")


class Threshold(NamedTuple):
    """A level and its instant; `about` is the due date that it is about, or the beginning of the pause.

    `step` tells escalation levels apart (1, 2…), and the steps of which one is at risk; 0 for the others.
    """

    level: Level
    about: datetime
    at: datetime
    step: int = 0


def thresholds(
    deadline: Deadline, rules: Thresholds, calendar: Calendar, steps: Sequence[ProcedureStep] = ()
) -> tuple[Threshold, ...]:
    """Every threshold of a deadline's due date and of its standing pause, in the order of their instants.

    None once it has ended. Those of escalations and pauses that lie beyond the calendar's span are left out until it is
    prolonged.
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
    found = [Threshold("near", due_at, at) for at in _near(deadline, rules, calendar) if at < due_at]
    risk_at = at_risk_from(deadline, steps, calendar)
    if risk_at is not None:
        found.append(Threshold("at_risk", due_at, risk_at, deadline.step))
    return found + _from_due_date(due_at, deadline.due_date, rules, calendar)


def of_plain(due_at: datetime, next_at: datetime, rules: Thresholds, calendar: Calendar) -> tuple[Threshold, ...]:
    """What may still be told of a running clock without steps, in the order of their instants, by its due date and the
    next of them alone: only `near` comes before the due date, so whatever is next then is that.
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
    """The breach of whatever is due on a date, and its escalations as far as the calendar goes. Of thousands of clocks
    that are due on one day, the first asks the calendar."""
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


def pending(all_of_them: Sequence[Threshold], fired: Collection[Threshold]) -> tuple[Threshold, ...]:
    """Those that were not told yet: each level once per due date or pause."""
    if not fired:
        return tuple(all_of_them)
    told = {key_of(each) for each in fired}
    return tuple(each for each in all_of_them if key_of(each) not in told)


def passed(candidates: Sequence[Threshold], until: datetime) -> tuple[Threshold, ...]:
    """Those whose instant has come by `until`, itself included."""
    return tuple(each for each in candidates if each.at <= until)


def overturned(fired: Sequence[Threshold], due_at: datetime | None) -> tuple[Threshold, ...]:
    """Those that were told of a due date that had come, where another one stands now, or none.

    Neither a pause nor an extension moves a date that has come: so it had not, by what is known now. It takes a changed
    calendar to find that out.
    """
    return tuple(each for each in fired if each.level in _COME and each.about != due_at)


def not_at_risk(fired: Sequence[Threshold], standing: Collection[Threshold], now: datetime) -> tuple[Threshold, ...]:
    """Those told of a step at risk of which the thresholds that stand by now know nothing, or only later than `now`.

    For what was told of the present step and due date by other internal terms: by those of now the steps fit.
    """
    instants = {key_of(each): each.at for each in standing}
    risks = (each for each in fired if each.level == "at_risk")
    return tuple(each for each in risks if key_of(each) not in instants or instants[key_of(each)] > now)


def untrue(fired: Sequence[Threshold], since: datetime, standing: Collection[Threshold]) -> tuple[Threshold, ...]:
    """Those that were told but turn out not to be: an act at `since`, recorded later, came before their instant.

    What the deadline after that act still holds (`standing`: a pause begun after the due date moves nothing) is true.
    """
    held = {key_of(each) for each in standing}
    return tuple(each for each in fired if each.at > since and key_of(each) not in held)


def key_of(threshold: Threshold) -> Key:
    """What makes a threshold the same one, whenever it came: each is told once."""
    return threshold.level, threshold.step, threshold.about


def _near(deadline: Deadline, rules: Thresholds, calendar: Calendar) -> Sequence[datetime]:
    if deadline.due_at is None or deadline.term_time is None or deadline.held_from is None:
        return ()
    short = deadline.term_time <= timedelta(hours=rules.short_term_working_hours)
    lead = deadline.term_time / 2 if short else timedelta(hours=rules.near_working_hours)
    return (max(calendar.worktime.back(deadline.due_at, lead), deadline.held_from),)
