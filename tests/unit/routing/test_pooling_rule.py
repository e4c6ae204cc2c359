"""The general counter's rule: examples, and properties over random years."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.decisions import CurrentReceiving, Receiving
from services.routing.domain.pooling_rule import ProposedChange, propose_change
from services.routing.domain.volumes import Week
from shared.kernel.centre import PoolingRule
from shared.kernel.weeks import WEEK, monday

FIRST = date(2017, 1, 2)
RULE = PoolingRule(
    valid_from=FIRST,
    decision="04/QĐ",
    channels=("counter", "post"),
    full_week_days=5,
    least_working_days=2,
    pool_below=10,
    pool_weeks=4,
    release_from=12,
    release_weeks=2,
    min_stay_weeks=8,
)
OWN, POOLED = CurrentReceiving("department"), CurrentReceiving("general", since=FIRST)
LATE = date(2017, 12, 4)


def weeks(*dossiers: int, first: date = FIRST, working_days: int = 5) -> list[Week]:
    return [Week(first + n * WEEK, count, working_days) for n, count in enumerate(dossiers)]


def to(proposed: ProposedChange | None) -> Receiving | None:
    return None if proposed is None else proposed.receiving


def test_department_below_ten_in_four_weeks_is_pooled() -> None:
    """The rule proposes to pool a department with fewer than ten dossiers in each of the last four counted weeks."""
    found = propose_change(weeks(40, 9, 9, 0, 9), OWN, RULE, earliest_from=LATE)
    assert found == ProposedChange("general", tuple(weeks(9, 9, 0, 9, first=FIRST + WEEK)), LATE)


@pytest.mark.parametrize("counts", [(9, 9, 9), (9, 9, 9, 10), (10, 9, 9, 9), (9, 10, 9, 9), ()])
def test_department_with_too_few_low_weeks_is_not_pooled(counts: tuple[int, ...]) -> None:
    """A week at ten dossiers, or fewer than four counted weeks, prevents pooling."""
    assert propose_change(weeks(*counts), OWN, RULE, earliest_from=LATE) is None


@pytest.mark.parametrize(
    ("counts", "expected"), [((12, 12), "department"), ((0, 0, 12, 50), "department"), ((12, 11), None), ((12,), None)]
)
def test_department_at_twelve_in_two_weeks_is_released(counts: tuple[int, ...], expected: str | None) -> None:
    """The rule proposes to release a department with twelve or more dossiers in each of the last two counted weeks."""
    assert to(propose_change(weeks(*counts), POOLED, RULE, earliest_from=LATE)) == expected


def test_short_week_is_scaled_to_full_week() -> None:
    """Five dossiers in two working days count as 12.5 per week: too many to pool, enough to release."""
    assert Week(FIRST, 5, 2).volume(RULE) == Fraction(25, 2)
    assert propose_change([*weeks(9, 9, 9), Week(FIRST + 3 * WEEK, 5, 2)], OWN, RULE, earliest_from=LATE) is None
    assert to(propose_change([*weeks(12), Week(FIRST + WEEK, 5, 2)], POOLED, RULE, earliest_from=LATE)) == "department"
    assert propose_change([*weeks(12), Week(FIRST + WEEK, 7, 3)], POOLED, RULE, earliest_from=LATE) is None  # 11.67


def test_change_is_not_proposed_within_least_stay() -> None:
    """After a change, the next one takes effect eight weeks later at the earliest."""
    low, high = weeks(*[3] * 30), weeks(*[30] * 30)
    since = date(2017, 5, 8)
    before, after = since + 8 * WEEK - timedelta(days=1), since + 8 * WEEK
    assert propose_change(low, CurrentReceiving("department", since=since), RULE, earliest_from=before) is None
    assert to(propose_change(low, CurrentReceiving("department", since=since), RULE, earliest_from=after)) == "general"
    assert propose_change(high, CurrentReceiving("general", since=since), RULE, earliest_from=before) is None
    assert to(propose_change(high, CurrentReceiving("general", since=since), RULE, earliest_from=after)) == "department"


def test_fixed_department_gets_no_proposal() -> None:
    """The rule proposes no change for a department that a decision fixed."""
    assert (
        propose_change(weeks(0, 0, 0, 0), CurrentReceiving("department", fixed=True), RULE, earliest_from=LATE) is None
    )
    assert (
        propose_change(weeks(90, 90), CurrentReceiving("general", since=FIRST, fixed=True), RULE, earliest_from=LATE)
        is None
    )


def test_rejected_proposal_returns_only_on_later_weeks() -> None:
    """After a rejection, the rule proposes the same only by weeks that were closed later."""
    low = weeks(*[3] * 8)
    rejected = CurrentReceiving("department", rejected_until=low[3].start)
    assert [to(propose_change(low[:n], rejected, RULE, earliest_from=LATE)) for n in range(4, 9)] == [
        None,
        None,
        None,
        None,
        "general",
    ]


def test_rule_with_release_threshold_below_pooling_threshold_is_invalid() -> None:
    """The release threshold must be above the pooling threshold."""
    values = {name: getattr(RULE, name) for name in RULE.__slots__} | {"valid_to": None, "valid_from": FIRST}
    for release_from in (9, 10):
        with pytest.raises(ValueError, match="must be above pool_below"):
            PoolingRule(**(values | {"decision": "1", "invented": (), "note": "", "release_from": release_from}))


years = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), min_size=1, max_size=60)


def simulate(year: list[tuple[int, int]], rule: PoolingRule = RULE) -> list[tuple[date, Receiving]]:
    """The changes of a year in which every proposal is approved at once and takes effect on its earliest date."""
    current, changes, closed = OWN, [], []
    for place, (dossiers, working_days) in enumerate(year):
        closed.append(Week(FIRST + place * WEEK, dossiers, working_days))
        earliest = FIRST + (place + 2) * WEEK
        proposed = propose_change(closed, current, rule, earliest_from=earliest)
        if proposed is not None:
            current = CurrentReceiving(proposed.receiving, since=earliest)
            changes.append((earliest, proposed.receiving))
    return changes


@given(years)
def test_changes_are_at_least_stay_apart(year: list[tuple[int, int]]) -> None:
    """In any year, two changes of a department alternate and lie the least stay apart."""
    changes = simulate(year)
    for (earlier, before), (later, after) in pairwise(changes):
        assert later - earlier >= RULE.min_stay_weeks * WEEK
        assert before != after


@given(years, st.data())
def test_week_with_too_few_working_days_is_ignored(year: list[tuple[int, int]], data: st.DataObject) -> None:
    """A week with at most one working day, such as one around Tết, does not change the proposal."""
    closed = [Week(FIRST + 2 * place * WEEK, *week) for place, week in enumerate(year)]
    tet = Week(
        FIRST + (2 * data.draw(st.integers(0, len(year))) + 1) * WEEK,
        data.draw(st.integers(0, 50)),
        data.draw(st.integers(0, 1)),
    )
    earliest = closed[-1].start + 100 * WEEK
    for current in (OWN, POOLED):
        assert propose_change([*closed, tet], current, RULE, earliest_from=earliest) == propose_change(
            closed, current, RULE, earliest_from=earliest
        )


@given(years, st.randoms(use_true_random=False))
def test_order_of_weeks_is_irrelevant(year: list[tuple[int, int]], shuffled: object) -> None:
    """The rule gives the same proposal for the same weeks in any order."""
    closed = [Week(FIRST + place * WEEK, *week) for place, week in enumerate(year)]
    mixed = list(closed)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    for current in (OWN, POOLED):
        assert propose_change(mixed, current, RULE, earliest_from=LATE) == propose_change(
            closed, current, RULE, earliest_from=LATE
        )


@given(years)
def test_proposal_equals_independent_formulation(year: list[tuple[int, int]]) -> None:
    """The rule proposes exactly what an independent formulation of its text does."""
    closed = [Week(FIRST + place * WEEK, *week) for place, week in enumerate(year)]
    volumes = [week.dossiers * 5 / week.working_days for week in closed if week.working_days >= 2]
    pooled = len(volumes) >= 4 and max(volumes[-4:]) < 10
    released = len(volumes) >= 2 and min(volumes[-2:]) >= 12
    assert (propose_change(closed, OWN, RULE, earliest_from=LATE) is not None) == pooled
    assert (propose_change(closed, POOLED, RULE, earliest_from=FIRST + 200 * WEEK) is not None) == released


def test_weeks_begin_on_monday() -> None:
    """A week runs from Monday to Sunday."""
    assert [monday(date(2017, 5, day)) for day in (7, 8, 14)] == [date(2017, 5, 1), date(2017, 5, 8), date(2017, 5, 8)]
