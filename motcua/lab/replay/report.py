"""What a replay comes to, in sentences: the log's deadlines and lateness beside the centre's own."""

from collections.abc import Iterator, Mapping
from uuid import UUID

from motcua.lab.replay.comparison import compare
from motcua.lab.replay.state import Clock
from motcua.lab.scenarios.event_log.plan import Plan


def report(found: Plan, clocks: Mapping[UUID, Clock]) -> Iterator[str]:
    """Cases, deadlines matched by local date, the unmatched by their difference in days, and lateness by both."""
    compared = compare(found, {dossier_id: clock.due_date for dossier_id, clock in clocks.items()})
    judged = [clock for clock in clocks.values() if clock.outcome is not None]
    open_ones = [clock for clock in clocks.values() if not clock.ended]
    # breached at 24:00 of the due date; the replay ends at 24:00 of the last one
    overdue = sum(clock.due_date is not None and clock.due_date <= found.last_date for clock in open_ones)
    yield f"{compared.cases} cases: {len(clocks) - len(open_ones)} ended, {len(open_ones)} open on {found.last_date}."
    yield f"Deadlines: {compared.matched} of {compared.cases} are ours by local date, {compared.unmatched} are not."
    for days, cases in sorted(compared.days.items()):
        way = "later" if days > 0 else "earlier"
        names = ", ".join(compared.unmatched_cases[days])
        yield f"  ours {abs(days)} {'day' if abs(days) == 1 else 'days'} {way}: {cases}: {names}"
    if compared.without_deadline:
        yield f"  no deadline recorded: {compared.without_deadline}"
    if compared.without_due_date:
        yield f"  no due date of ours: {compared.without_due_date}"
    yield f"Late by the recorded deadlines: {compared.late_as_recorded} of {compared.ended} that have a recorded end."
    late = sum(clock.outcome == "late" for clock in judged)
    yield f"Late by our due dates: {late} of {len(judged)} settled; open and overdue: {overdue}."
