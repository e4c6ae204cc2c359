"""Metrics are named one way."""

import pytest

from shared.runtime import metrics


@pytest.mark.parametrize("name", ["relay_sent_total", "motcua_relay_sent", "motcua_Relay_sent_total", "motcua_total"])
def test_counter_outside_the_naming_is_refused(name: str) -> None:
    """A name that nobody can guess is a graph that nobody finds."""
    with pytest.raises(ValueError, match="named motcua_"):
        metrics.counter(name, "…")


def test_metric_is_rendered() -> None:
    """What a module counts, Prometheus reads."""
    trial = metrics.counter("motcua_trial_seen_total", "A trial.", ("topic",))
    trial.labels("t1").inc(3)
    assert b'motcua_trial_seen_total{topic="t1"} 3.0' in metrics.render()
