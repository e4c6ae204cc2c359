"""What must hold of steps.csv on every day, beyond what each line says by itself."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from shared.catalogue.files import Problems
from shared.kernel.centre import Centre, ProcedureStep, Term
from shared.kernel.dated import Dated

FILE = "steps.csv"

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

Line = tuple[int, ProcedureStep]


def check_steps(centre: Centre, lines: Sequence[Line], problems: Problems) -> None:
    """A procedure's steps are, on every day that has any, numbered 1, 2… without a gap and at least two; the first one
    is the one competent department's, each next one another department's, and the internal terms together fit into the
    procedure's own.

    One fault a procedure is told: that of its first day.
    """
    for procedure in dict.fromkeys(row.procedure for _, row in lines):
        its_own = [(line, row) for line, row in lines if row.procedure == procedure]
        for day in _changes([*(row for _, row in its_own), *centre.procedures.get(procedure, ())]):
            steps = sorted((each for each in its_own if each[1].in_force(day)), key=lambda each: each[1].number)
            fault = _fault(centre, day, steps) if steps else None
            if fault is not None:
                line, column, reason = fault
                problems.add(FILE, f"{procedure} {reason}", line=line, column=column)
                break


def _changes(rows: Sequence[Dated]) -> Sequence[date]:
    """The days on which what is in force changes, in order."""
    return sorted({row.valid_from for row in rows} | {row.valid_to + _DAY for row in rows if row.valid_to})


def _fault(centre: Centre, day: date, steps: Sequence[Line]) -> tuple[int, str, str] | None:
    """Line, column and reason of what is wrong with the steps that one procedure has on that day, by number."""
    numbers = [row.number for _, row in steps]
    if len(set(numbers)) < len(numbers):
        return None  # told as lines that overlap
    for expected, (line, row) in enumerate(steps, start=1):
        if row.number != expected:
            return line, "step", f"has no step {expected} on {day}: steps count from 1 without a gap"
    first_line, first = steps[0]
    if len(steps) == 1:
        return first_line, "step", f"has one step alone on {day}: enter the next one, or none at all"
    procedure = centre.procedure(first.procedure, day)
    if procedure is None:
        return None  # told of the line itself
    competent = ", ".join(procedure.departments)
    if len(procedure.departments) > 1:
        reason = f"has several competent departments on {day}, {competent}: leave one there, or enter no steps"
        return first_line, "procedure", reason
    if first.department not in procedure.departments:
        return first_line, "department", f"begins with {first.department} on {day}, where {competent} is competent"
    for (_, row), (line, following) in pairwise(steps):
        if row.department == following.department:
            reason = f"has steps {row.number} and {following.number} with {row.department} on {day}: enter them as one"
            return line, "department", reason
    own = _hours(centre, procedure.term)
    needed = sum(_hours(centre, row.term) or 0 for _, row in steps)
    if own is not None and needed > own:
        reason = (
            f"has steps of {needed:g} working hours on {day}, and a term of {own:g}: a dossier would be at risk from "
            "its first minute"
        )
        return steps[-1][0], "term_value", reason
    return None


def _hours(centre: Centre, term: Term | None) -> float | None:
    """A term in working hours by standard days, the least that it comes to; None for calendar days and the same day,
    which may hold more or fewer."""
    if term is None or term.unit in ("calendar_day", "same_day"):
        return None
    return term.value if term.unit == "working_hour" else term.value * (centre.calendar.standard_day / _HOUR)
