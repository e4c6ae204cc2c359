"""Comparison of the services' state with the drawn acts. Each difference is one sentence."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from motcua.lab.demo.expected_clocks import ClockStatus, ExpectedClocks
from motcua.lab.demo.expected_pooling import ExpectedPooling
from motcua.lab.demo.state import ServiceState
from motcua.lab.scenarios.half_year.ledger import DepartmentWeek, Ledger


def differences(state: ServiceState, ledger: Ledger, clocks: ExpectedClocks, pooling: ExpectedPooling) -> Iterator[str]:
    """Yield a sentence for each dossier count, act count, volume, proposal or clock that differs from the draw."""
    yield from _counts("dossiers submitted", state.submitted, ledger.submitted)
    yield from _counts("dossiers received", state.received, ledger.received)
    yield from _counts("dossiers received by counter or post", state.volume, ledger.volume)
    yield from _acts(state.acts, ledger.acts)
    yield from _closed(state, ledger, pooling)
    yield from _proposals(state, ledger, pooling)
    yield from _clocks({key: clock.status for key, clock in state.clocks.items()}, dict(clocks.statuses()))


def _closed(state: ServiceState, ledger: Ledger, pooling: ExpectedPooling) -> Iterator[str]:
    """Yield the differences between routing's closed weeks and volumes and those that the drawn acts imply."""
    if state.last_closed != pooling.last_closed:
        yield f"routing's last closed week is {state.last_closed}, expected {pooling.last_closed}"
    drawn_and_closed = {place for place in ledger.volume if pooling.last_closed and place[1] <= pooling.last_closed}
    for department, week in sorted(state.closed.keys() | drawn_and_closed):
        counted, drawn = state.closed[department, week], ledger.volume[department, week]
        if counted != drawn:
            yield f"{department}, week of {week}: routing counts {counted} by counter or post, {drawn} were drawn"


def _proposals(state: ServiceState, ledger: Ledger, pooling: ExpectedPooling) -> Iterator[str]:
    """Yield the differences between routing's open proposals and those that the rule gives for the drawn volumes."""
    expected, proposed = pooling.pooled(ledger), {one.department: one for one in state.proposals}
    for department in sorted(expected ^ proposed.keys()):
        one, other = ("the rule", "routing") if department in expected else ("routing", "the rule")
        yield f"{department}: {one} proposes to pool it, {other} does not"
    for department, proposal in proposed.items():
        drawn = tuple(pooling.week(ledger, department, week.start) for week in proposal.weeks)
        if drawn != proposal.weeks:
            yield f"{department}: proposed on {proposal.weeks}, drawn were {drawn}"


def _counts(what: str, found: Counter[DepartmentWeek], drawn: Counter[DepartmentWeek]) -> Iterator[str]:
    for department, week in sorted(found.keys() | drawn.keys()):
        if found[department, week] != drawn[department, week]:
            where = f"{department or 'no department'}, week of {week}"
            yield f"{where}: intake has {found[department, week]} {what}, {drawn[department, week]} were drawn"


def _acts(found: Counter[tuple[str, date, str]], drawn: Counter[tuple[str, date, str]]) -> Iterator[str]:
    for place in sorted(found.keys() | drawn.keys()):
        if found[place] != drawn[place]:
            department, week, act = place
            where = f"{department or 'no department'}, week of {week}"
            yield f"{where}: intake has {found[place]} acts {act}, {drawn[place]} were drawn"


def _clocks(found: dict[UUID, ClockStatus], derived: dict[UUID, ClockStatus]) -> Iterator[str]:
    for dossier_id in sorted(found.keys() | derived.keys()):
        expected, stored = derived.get(dossier_id), found.get(dossier_id)
        if expected != stored:
            yield f"{dossier_id}: sla has {stored or 'no clock'}; the rules give {expected or 'no clock'}"
