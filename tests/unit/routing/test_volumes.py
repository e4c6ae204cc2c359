"""A week closes right after the last instant at which intake accepts an act dated into it."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.intake.domain.backdating import Backdating
from services.routing.domain.volumes import closes_at
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from shared.kernel.weeks import WEEK
from shared.kernel.worktime import midnight
from tests.support.hand_clock import ZONE, at
from tests.unit.sla.builders import VIETNAM, local

CENTRE = load_centre(Path(__file__).parents[3] / "config" / "binh-phuoc")
SECOND = timedelta(seconds=1)


def with_days(*rows: tuple[str, int]) -> Centre:
    """The shipped centre with limits for dating acts back, each from its date on."""
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
def test_week_closes_after_last_instant_that_intake_accepts(week: str, days: int, expected: str) -> None:
    """By intake's own rule, an act in the week's last second is accepted until then and refused a second later."""
    start = date.fromisoformat(week)
    last = closes_at(start, with_days(("2016-01-01", days)), VIETNAM.worktime, VIETNAM.standard_day)
    assert last is not None
    assert local(last) == expected
    last_second = midnight(start + WEEK, ZONE) - SECOND
    backdating = Backdating(limit=days * VIETNAM.standard_day, calendar=VIETNAM.worktime)
    assert [backdating.allows(last_second, now) for now in (last, last + SECOND)] == [True, False]


def test_larger_limit_before_close_delays_close() -> None:
    """If acts may be dated back by five days from Tuesday on, the week before stays open until the Monday after."""
    raised = with_days(("2016-01-01", 1), ("2017-11-14", 5))
    last = closes_at(date(2017, 11, 6), raised, VIETNAM.worktime, VIETNAM.standard_day)
    assert last == at("2017-11-20 07:00")
    later = with_days(("2016-01-01", 1), ("2017-11-15", 5))
    assert closes_at(date(2017, 11, 6), later, VIETNAM.worktime, VIETNAM.standard_day) == at("2017-11-14 07:00")


def test_week_at_end_of_calendar_never_closes() -> None:
    """A week whose close lies outside the calendar has no closing time."""
    last = VIETNAM.rules.last_date
    assert closes_at(last - timedelta(days=last.weekday()), CENTRE, VIETNAM.worktime, VIETNAM.standard_day) is None
