"""Clocks return aware instants in UTC."""

from datetime import timedelta

from shared.runtime.clock import SystemClock, machine_now


def test_clocks_return_aware_utc() -> None:
    """Both clocks return aware instants in UTC."""
    assert SystemClock().now().utcoffset() == machine_now().utcoffset() == timedelta(0)
