"""What a rehearsal says of open clocks, one by one and summed up."""

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
def test_each_clock_becomes_one_thing(before: datetime | None, after: datetime | None, how: Effect) -> None:
    """A clock without a due date that gets none stays as it is."""
    assert clock(before, after).effect == how


def test_a_tally_adds_up() -> None:
    """Every open clock is counted once by what becomes of it, and the dates that go away are spanned."""
    tally = Tally()
    for before, after in ((EARLY, EARLY), (EARLY, LATE), (LATE, EARLY), (None, LATE)):
        tally.count(clock(before, after), None if before is None else before.date(), NOW)
    assert (tally.open, tally.unmoved, tally.later, tally.earlier, tally.gained, tally.lost) == (4, 1, 1, 1, 1, 0)
    assert (tally.first_moved, tally.last_moved) == (date(2018, 1, 3), date(2018, 1, 5))


def test_only_a_new_past_is_the_changes_doing() -> None:
    """A clock that would be overdue at once is counted; one that is overdue already is not."""
    tally = Tally()
    tally.count(clock(LATE, EARLY), date(2018, 1, 5), NOW)
    tally.count(clock(EARLY, at("2018-01-02 17:00")), date(2018, 1, 3), NOW)
    assert tally.past == 1
