"""Steps of a procedure and the time left: how much time they need, and from when it no longer suffices."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import Deadline
from services.sla.domain.term_run import Pause
from services.sla.domain.terms import working_time
from shared.kernel.centre import ProcedureStep

_NOTHING = timedelta(0)


def needed_time(deadline: Deadline, steps: Sequence[ProcedureStep], calendar: Calendar, at: datetime) -> timedelta:
    """Return the working time needed from `at` on: the rest of the present step's term and the later steps' terms.

    The terms are the steps' internal terms. Pauses do not use up the present one; if it is overrun, its rest is 0. The
    clock must run, the present step be one of `steps`, and `at` not be before that step began.
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
    """Return the instant from which the remaining steps no longer fit into the time left until the due date.

    None if there is no such instant before the due date, or if the present step is not one of `steps`.

    Within a step's term, the time needed and the time left decrease alike. The steps therefore do not fit either from
    the step's begin, or from the last resumption or extension, which set another due date; or else from the instant
    when the step has overrun so far that the later steps no longer fit.
    """
    if deadline.due_at is None or deadline.in_force_from is None or deadline.step > len(steps):
        return None
    since = max(_begun_at(deadline), deadline.in_force_from)
    if since >= deadline.due_at:
        return None
    if needed_time(deadline, steps, calendar, since) > calendar.worktime.elapsed(since, deadline.due_at):
        return since
    after = _terms(steps[deadline.step :], calendar)
    return calendar.worktime.back(deadline.due_at, after) if after else None


def _begun_at(deadline: Deadline) -> datetime:
    """Return when the present step began, but not before the counted start of the term."""
    assert deadline.counted_from is not None  # a clock with a term
    return max(deadline.step_begun_at or deadline.counted_from, deadline.counted_from)


def _terms(steps: Sequence[ProcedureStep], calendar: Calendar) -> timedelta:
    return sum((working_time(step.term, calendar) or _NOTHING for step in steps), _NOTHING)
