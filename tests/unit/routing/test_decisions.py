"""Decisions about the general counter by date: which is in force, from when one may count, who would be left out."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from services.routing.domain.decisions import Decision, Decisions, fault_of_date, next_start, seeded, unreceived
from services.routing.domain.pooling import Standing
from shared.catalogue import load_centre
from shared.kernel.worktime import OutsideCalendarError, Worktime
from tests.support.centre_folder import edited, write_centre
from tests.unit.sla.builders import VIETNAM

DAY = timedelta(days=1)
TET: Worktime = VIETNAM.worktime


def decision(day: str, receiving: str, number: str, *, fixed: bool = False) -> Decision:
    """STC's, from that day on."""
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
    ("day", "expected", "coming"),
    [
        ("2018-01-07", None, POOLED),
        ("2018-01-08", POOLED, FIXED),
        ("2018-03-04", POOLED, FIXED),
        ("2018-03-05", FIXED, RELEASED),
        ("2018-06-04", RELEASED, None),
        ("2030-01-01", RELEASED, None),
    ],
)
def test_one_is_in_force_until_the_next(day: str, expected: Decision | None, coming: Decision | None) -> None:
    on = date.fromisoformat(day)
    assert (ALL.in_force("STC", on), ALL.coming("STC", on)) == (expected, coming)
    pooled = expected is not None and expected.receiving == "general"
    assert ALL.pooling("STC", on) == (expected if pooled else None)
    assert (ALL.in_force("STP", on), ALL.count) == (None, 3)


def test_how_a_department_stands() -> None:
    """Since its receiving place changed; a decision that only fixes it changes nothing about that."""
    found = [ALL.standing("STC", date.fromisoformat(day)) for day in ("2018-01-07", "2018-02-01", "2018-04-01")]
    assert found == [
        Standing("department"),
        Standing("general", since=POOLED.effective_from),
        Standing("general", since=POOLED.effective_from, fixed=True),
    ]
    assert ALL.standing("STC", RELEASED.effective_from) == Standing("department", since=RELEASED.effective_from)


def test_a_seed_that_ends_gives_the_counters_back(tmp_path: Path) -> None:
    receiving = edited("receiving.csv", "2017-12-04,,", "2017-12-04,2018-02-11,")
    first, last = seeded(load_centre(write_centre(tmp_path, receiving_csv=receiving)))
    assert (first.receiving, first.effective_from, first.number) == ("general", date(2017, 12, 4), "15/QĐ")
    assert (last.receiving, last.effective_from, last.number) == ("department", date(2018, 2, 12), "15/QĐ")


def test_a_seed_that_another_follows_at_once_gives_nothing_back(tmp_path: Path) -> None:
    receiving = edited("receiving.csv", "2017-12-04,,", "2017-12-04,2018-01-31,") + "STC,2018-02-01,,16/QĐ,,\n"
    found = seeded(load_centre(write_centre(tmp_path, receiving_csv=receiving)))
    assert [(each.effective_from, each.receiving, each.number) for each in found] == [
        (date(2017, 12, 4), "general", "15/QĐ"),
        (date(2018, 2, 1), "general", "16/QĐ"),
    ]


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2017-01-16", None),
        ("2017-01-09", "is not after 2017-01-11, today"),
        ("2017-01-11", "is not after 2017-01-11, today"),
        ("2017-01-17", "is not the start of its working week, which is 2017-01-16"),
        ("2017-01-21", "is a day off"),
        ("2017-01-30", "is a day off"),  # Tết: 26 January to 1 February
        ("2017-02-02", None),  # so the week begins on a Thursday
        ("2017-02-03", "is not the start of its working week, which is 2017-02-02"),
    ],
)
def test_a_decision_counts_from_the_start_of_a_coming_working_week(day: str, said: str | None) -> None:
    fault = fault_of_date(date.fromisoformat(day), today=date(2017, 1, 11), worktime=TET)
    assert (fault is None) if said is None else (fault is not None and said in fault)
    assert fault is None or fault.endswith("the next start of a working week is 2017-01-16")


def test_the_next_start_is_one_that_would_do() -> None:
    """For each day of a year, and none earlier would."""
    day = date(2017, 1, 1)
    while day < date(2018, 1, 1):
        start = next_start(TET, day)
        assert fault_of_date(start, today=day, worktime=TET) is None
        assert all(fault_of_date(day + n * DAY, today=day, worktime=TET) is not None for n in range((start - day).days))
        day += DAY
    with pytest.raises(OutsideCalendarError):
        fault_of_date(date(2040, 1, 2), today=day, worktime=TET)


def test_a_department_for_which_nobody_receives_is_named(tmp_path: Path) -> None:
    """Pooled by decision it needs no counter of its own, from the day of the decision on."""
    counters = edited("counters.csv", "4,department,CA,2017-04-28,,", "4,department,CA,2017-04-28,2018-06-30,")
    centre = load_centre(write_centre(tmp_path, counters_csv=counters))
    assert unreceived(centre, Decisions(seeded(centre)), date(2018, 1, 1)) == [
        "CA has no counter and is not pooled on 2018-07-01: open one in counters.csv"
    ]
    pooled = Decision(department="CA", effective_from=date(2018, 7, 1), receiving="general", number="9")
    assert unreceived(centre, Decisions([*seeded(centre), pooled]), date(2018, 1, 1)) == []
    late = Decision(department="CA", effective_from=date(2018, 7, 2), receiving="general", number="9")
    assert len(unreceived(centre, Decisions([*seeded(centre), late]), date(2018, 1, 1))) == 1
    assert unreceived(centre, Decisions([*seeded(centre), late]), date(2018, 7, 2)) == []
