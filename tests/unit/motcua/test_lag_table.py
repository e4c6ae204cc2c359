"""How lag is printed."""

from datetime import UTC, datetime, timedelta

import pytest

from motcua.cli.lag import age

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("waited", "printed"),
    [(None, "–"), (0.25, "0.2 s"), (59.94, "59.9 s"), (60, "0:01:00"), (90_061, "1 day, 1:01:01")],
)
def test_an_age_is_seconds_below_a_minute_and_a_clock_above(waited: float | None, printed: str) -> None:
    """What never was has a dash."""
    assert age(NOW, None if waited is None else NOW - timedelta(seconds=waited)) == printed


def test_a_stamp_from_the_future_is_no_negative_age() -> None:
    """The clocks of two machines differ."""
    assert age(NOW, NOW + timedelta(seconds=5)) == "0.0 s"
