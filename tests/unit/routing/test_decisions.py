"""Signed decisions by date: the one in force, possible effective dates, and departments without a counter."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from services.routing.domain.decisions import (
    CurrentReceiving,
    Decision,
    Decisions,
    effective_date_error,
    initial_decisions,
    missing_counters,
    next_week_start,
)
from shared.catalogue import load_centre
from shared.kernel.worktime import OutsideCalendarError, Worktime
from tests.support.centre_folder import edited, write_centre
from tests.unit.sla.builders import VIETNAM

DAY = timedelta(days=1)
TET: Worktime = VIETNAM.worktime


def decision(day: str, receiving: str, number: str, *, fixed: bool = False) -> Decision:
    """A decision about STC from that day on."""
    assert receiving in ("general", "department")
    return Decision(
        department="STC",
        effective_from=date.fromisoformat(day),
        receiving="general" if receiving == "general" else "department",
        number=number,
        fixed=fixed,
    )


POOLED = decision("2018-01-08", "general", "1")
FIXED = decision("2018-03-05", "general", "2", fixed=True)
RELEASED = decision("2018-06-04", "department", "3")
ALL = Decisions([RELEASED, POOLED, FIXED])


@pytest.mark.parametrize(
    ("day", "expected", "following"),
    [
        ("2018-01-07", None, POOLED),
        ("2018-01-08", POOLED, FIXED),
        ("2018-03-04", POOLED, FIXED),
        ("2018-03-05", FIXED, RELEASED),
        ("2018-06-04", RELEASED, None),
        ("2030-01-01", RELEASED, None),
    ],
)
def test_decision_is_in_force_until_next_one(day: str, expected: Decision | None, following: Decision | None) -> None:
    """A decision is in force from its date to the day before the next one's date."""
    on = date.fromisoformat(day)
    assert (ALL.in_force("STC", on), ALL.next_after("STC", on)) == (expected, following)
    pooled = expected is not None and expected.receiving == "general"
    assert ALL.pooling("STC", on) == (expected if pooled else None)
    assert (ALL.in_force("STP", on), ALL.count) == (None, 3)


def test_current_receiving_begins_with_last_change() -> None:
    """A decision that only fixes a department does not change since when it receives where it does."""
    found = [ALL.current("STC", date.fromisoformat(day)) for day in ("2018-01-07", "2018-02-01", "2018-04-01")]
    assert found == [
        CurrentReceiving("department"),
        CurrentReceiving("general", since=POOLED.effective_from),
        CurrentReceiving("general", since=POOLED.effective_from, fixed=True),
    ]
    assert ALL.current("STC", RELEASED.effective_from) == CurrentReceiving("department", since=RELEASED.effective_from)


def test_initial_decision_with_end_releases_department(tmp_path: Path) -> None:
    """After the last day of a row of receiving.csv, the department receives at its own counters."""
    receiving = edited("receiving.csv", "2017-12-04,,", "2017-12-04,2018-02-11,")
    first, last = initial_decisions(load_centre(write_centre(tmp_path, receiving_csv=receiving)))
    assert (first.receiving, first.effective_from, first.number) == ("general", date(2017, 12, 4), "15/QĐ")
    assert (last.receiving, last.effective_from, last.number) == ("department", date(2018, 2, 12), "15/QĐ")


def test_initial_decision_followed_by_another_does_not_release(tmp_path: Path) -> None:
    """A row that begins on the day after another one's end replaces it."""
    receiving = edited("receiving.csv", "2017-12-04,,", "2017-12-04,2018-01-31,") + "STC,2018-02-01,,16/QĐ,,\n"
    found = initial_decisions(load_centre(write_centre(tmp_path, receiving_csv=receiving)))
    assert [(each.effective_from, each.receiving, each.number) for each in found] == [
        (date(2017, 12, 4), "general", "15/QĐ"),
        (date(2018, 2, 1), "general", "16/QĐ"),
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2017-01-16", None),
        ("2017-01-09", "is not after today, 2017-01-11"),
        ("2017-01-11", "is not after today, 2017-01-11"),
        ("2017-01-17", "is not the start of its working week, which is 2017-01-16"),
        ("2017-01-21", "is a day off"),
        ("2017-01-30", "is a day off"),  # Tết: 26 January to 1 February
        ("2017-02-02", None),  # so the week begins on a Thursday
        ("2017-02-03", "is not the start of its working week, which is 2017-02-02"),
    ],
)
def test_effective_date_is_start_of_later_working_week(day: str, expected: str | None) -> None:
    """A decision takes effect only at the start of a later working week; the error names the next one."""
    error = effective_date_error(date.fromisoformat(day), today=date(2017, 1, 11), worktime=TET)
    assert (error is None) if expected is None else (error is not None and expected in error)
    assert error is None or error.endswith("The next working week starts on 2017-01-16.")


def test_next_week_start_is_earliest_possible_date() -> None:
    """On each day of a year, the next week's start is a possible effective date, and no earlier day is."""
    day = date(2017, 1, 1)
    while day < date(2018, 1, 1):
        start = next_week_start(TET, day)
        assert effective_date_error(start, today=day, worktime=TET) is None
        earlier = [day + n * DAY for n in range((start - day).days)]
        assert all(effective_date_error(each, today=day, worktime=TET) is not None for each in earlier)
        day += DAY
    with pytest.raises(OutsideCalendarError):
        effective_date_error(date(2040, 1, 2), today=day, worktime=TET)


def test_department_without_counter_is_reported(tmp_path: Path) -> None:
    """A department needs a counter of its own on every day on which no decision pools it."""
    counters = edited("counters.csv", "4,department,CA,2017-04-28,,", "4,department,CA,2017-04-28,2018-06-30,")
    centre = load_centre(write_centre(tmp_path, counters_csv=counters))
    assert missing_counters(centre, Decisions(initial_decisions(centre)), date(2018, 1, 1)) == [
        "CA has no counter and is not pooled on 2018-07-01: open one in counters.csv"
    ]
    pooled = Decision(department="CA", effective_from=date(2018, 7, 1), receiving="general", number="9")
    assert missing_counters(centre, Decisions([*initial_decisions(centre), pooled]), date(2018, 1, 1)) == []
    late = Decision(department="CA", effective_from=date(2018, 7, 2), receiving="general", number="9")
    assert len(missing_counters(centre, Decisions([*initial_decisions(centre), late]), date(2018, 1, 1))) == 1
    assert missing_counters(centre, Decisions([*initial_decisions(centre), late]), date(2018, 7, 2)) == []
