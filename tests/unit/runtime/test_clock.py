"""Instants are aware and UTC."""

from datetime import timedelta

from shared.runtime.clock import SystemClock, machine_now


def test_both_clocks_give_aware_utc() -> None:
    """A naive instant would move by hours at the first conversion."""
    assert SystemClock().now().utcoffset() == machine_now().utcoffset() == timedelta(0)
