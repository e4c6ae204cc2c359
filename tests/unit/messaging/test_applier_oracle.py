"""The production rule compared with the delivery model, for random histories of records and decisions."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.topics import DOSSIERS
from tests.support.delivery import dossier, record, step
from tests.unit.messaging.oracle import MODEL, Service, load_model

MODEL_MODULE = load_model()
pytestmark = pytest.mark.skipif(MODEL_MODULE is None, reason=f"the delivery model is not at {MODEL}")

NAMES = "abc"
events = st.tuples(
    st.sampled_from(NAMES),
    st.integers(1, 5),
    st.sampled_from([1, 1, 1, 1, 2, 3]),
    st.sampled_from(["", "", "", "other"]),
)
"""Dossier, sequence, epoch and body: duplicates, gaps, reordered and contradicting records occur."""

ordinary = st.builds(
    lambda name, upto, swaps: [(name, n, 1, "") for n in _swapped(list(range(1, upto + 1)), swaps)],
    st.sampled_from(NAMES),
    st.integers(1, 5),
    st.lists(st.integers(0, 3), max_size=2),
)
"""The events of a dossier with some neighbservice exchanged: gaps that close again."""

logs = st.lists(st.one_of(ordinary, st.lists(events, min_size=1, max_size=4)), min_size=1, max_size=6).map(
    lambda parts: [event for part in parts for event in part]
)
poisons = st.sets(st.tuples(st.sampled_from(NAMES), st.integers(1, 5)), max_size=3)
operators = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["", "replay", "discard"])), min_size=1, max_size=8)
"""The records per transaction, and the operator's decision about the first blocking record after it."""


def _swapped(numbers: list[int], swaps: list[int]) -> list[int]:
    for at in swaps:
        if at + 1 < len(numbers):
            numbers[at], numbers[at + 1] = numbers[at + 1], numbers[at]
    return numbers


class Model:
    """The model's state of each dossier, updated record by record."""

    def __init__(self, poison: set[Any]) -> None:
        self.keys = {name: MODEL_MODULE.Key() for name in NAMES}  # type: ignore[union-attr]
        self.poison = poison

    def receive(self, offset: int, event: Any) -> None:
        self.keys[event.dossier] = MODEL_MODULE.receive(self.keys[event.dossier], offset, event, self.poison)  # type: ignore[union-attr]

    def decide(self, name: str, decision: str) -> None:
        self.poison.discard(self.keys[name].blocker.fact)
        self.keys[name] = MODEL_MODULE.decide(self.keys[name], decision, list(self.poison))  # type: ignore[union-attr]


@given(log=logs, poison=poisons, turns=operators)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_history_ends_as_in_the_model(
    log: list[tuple[str, int, int, str]], poison: set[tuple[str, int]], turns: list[tuple[int, str]]
) -> None:
    """Fence, quarantined records and effects agree with the model after every transaction and decision."""
    keys = {name: dossier(number) for number, name in enumerate(NAMES, 1)}
    spelt = [f"{name}{sequence}/{epoch}{body}" for name, sequence, epoch, body in log]
    bad = {text for text, event in zip(spelt, log, strict=True) if event[:2] in poison}
    event_of = MODEL_MODULE.Fact  # type: ignore[union-attr]
    model = Model({event_of(*event) for event in log if event[:2] in poison})
    service = Service(poison=sorted(bad))
    records = [
        record(DOSSIERS, step(keys[name], sequence, text, epoch=epoch), offset)
        for offset, ((name, sequence, epoch, _), text) in enumerate(zip(log, spelt, strict=True))
    ]
    at = 0
    while at < len(log) or any(key.blocker for key in model.keys.values()):
        for count, decision in turns or [(1, "replay")]:
            for offset in range(at, min(at + count, len(log))):
                model.receive(offset, event_of(*log[offset]))
            service.receive(records[at : at + count])
            at = min(at + count, len(log))
            compare(model, service, keys, spelt)
            blocked = next((name for name in NAMES if model.keys[name].blocker), None)
            if blocked and (decision or at == len(log)):
                offset = model.keys[blocked].blocker.offset
                model.decide(blocked, decision or "discard")
                service.decide(offset, decision or "discard")  # type: ignore[arg-type]
                compare(model, service, keys, spelt)


def compare(model: Model, service: Service, keys: dict[str, Any], spelt: list[str]) -> None:
    """Compare each dossier; the flag is set if and only if records are quarantined."""
    for name, key in model.keys.items():
        row = service.rows.get(keys[name])
        fence = row.fence(DOSSIERS.name) if row else None
        assert ((fence.sequence, fence.epoch) if fence else (0, 0)) == key.fence
        assert service.pending(keys[name]) == [(item.offset, item.why) for item in key.held]
        assert (fence.quarantined if fence else False) == bool(key.held)
        effects = [spelt[offset] for _, how, offset in key.trail if how in ("applied", "replayed")]
        assert (row.steps if row else []) == effects
