"""The check of steps.csv across lines: the rules that the steps of a procedure must fulfil on every day."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from shared.catalogue.faults import Faults
from shared.kernel.centre import Centre, ProcedureStep, Term
from shared.kernel.dated import Dated

FILE = "steps.csv"

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

Line = tuple[int, ProcedureStep]


def check_steps(centre: Centre, lines: Sequence[Line], faults: Faults) -> None:
    """Check the steps of each procedure on every day that has any, and add a fault for the first faulty day of each.

    Steps are numbered 1, 2… without a gap, and at least two. The first one belongs to the only competent department,
    each following one to another department than the one before. The internal terms together fit into the term of the
    procedure.
    """
    for procedure in dict.fromkeys(row.procedure for _, row in lines):
        own = [(line, row) for line, row in lines if row.procedure == procedure]
        for day in _changes([*(row for _, row in own), *centre.procedures.get(procedure, ())]):
            steps = sorted((each for each in own if each[1].in_force(day)), key=lambda each: each[1].number)
            fault = _fault(centre, day, steps) if steps else None
            if fault is not None:
                line, column, reason = fault
                faults.add(FILE, f"{procedure} {reason}", line=line, column=column)
                break


def _changes(rows: Sequence[Dated]) -> Sequence[date]:
    """Return, ascending, the days on which a row comes into force or is no longer in force."""
    return sorted({row.valid_from for row in rows} | {row.valid_to + _DAY for row in rows if row.valid_to})


def _fault(centre: Centre, day: date, steps: Sequence[Line]) -> tuple[int, str, str] | None:
    """Return line, column and reason of the first fault in a procedure's steps on one day.

    None if there is no fault, or if overlapping lines or an unknown procedure are reported elsewhere.
    """
    numbers = [row.number for _, row in steps]
    if len(set(numbers)) < len(numbers):
        return None  # reported as overlapping lines
    for expected, (line, row) in enumerate(steps, start=1):
        if row.number != expected:
            return line, "step", f"has no step {expected} on {day}. Number the steps from 1 without a gap."
    first_line, first = steps[0]
    if len(steps) == 1:
        return first_line, "step", f"has only one step on {day}. Add the next step, or remove it."
    procedure = centre.procedure(first.procedure, day)
    if procedure is None:
        return None  # reported for the line itself
    competent = ", ".join(procedure.departments)
    if len(procedure.departments) > 1:
        reason = f"has several competent departments on {day} ({competent}). Keep one of them, or remove the steps."
        return first_line, "procedure", reason
    if first.department not in procedure.departments:
        return (
            first_line,
            "department",
            f"begins with {first.department} on {day}, but {competent} is competent. Correct the department.",
        )
    for (_, row), (line, following) in pairwise(steps):
        if row.department == following.department:
            reason = f"has steps {row.number} and {following.number} of {row.department} on {day}. Merge them into one."
            return line, "department", reason
    own = _hours(centre, procedure.term)
    needed = sum(_hours(centre, row.term) or 0 for _, row in steps)
    if own is not None and needed > own:
        reason = (
            f"has steps of {needed:g} working hours on {day}, but a term of {own:g}: each dossier would be at risk at "
            "once. Shorten the steps."
        )
        return steps[-1][0], "term_value", reason
    return None


def _hours(centre: Centre, term: Term | None) -> float | None:
    """Return the working hours of a term, with standard working days of the centre's calendar.

    None if there is no term, or for a term in calendar days or of the same day, whose working time varies.
    """
    if term is None or term.unit in ("calendar_day", "same_day"):
        return None
    return term.value if term.unit == "working_hour" else term.value * (centre.calendar.standard_day / _HOUR)
