"""Working time of a compiled calendar."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.kernel.worktime import NoWorkingTimeError, OutsideCalendarError, Worktime

# Thursday 4 to Monday 8 January 2018 in Vietnam (UTC+7), windows 07:00-11:30 and 13:30-17:00.
DAYS = [date(2018, 1, 4), date(2018, 1, 5), date(2018, 1, 8)]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def seconds(day: date, clock: str) -> int:
    return int(utc(f"{day} {clock}").timestamp())


def four_to_eight(**changes: object) -> Worktime:
    values: dict[str, object] = {
        "name": "week",
        "zone": "Asia/Ho_Chi_Minh",
        "first_date": date(2018, 1, 3),
        "last_date": date(2018, 1, 9),
        "opens": [seconds(day, clock) for day in DAYS for clock in ("00:00", "06:30")],
        "closes": [seconds(day, clock) for day in DAYS for clock in ("04:30", "10:00")],
    }
    return Worktime(**{**values, **changes})  # type: ignore[arg-type] # each test changes one value


WEEK = four_to_eight()


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2018-01-04 00:00", "2018-01-04 04:30", 4.5),
        ("2018-01-04 05:00", "2018-01-04 06:00", 0),
        ("2018-01-04 04:00", "2018-01-04 07:00", 1),
        ("2018-01-05 09:00", "2018-01-08 01:00", 2),
        ("2018-01-08 01:00", "2018-01-05 09:00", -2),
        ("2018-01-03 00:00", "2018-01-09 00:00", 24),
    ],
)
def test_elapsed_time_is_the_time_in_windows(start: str, end: str, hours: float) -> None:
    """Only time in windows counts; it is negative if the end is earlier."""
    assert WEEK.elapsed(utc(start), utc(end)) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2018-01-04 00:00", 4.5, "2018-01-04 04:30"),
        ("2018-01-04 00:00", 8, "2018-01-04 10:00"),
        ("2018-01-04 00:00", 8.5, "2018-01-05 00:30"),
        ("2018-01-04 12:00", 1, "2018-01-05 01:00"),
        ("2018-01-05 09:00", 2, "2018-01-08 01:00"),
        ("2018-01-04 05:00", 0, "2018-01-04 05:00"),
    ],
)
def test_duration_is_added_along_windows(start: str, hours: float, end: str) -> None:
    """Only time in windows counts; an end exactly on a closing time is not moved."""
    assert WEEK.add(utc(start), timedelta(hours=hours)) == utc(end)


@pytest.mark.parametrize(
    ("end", "hours", "start"),
    [
        ("2018-01-05 10:00", 8, "2018-01-05 00:00"),
        ("2018-01-05 10:00", 3.5, "2018-01-05 06:30"),
        ("2018-01-08 01:00", 2, "2018-01-05 09:00"),
        ("2018-01-06 12:00", 1, "2018-01-05 09:00"),
        ("2018-01-06 12:00", 0, "2018-01-06 12:00"),
    ],
)
def test_duration_is_subtracted_along_windows(end: str, hours: float, start: str) -> None:
    """Only time in windows counts; a start exactly on an opening time is not moved."""
    assert WEEK.back(utc(end), timedelta(hours=hours)) == utc(start)


@pytest.mark.parametrize("walk", [WEEK.add, WEEK.back])
def test_negative_duration_is_rejected(walk: object) -> None:
    """The opposite direction is another method, not a negative duration."""
    with pytest.raises(ValueError, match="negative"):
        walk(utc("2018-01-04 00:00"), timedelta(seconds=-1))  # type: ignore[operator] # either of two methods


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2018-01-04 04:29", "2018-01-04 04:29"),
        ("2018-01-04 04:30", "2018-01-04 06:30"),
        ("2018-01-04 06:30", "2018-01-04 06:30"),
        ("2018-01-05 10:00", "2018-01-08 00:00"),
        ("2018-01-03 00:00", "2018-01-04 00:00"),
    ],
)
def test_instant_outside_windows_moves_to_the_next_opening(moment: str, expected: str) -> None:
    """A window includes its start and not its end."""
    assert WEEK.from_opening(utc(moment)) == utc(expected)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2018-01-03 23:59", False),
        ("2018-01-04 00:00", True),
        ("2018-01-04 04:30", True),
        ("2018-01-04 04:31", False),
        ("2018-01-04 06:30", True),
        ("2018-01-04 10:00", True),
        ("2018-01-06 01:00", False),
    ],
)
def test_working_time_includes_closing_times(moment: str, expected: bool) -> None:
    """An instant in a window or at its close is working time; before the first window, none is."""
    assert WEEK.is_working_time(utc(moment)) is expected


def test_working_days_are_counted_over_a_weekend() -> None:
    """The start date does not count, and may be a day off."""
    assert WEEK.working_day_after(date(2018, 1, 5)) == date(2018, 1, 8)
    assert WEEK.working_day_after(date(2018, 1, 4), 2) == date(2018, 1, 8)
    assert WEEK.working_day_before(date(2018, 1, 8)) == date(2018, 1, 5)
    assert WEEK.working_day_before(date(2018, 1, 7), 2) == date(2018, 1, 4)
    assert WEEK.working_day_from(date(2018, 1, 6)) == date(2018, 1, 8)
    assert WEEK.working_day_from(date(2018, 1, 5)) == date(2018, 1, 5)
    assert [WEEK.is_working_day(date(2018, 1, day)) for day in (5, 6)] == [True, False]


def test_day_opens_with_its_first_and_closes_with_its_last_window() -> None:
    """A day opens at the start of its first window and closes at the end of its last."""
    assert (WEEK.opening(date(2018, 1, 5)), WEEK.closing(date(2018, 1, 5))) == (
        utc("2018-01-05 00:00"),
        utc("2018-01-05 10:00"),
    )
    assert WEEK.closing(date(2018, 1, 8)) == utc("2018-01-08 10:00")


def test_day_off_has_no_opening() -> None:
    """The opening of a day off is an error."""
    with pytest.raises(ValueError, match="2018-01-06 is not a working day"):
        WEEK.opening(date(2018, 1, 6))


def test_end_of_a_date_is_local_midnight() -> None:
    """24:00 of a date in Vietnam is 17:00 UTC."""
    assert WEEK.end_of(date(2018, 1, 5)) == utc("2018-01-05 17:00")


@pytest.mark.parametrize(
    "ask",
    [
        lambda: WEEK.add(utc("2018-01-08 09:00"), timedelta(hours=2)),
        lambda: WEEK.back(utc("2018-01-04 01:00"), timedelta(hours=2)),
        lambda: WEEK.from_opening(utc("2018-01-08 10:00")),
        lambda: WEEK.elapsed(utc("2018-01-02 00:00"), utc("2018-01-04 00:00")),
        lambda: WEEK.working_day_after(date(2018, 1, 8)),
        lambda: WEEK.working_day_before(date(2018, 1, 4)),
        lambda: WEEK.is_working_day(date(2018, 1, 10)),
    ],
)
def test_time_outside_the_span_is_an_error(ask: object) -> None:
    """An argument or result outside the span is an error that names calendar and span."""
    with pytest.raises(OutsideCalendarError, match="calendar week covers 2018-01-03 to 2018-01-09"):
        ask()  # type: ignore[operator] # a lambda


@pytest.mark.parametrize(
    "changes",
    [
        {"closes": [seconds(day, clock) for day in DAYS for clock in ("04:30", "06:30")]},
        {"opens": [seconds(day, clock) for day in reversed(DAYS) for clock in ("00:00", "06:30")]},
        {"first_date": date(2018, 1, 5)},
        {"last_date": date(2018, 1, 5)},
        {"opens": [seconds(DAYS[0], "00:00")]},
    ],
)
def test_invalid_windows_are_rejected(changes: dict[str, object]) -> None:
    """Windows that overlap, are not ascending, are empty or are outside the span are rejected."""
    with pytest.raises(ValueError, match=r"out of order|zip"):
        four_to_eight(**changes)


def years_apart(days: int) -> Worktime:
    """A window, and one more window of 4.5 hours `days` days after it closes."""
    opens = [seconds(DAYS[0], "00:00"), seconds(DAYS[0], "04:30") + days * 86_400]
    closes = [seconds(DAYS[0], "04:30"), seconds(DAYS[0], "09:00") + days * 86_400]
    return four_to_eight(opens=opens, closes=closes, last_date=date(2021, 12, 31))


def test_gap_of_366_days_is_crossed() -> None:
    """Hours and days are counted across a gap of 366 days."""
    worktime = years_apart(366)
    after = worktime.opens[1]
    assert worktime.from_opening(worktime.closes[0]) == after
    assert worktime.add(worktime.opens[0], timedelta(hours=5)) == after + timedelta(hours=0.5)
    assert worktime.working_day_after(DAYS[0]) == date(2019, 1, 5)


@pytest.mark.parametrize(
    "ask",
    [
        lambda worktime: worktime.from_opening(worktime.closes[0]),
        lambda worktime: worktime.add(worktime.opens[0], timedelta(hours=5)),
        lambda worktime: worktime.working_day_after(DAYS[0]),
        lambda worktime: worktime.from_opening(worktime.closes[1]),
        lambda worktime: worktime.add(worktime.opens[0], timedelta(hours=50)),
        lambda worktime: worktime.working_day_from(date(2019, 1, 9)),
    ],
)
def test_gap_of_more_than_366_days_is_an_error(ask: Callable[[Worktime], object]) -> None:
    """A longer gap is an error, between windows and after the last one."""
    with pytest.raises(NoWorkingTimeError, match=r"no working window within 366 days of 201[89]"):
        ask(years_apart(367))


def test_gap_is_measured_from_the_start_and_not_backwards() -> None:
    """The limit applies to the time from the start to the next window, and only to searches forward."""
    worktime = years_apart(400)
    late = worktime.closes[0] + timedelta(days=40)
    assert worktime.from_opening(late) == worktime.opens[1]
    assert worktime.add(late, timedelta(hours=1)) == worktime.opens[1] + timedelta(hours=1)
    assert worktime.working_day_before(date(2019, 2, 20)) == date(2019, 2, 8)
    assert worktime.elapsed(worktime.opens[0], worktime.closes[1]) == timedelta(hours=9)
