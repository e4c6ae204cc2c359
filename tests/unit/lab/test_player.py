"""Acts cut into windows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from motcua.lab.player import PlayError, next_end, windows
from shared.kernel.worktime import OutsideCalendarError, Worktime

START = datetime(2017, 5, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def act(hours: float, **more: Any) -> dict[str, Any]:
    return {"occurred_at": (START + hours * HOUR).isoformat(), **more}


def cut(*hours: float, until: float | None = None) -> list[tuple[float, list[float]]]:
    """Windows of four hours, as their ends and the hours of their acts."""
    found = windows(
        [act(hour, hour=hour) for hour in hours],
        START,
        lambda end: end + 4 * HOUR,
        until=None if until is None else START + until * HOUR,
    )
    return [((one.end - START) / HOUR, [played["hour"] for played in one.acts]) for one in found]


def test_a_window_includes_its_end_and_not_its_start() -> None:
    """What happens at the end is played before the time gets there."""
    assert cut(1, 4, 4.5, 8, 9) == [(4, [1, 4]), (8, [4.5, 8]), (12, [9])]


def test_windows_without_acts_are_joined() -> None:
    """Nothing happens at night but thresholds, and these are told in their order all the same."""
    assert cut(1, 21, 22) == [(4, [1]), (24, [21, 22])]


def test_acts_of_before_the_start_are_in_the_first_window() -> None:
    """A play that broke off begins anew: what was played is known, and changes nothing."""
    assert cut(-100, -3, 2) == [(4, [-100, -3, 2])]


def test_the_play_ends_where_it_is_told() -> None:
    """Also when nobody acts any more: the last thresholds fall due."""
    assert cut(1, 6, until=7) == [(4, [1]), (7, [6])]
    assert cut(1, until=30) == [(4, [1]), (30, [])]
    assert cut(until=30) == [(30, [])]
    assert cut(1, 4, until=4) == [(4, [1, 4])]


@pytest.mark.parametrize(
    ("acts", "said"),
    [
        ([act(2), act(1)], "act 2 is of 2017-05-02T01:00:00+00:00, before the act before it"),
        ([act(1), {}], "act 2 has no occurred_at"),
        ([{"occurred_at": "2017-05-02T08:00:00"}], "act 1 has no occurred_at with an offset"),
        ([act(99)], "after the end of the play"),
    ],
)
def test_what_cannot_be_played_is_named(acts: list[dict[str, Any]], said: str) -> None:
    """By its number, in the order given."""
    with pytest.raises(PlayError, match=said.replace("+", r"\+")):
        list(windows(acts, START, lambda end: end + 4 * HOUR, until=START + 50 * HOUR))


def test_the_last_window_is_shorter_where_the_calendar_ends() -> None:
    """A calendar that ends with the past is enough to play it; without an end it is told that it is not."""
    opens = int((START + 8 * HOUR).timestamp())
    day = START.date()
    calendar = Worktime(name="one-day", zone="UTC", first_date=day, last_date=day, opens=[opens], closes=[opens + 7200])
    end = START + 24 * HOUR
    assert next_end(calendar, HOUR, end, START) == START + 9 * HOUR
    assert next_end(calendar, HOUR * 4, end, START) == end
    assert next_end(calendar, HOUR, end, end) == end
    with pytest.raises(OutsideCalendarError):
        next_end(calendar, HOUR, None, end)
