"""The protocol against log loss keeps its promises in every history, and needs each of its rules."""

import pytest

from tests.model.explorer import explore
from tests.model.log_loss import LogLoss


def test_lost_tail_is_published_again_and_applied() -> None:
    """With two faults at any place, every committed event is published and applied in the end."""
    result = explore(LogLoss())
    assert (result.broken, result.history) == (None, ())
    assert result.states > 10_000


@pytest.mark.parametrize("rule", sorted(LogLoss.RULES))
def test_each_rule_is_needed(rule: str) -> None:
    """Without one of its rules, the protocol loses an event unnoticed."""
    assert explore(LogLoss(without=rule)).broken is not None
