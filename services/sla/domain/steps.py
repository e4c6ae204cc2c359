"""A procedure's steps against the time that is left: what they still need, and from when on that no longer fits."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import Deadline
from services.sla.domain.running import Pause
from services.sla.domain.terms import working_time
from shared.kernel.centre import ProcedureStep

_NOTHING = timedelta(0)


def needed(deadline: Deadline, steps: Sequence[ProcedureStep], calendar: Calendar, at: datetime) -> timedelta:
    """The working time that is needed at an instant: what is left of the present step's internal term, which pauses do
    not use up, and the terms of the steps after it.

    The clock runs, the present step is one of `steps`, and `at` is not before it began.
    """
    worktime, begun_at = calendar.worktime, _begun_at(deadline)
    worked = worktime.elapsed(begun_at, at)
    for shift in deadline.shifts:
        if isinstance(shift.by, Pause) and shift.by.end is not None:
            start, end = max(shift.by.start, begun_at), min(shift.by.end, at)
            if start < end:
                worked -= worktime.elapsed(start, end)
    present = _terms(steps[deadline.step - 1 : deadline.step], calendar)
    return max(present - worked, _NOTHING) + _terms(steps[deadline.step :], calendar)


def at_risk_from(deadline: Deadline, steps: Sequence[ProcedureStep], calendar: Calendar) -> datetime | None:
    """The instant from which the steps that remain no longer fit into the time left; None where none comes before the
    due date, or where the present step is not one of `steps`.

    Within a step's term, what is needed and what is left fall alike. So they do not fit from the step's beginning on,
    or from the last resume or extension, which gave another due date; otherwise from when the step has overrun so far
    that those after it no longer fit.
    """
    if deadline.due_at is None or deadline.held_from is None or deadline.step > len(steps):
        return None
    since = max(_begun_at(deadline), deadline.held_from)
    if since >= deadline.due_at:
        return None
    if needed(deadline, steps, calendar, since) > calendar.worktime.elapsed(since, deadline.due_at):
        return since
    after = _terms(steps[deadline.step :], calendar)
    return calendar.worktime.back(deadline.due_at, after) if after else None


def _begun_at(deadline: Deadline) -> datetime:
    """When the present step began: no sooner than the clock counts."""
    assert deadline.counted_from is not None  # a clock with a term
    return max(deadline.step_begun_at or deadline.counted_from, deadline.counted_from)


def _terms(steps: Sequence[ProcedureStep], calendar: Calendar) -> timedelta:
    return sum((working_time(step.term, calendar) or _NOTHING for step in steps), _NOTHING)
