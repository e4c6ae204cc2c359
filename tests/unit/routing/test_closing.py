"""When a week closes: right after the last instant at which intake takes an act dated into it."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.intake.domain.backdating import Backdating
from services.routing.domain.closing import closes_at
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from shared.kernel.weeks import WEEK
from shared.kernel.worktime import midnight
from tests.support.hand_clock import ZONE, at
from tests.unit.sla.given import VIETNAM, local

CENTRE = load_centre(Path(__file__).parents[3] / "config" / "binh-phuoc")
SECOND = timedelta(seconds=1)


def with_days(*rows: tuple[str, int]) -> Centre:
    """Acts may be dated back by so many working days, each from its date on."""
    (first,) = CENTRE.all_thresholds
    starts = [date.fromisoformat(day) for day, _ in rows]
    ends = [*(start - timedelta(days=1) for start in starts[1:]), None]
    return replace(
        CENTRE,
        all_thresholds=tuple(
            replace(first, valid_from=start, valid_to=end, max_backdate_working_days=days)
            for start, end, (_, days) in zip(starts, ends, rows, strict=True)
        ),
    )


@pytest.mark.parametrize(
    ("week", "days", "expected"),
    [
        ("2017-11-06", 1, "2017-11-14 07:00"),
        ("2017-11-06", 0, "2017-11-13 07:00"),
        ("2017-11-06", 5, "2017-11-20 07:00"),
        ("2017-01-23", 1, "2017-02-03 07:00"),  # Tết: the week after it begins on Thursday 2 February
    ],
)
def test_it_closes_after_the_last_instant_that_intake_takes(week: str, days: int, expected: str) -> None:
    """Held against intake's own rule: the week's last second is taken until then, and refused right after."""
    start = date.fromisoformat(week)
    last = closes_at(start, with_days(("2016-01-01", days)), VIETNAM.worktime, VIETNAM.standard_day)
    assert last is not None
    assert local(last) == expected
    asked = midnight(start + WEEK, ZONE) - SECOND
    backdating = Backdating(limit=days * VIETNAM.standard_day, calendar=VIETNAM.worktime)
    assert [backdating.allows(asked, now) for now in (last, last + SECOND)] == [True, False]


def test_a_larger_limit_that_comes_before_it_closes_counts() -> None:
    """From Tuesday on acts may be dated back by five days, so the week before is open until the Monday after."""
    raised = with_days(("2016-01-01", 1), ("2017-11-14", 5))
    last = closes_at(date(2017, 11, 6), raised, VIETNAM.worktime, VIETNAM.standard_day)
    assert last == at("2017-11-20 07:00")
    later = with_days(("2016-01-01", 1), ("2017-11-15", 5))
    assert closes_at(date(2017, 11, 6), later, VIETNAM.worktime, VIETNAM.standard_day) == at("2017-11-14 07:00")


def test_a_week_at_the_calendars_end_never_closes() -> None:
    last = VIETNAM.rules.last_date
    assert closes_at(last - timedelta(days=last.weekday()), CENTRE, VIETNAM.worktime, VIETNAM.standard_day) is None
