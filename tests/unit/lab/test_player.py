"""The player's windows of acts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from motcua.lab.player import PlayError, window_end, windows
from shared.kernel.worktime import OutsideCalendarError, Worktime

START = datetime(2017, 5, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def act(hours: float, **more: Any) -> dict[str, Any]:
    return {"occurred_at": (START + hours * HOUR).isoformat(), **more}


def cut(*hours: float, until: float | None = None) -> list[tuple[float, list[float]]]:
    """Cut acts into windows of four hours, and return their ends and the hours of their acts."""
    found = windows(
        [act(hour, hour=hour) for hour in hours],
        START,
        lambda end: end + 4 * HOUR,
        until=None if until is None else START + until * HOUR,
    )
    return [((one.end - START) / HOUR, [played["hour"] for played in one.acts]) for one in found]


def test_window_includes_its_end_but_not_its_start() -> None:
    """An act at the end of a window is played in that window."""
    assert cut(1, 4, 4.5, 8, 9) == [(4, [1, 4]), (8, [4.5, 8]), (12, [9])]


def test_windows_without_acts_are_joined() -> None:
    """A window without acts is joined to the next one."""
    assert cut(1, 21, 22) == [(4, [1]), (24, [21, 22])]


def test_acts_before_the_start_are_in_the_first_window() -> None:
    """Acts before the start, from an interrupted play, are in the first window."""
    assert cut(-100, -3, 2) == [(4, [-100, -3, 2])]


def test_last_window_ends_at_the_given_end() -> None:
    """The last window ends at `until`, with or without acts, so the last thresholds fall due."""
    assert cut(1, 6, until=7) == [(4, [1]), (7, [6])]
    assert cut(1, until=30) == [(4, [1]), (30, [])]
    assert cut(until=30) == [(30, [])]
    assert cut(1, 4, until=4) == [(4, [1, 4])]


@pytest.mark.parametrize(
    ("acts", "message"),
    [
        ([act(2), act(1)], r"Act 2 \(2017-05-02T01:00:00+00:00\) is earlier than the act before it"),
        ([act(1), {}], "Act 2 has no occurred_at"),
        ([{"occurred_at": "2017-05-02T08:00:00"}], "Act 1 has no occurred_at with an offset"),
        ([act(99)], "after the end of the play"),
    ],
)
def test_invalid_act_is_named_by_its_number(acts: list[dict[str, Any]], message: str) -> None:
    """The error names the act by its number in the stream."""
    with pytest.raises(PlayError, match=message.replace("+", r"\+")):
        list(windows(acts, START, lambda end: end + 4 * HOUR, until=START + 50 * HOUR))


def test_last_window_ends_with_the_calendar() -> None:
    """A calendar that ends with the play is sufficient; without a given end it is an error."""
    opens = int((START + 8 * HOUR).timestamp())
    day = START.date()
    calendar = Worktime(name="one-day", zone="UTC", first_date=day, last_date=day, opens=[opens], closes=[opens + 7200])
    end = START + 24 * HOUR
    assert window_end(calendar, HOUR, end, START) == START + 9 * HOUR
    assert window_end(calendar, HOUR * 4, end, START) == end
    assert window_end(calendar, HOUR, end, end) == end
    with pytest.raises(OutsideCalendarError):
        window_end(calendar, HOUR, None, end)
