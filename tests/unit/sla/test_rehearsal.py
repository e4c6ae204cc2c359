"""The effect of a proposed calendar on open clocks, one by one and in total."""

from datetime import date, datetime
from uuid import UUID

import pytest

from services.sla.domain.rehearsal import ComparedClock, Effect, Tally
from tests.unit.sla.builders import at

EARLY, LATE = at("2018-01-03 17:00"), at("2018-01-05 17:00")
NOW = at("2018-01-04 09:00")


def clock(before: datetime | None, after: datetime | None) -> ComparedClock:
    return ComparedClock(UUID(int=1), None, "STP", before, after)


@pytest.mark.parametrize(
    ("before", "after", "how"),
    [
        (EARLY, EARLY, "unmoved"),
        (None, None, "unmoved"),
        (EARLY, LATE, "later"),
        (LATE, EARLY, "earlier"),
        (None, LATE, "gained"),
        (LATE, None, "lost"),
    ],
)
def test_clock_has_one_effect(before: datetime | None, after: datetime | None, how: Effect) -> None:
    """A clock without a due date before and after is unmoved."""
    assert clock(before, after).effect == how


def test_tally_counts_each_clock_once() -> None:
    """Every open clock counts for one effect, and the moved dates are spanned."""
    tally = Tally()
    for before, after in ((EARLY, EARLY), (EARLY, LATE), (LATE, EARLY), (None, LATE)):
        tally.count(clock(before, after), None if before is None else before.date(), NOW)
    assert (tally.open, tally.unmoved, tally.later, tally.earlier, tally.gained, tally.lost) == (4, 1, 1, 1, 1, 0)
    assert (tally.first_moved, tally.last_moved) == (date(2018, 1, 3), date(2018, 1, 5))


def test_past_counts_only_clocks_that_become_overdue() -> None:
    """A clock that is overdue already does not count."""
    tally = Tally()
    tally.count(clock(LATE, EARLY), date(2018, 1, 5), NOW)
    tally.count(clock(EARLY, at("2018-01-02 17:00")), date(2018, 1, 3), NOW)
    assert tally.past == 1
