"""How a lag is told to people."""

from datetime import UTC, datetime, timedelta

import pytest

from motcua.lag import age

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("waited", "told"),
    [
        ([], "–"),
        ([0.25], "0.2 s"),
        ([3, 59.94], "59.9 s"),
        ([60], "0:01:00"),
        ([90_061], "1 day, 1:01:01"),
        ([-5], "0.0 s"),
    ],
)
def test_the_age_is_that_of_the_oldest(waited: list[float], told: str) -> None:
    """Seconds below a minute, a clock above; a stamp from the future (clocks differ) is no negative age."""
    assert age(NOW, [NOW - timedelta(seconds=seconds) for seconds in waited]) == told
