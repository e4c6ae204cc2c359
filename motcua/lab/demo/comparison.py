"""The services' state against what was drawn: every difference a sentence."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from motcua.lab.demo.expected_clocks import Derivation, Promise
from motcua.lab.demo.expected_pooling import Judged
from motcua.lab.demo.state import State
from motcua.lab.scenarios.half_year.ledger import Ledger, Place


def differences(state: State, ledger: Ledger, derivation: Derivation, judged: Judged) -> Iterator[str]:
    """Where dossiers, acts, due dates, outcomes, volumes or proposals are not what the drawn acts come to."""
    yield from _counts("dossiers submitted", state.submitted, ledger.submitted)
    yield from _counts("dossiers received", state.received, ledger.received)
    yield from _counts("dossiers received by counter or post", state.volume, ledger.volume)
    yield from _acts(state.acts, ledger.acts)
    yield from _closed(state, ledger, judged)
    yield from _proposals(state, ledger, judged)
    yield from _promises({key: clock.promise for key, clock in state.clocks.items()}, dict(derivation.promises()))


def _closed(state: State, ledger: Ledger, judged: Judged) -> Iterator[str]:
    """Every week that can be closed is, with what was drawn."""
    if state.last_closed != judged.last_closed:
        yield f"routing's last closed week is {state.last_closed}; by now it would be {judged.last_closed}"
    drawn_and_closed = {place for place in ledger.volume if judged.last_closed and place[1] <= judged.last_closed}
    for department, week in sorted(state.closed.keys() | drawn_and_closed):
        told, drawn = state.closed[department, week], ledger.volume[department, week]
        if told != drawn:
            yield f"{department}, week of {week}: routing counts {told} by counter or post, {drawn} were drawn"


def _proposals(state: State, ledger: Ledger, judged: Judged) -> Iterator[str]:
    """Open are those alone for which the rule speaks with the last closed week, by figures as drawn."""
    expected, told = judged.pooled(ledger), {one.department: one for one in state.proposals}
    for department in sorted(expected ^ told.keys()):
        yield f"{department}: {'the rule proposes' if department in expected else 'routing proposes'} to pool it alone"
    for department, one in told.items():
        drawn = tuple(judged.week(ledger, department, week.start) for week in one.weeks)
        if drawn != one.weeks:
            yield f"{department}: proposed on {one.weeks}, drawn were {drawn}"


def _counts(what: str, told: Counter[Place], drawn: Counter[Place]) -> Iterator[str]:
    for department, week in sorted(told.keys() | drawn.keys()):
        if told[department, week] != drawn[department, week]:
            where = f"{department or 'no department'}, week of {week}"
            yield f"{where}: intake has {told[department, week]} {what}, {drawn[department, week]} were drawn"


def _acts(told: Counter[tuple[str, date, str]], drawn: Counter[tuple[str, date, str]]) -> Iterator[str]:
    for place in sorted(told.keys() | drawn.keys()):
        if told[place] != drawn[place]:
            department, week, act = place
            where = f"{department or 'no department'}, week of {week}"
            yield f"{where}: intake has {told[place]} acts {act}, {drawn[place]} were drawn"


def _promises(told: dict[UUID, Promise], derived: dict[UUID, Promise]) -> Iterator[str]:
    for dossier_id in sorted(told.keys() | derived.keys()):
        ours, theirs = derived.get(dossier_id), told.get(dossier_id)
        if ours != theirs:
            yield f"{dossier_id}: sla has {theirs or 'no clock'}; the rules give {ours or 'no clock'}"
