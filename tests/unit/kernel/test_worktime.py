"""Working time by binary search over compiled windows."""

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
    given: dict[str, object] = {
        "name": "week",
        "zone": "Asia/Ho_Chi_Minh",
        "first_date": date(2018, 1, 3),
        "last_date": date(2018, 1, 9),
        "opens": [seconds(day, clock) for day in DAYS for clock in ("00:00", "06:30")],
        "closes": [seconds(day, clock) for day in DAYS for clock in ("04:30", "10:00")],
    }
    return Worktime(**{**given, **changes})  # type: ignore[arg-type] # each test changes one value


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
def test_elapsed(start: str, end: str, hours: float) -> None:
    """Only time inside windows counts, and its sign is that of the order."""
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
def test_add(start: str, hours: float, end: str) -> None:
    """Walked along the windows; an end exactly on a closing time stays there."""
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
def test_back(end: str, hours: float, start: str) -> None:
    """Walked backwards; a start exactly on an opening time stays there."""
    assert WEEK.back(utc(end), timedelta(hours=hours)) == utc(start)


@pytest.mark.parametrize("walk", [WEEK.add, WEEK.back])
def test_negative_duration(walk: object) -> None:
    """Walking the other way is another method, not a sign."""
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
def test_from_opening(moment: str, expected: str) -> None:
    """A window includes its start and not its end."""
    assert WEEK.from_opening(utc(moment)) == utc(expected)


def test_working_days_around_a_weekend() -> None:
    """Counted from a date that is not counted itself; the date may be a day off."""
    assert WEEK.working_day_after(date(2018, 1, 5)) == date(2018, 1, 8)
    assert WEEK.working_day_after(date(2018, 1, 4), 2) == date(2018, 1, 8)
    assert WEEK.working_day_before(date(2018, 1, 8)) == date(2018, 1, 5)
    assert WEEK.working_day_before(date(2018, 1, 7), 2) == date(2018, 1, 4)
    assert WEEK.working_day_from(date(2018, 1, 6)) == date(2018, 1, 8)
    assert WEEK.working_day_from(date(2018, 1, 5)) == date(2018, 1, 5)
    assert [WEEK.is_working_day(date(2018, 1, day)) for day in (5, 6)] == [True, False]


def test_opening_and_closing_of_a_day() -> None:
    """The first window's start and the last window's end."""
    assert (WEEK.opening(date(2018, 1, 5)), WEEK.closing(date(2018, 1, 5))) == (
        utc("2018-01-05 00:00"),
        utc("2018-01-05 10:00"),
    )
    assert WEEK.closing(date(2018, 1, 8)) == utc("2018-01-08 10:00")


def test_no_opening_on_a_day_off() -> None:
    """A day off has no first window; none is made up."""
    with pytest.raises(ValueError, match="2018-01-06 is not a working day"):
        WEEK.opening(date(2018, 1, 6))


def test_end_of_a_date_is_local_midnight() -> None:
    """24:00 in Vietnam is 17:00 UTC."""
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
def test_outside_the_span(ask: object) -> None:
    """Where the span ends the answer ends, with an error that names both."""
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
def test_tables_out_of_order(changes: dict[str, object]) -> None:
    """Windows that overlap, go backwards, are empty or leave the span are refused."""
    with pytest.raises(ValueError, match=r"out of order|zip"):
        four_to_eight(**changes)


def years_apart(days: int) -> Worktime:
    """The week, and one more window of 4.5 hours that many days after its last close."""
    opens = [seconds(DAYS[0], "00:00"), seconds(DAYS[0], "04:30") + days * 86_400]
    closes = [seconds(DAYS[0], "04:30"), seconds(DAYS[0], "09:00") + days * 86_400]
    return four_to_eight(opens=opens, closes=closes, last_date=date(2021, 12, 31))


def test_working_time_within_366_days_is_waited_for() -> None:
    """A gap of 366 days is crossed by hours and by days."""
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
def test_no_working_time_within_366_days(ask: Callable[[Worktime], object]) -> None:
    """Longer than that nothing is waited for, neither between windows nor after the last one."""
    with pytest.raises(NoWorkingTimeError, match=r"no working window within 366 days of 201[89]"):
        ask(years_apart(367))


def test_a_gap_may_be_entered_late_and_crossed_backwards() -> None:
    """What counts is how long one waits, not how long the gap is; looking back waits for nothing."""
    worktime = years_apart(400)
    late = worktime.closes[0] + timedelta(days=40)
    assert worktime.from_opening(late) == worktime.opens[1]
    assert worktime.add(late, timedelta(hours=1)) == worktime.opens[1] + timedelta(hours=1)
    assert worktime.working_day_before(date(2019, 2, 20)) == date(2019, 2, 8)
    assert worktime.elapsed(worktime.opens[0], worktime.closes[1]) == timedelta(hours=9)
