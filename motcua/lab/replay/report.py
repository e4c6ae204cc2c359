"""Reports of a replay, as sentences: the plan with its anomalies, and the comparison of deadlines."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import UUID

from motcua.lab.replay.comparison import compare
from motcua.lab.replay.state import Clock
from motcua.lab.scenarios.event_log.plan import Plan


def plan_report(found: Plan, file: Path) -> Iterator[str]:
    """Yield sentences: the size of a plan, its anomalies by kind, and each anomaly with its line in `file`."""
    days = f"from {found.first_date} to {found.last_date}"
    yield f"{len(found.cases)} cases, {found.rows} rows, {len(found.acts)} acts {days}."
    for kind, count in sorted(found.cases_with().items()):
        yield f"{kind}: {count} {'case' if count == 1 else 'cases'}."
    if found.left_out:
        yield f"Nested attributes have no place in a dossier and are left out: {', '.join(found.left_out)}."
    for anomaly in found.anomalies:
        yield f"  {file.name}:{anomaly.line}: {anomaly.case}: {anomaly.kind}: {anomaly.detail}"


def result_report(found: Plan, clocks: Mapping[UUID, Clock]) -> Iterator[str]:
    """Yield sentences on how the recorded deadlines and the due dates of the cases compare, and how many were late.

    Deadlines are compared by local date. Lateness is counted by the recorded deadlines and by the due dates.
    """
    compared = compare(found, {dossier_id: clock.due_date for dossier_id, clock in clocks.items()})
    settled = [clock for clock in clocks.values() if clock.outcome is not None]
    open_ones = [clock for clock in clocks.values() if not clock.ended]
    # breached at 24:00 of the due date; the replay ends at 24:00 of the last one
    overdue = sum(clock.due_date is not None and clock.due_date <= found.last_date for clock in open_ones)
    yield f"{compared.cases} cases: {len(clocks) - len(open_ones)} ended, {len(open_ones)} open on {found.last_date}."
    yield f"Deadlines by local date: {compared.matched} of {compared.cases} match ours, {compared.unmatched} differ."
    for days, cases in sorted(compared.days.items()):
        way = "later" if days > 0 else "earlier"
        names = ", ".join(compared.unmatched_cases[days])
        yield f"  ours {abs(days)} {'day' if abs(days) == 1 else 'days'} {way}: {cases}: {names}"
    if compared.without_deadline:
        yield f"  without a recorded deadline: {compared.without_deadline}"
    if compared.without_due_date:
        yield f"  without a due date: {compared.without_due_date}"
    yield f"Late by the recorded deadlines: {compared.late_as_recorded} of {compared.ended} with a recorded end."
    late = sum(clock.outcome == "late" for clock in settled)
    yield f"Late by our due dates: {late} of {len(settled)} settled; open and overdue: {overdue}."
