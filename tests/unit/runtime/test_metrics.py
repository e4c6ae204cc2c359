"""Names of metrics."""

import pytest

from shared.runtime import metrics


@pytest.mark.parametrize("name", ["relay_sent_total", "motcua_relay_sent", "motcua_Relay_sent_total", "motcua_total"])
def test_counter_with_another_name_is_rejected(name: str) -> None:
    """The name of a metric must follow the naming scheme."""
    with pytest.raises(ValueError, match="the name of a metric is motcua_"):
        metrics.counter(name, "…")


def test_metric_is_rendered() -> None:
    """The value of a metric is in the output for Prometheus."""
    trial = metrics.counter("motcua_trial_seen_total", "A trial.", ("topic",))
    trial.labels("t1").inc(3)
    assert b'motcua_trial_seen_total{topic="t1"} 3.0' in metrics.render()
