"""The general counter's rule: by hand, and as properties over random years."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.pooling import Change, Receiving, Standing, Week, change
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
OWN, POOLED = Standing("department"), Standing("general", since=FIRST)
LATE = date(2017, 12, 4)


def weeks(*dossiers: int, first: date = FIRST, working_days: int = 5) -> list[Week]:
    return [Week(first + n * WEEK, count, working_days) for n, count in enumerate(dossiers)]


def to(proposed: Change | None) -> Receiving | None:
    return None if proposed is None else proposed.receiving


def test_below_ten_in_each_of_four_weeks_is_pooled() -> None:
    found = change(weeks(40, 9, 9, 0, 9), OWN, RULE, coming=LATE)
    assert found == Change("general", tuple(weeks(9, 9, 0, 9, first=FIRST + WEEK)), LATE)


@pytest.mark.parametrize("counts", [(9, 9, 9), (9, 9, 9, 10), (10, 9, 9, 9), (9, 10, 9, 9), ()])
def test_one_week_at_ten_or_one_too_few_keeps_its_counters(counts: tuple[int, ...]) -> None:
    assert change(weeks(*counts), OWN, RULE, coming=LATE) is None


@pytest.mark.parametrize(
    ("counts", "expected"), [((12, 12), "department"), ((0, 0, 12, 50), "department"), ((12, 11), None), ((12,), None)]
)
def test_twelve_in_each_of_two_weeks_is_released(counts: tuple[int, ...], expected: str | None) -> None:
    assert to(change(weeks(*counts), POOLED, RULE, coming=LATE)) == expected


def test_a_short_week_is_scaled() -> None:
    """Five dossiers in two working days are twelve and a half a week: no reason to pool, and one to release."""
    assert Week(FIRST, 5, 2).volume(RULE) == Fraction(25, 2)
    assert change([*weeks(9, 9, 9), Week(FIRST + 3 * WEEK, 5, 2)], OWN, RULE, coming=LATE) is None
    assert to(change([*weeks(12), Week(FIRST + WEEK, 5, 2)], POOLED, RULE, coming=LATE)) == "department"
    assert change([*weeks(12), Week(FIRST + WEEK, 7, 3)], POOLED, RULE, coming=LATE) is None  # 11.67


def test_it_stays_eight_weeks_after_a_change() -> None:
    low, high = weeks(*[3] * 30), weeks(*[30] * 30)
    since = date(2017, 5, 8)
    before, after = since + 8 * WEEK - timedelta(days=1), since + 8 * WEEK
    assert change(low, Standing("department", since=since), RULE, coming=before) is None
    assert to(change(low, Standing("department", since=since), RULE, coming=after)) == "general"
    assert change(high, Standing("general", since=since), RULE, coming=before) is None
    assert to(change(high, Standing("general", since=since), RULE, coming=after)) == "department"


def test_a_fixed_department_is_left_alone() -> None:
    assert change(weeks(0, 0, 0, 0), Standing("department", fixed=True), RULE, coming=LATE) is None
    assert change(weeks(90, 90), Standing("general", since=FIRST, fixed=True), RULE, coming=LATE) is None


def test_what_a_leader_refused_comes_again_only_on_later_weeks() -> None:
    low = weeks(*[3] * 8)
    refused = Standing("department", refused_until=low[3].start)
    assert [to(change(low[:n], refused, RULE, coming=LATE)) for n in range(4, 9)] == [None, None, None, None, "general"]


def test_a_release_threshold_not_above_the_pooling_threshold_is_refused() -> None:
    values = {name: getattr(RULE, name) for name in RULE.__slots__} | {"valid_to": None, "valid_from": FIRST}
    for release_from in (9, 10):
        with pytest.raises(ValueError, match="must be above pool_below"):
            PoolingRule(**(values | {"decision": "1", "invented": (), "note": "", "release_from": release_from}))


years = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), min_size=1, max_size=60)


def lived(year: list[tuple[int, int]], rule: PoolingRule = RULE) -> list[tuple[date, Receiving]]:
    """The changes of a year in which every proposal is approved at once and takes effect on the next Monday."""
    standing, changes, closed = OWN, [], []
    for place, (dossiers, working_days) in enumerate(year):
        closed.append(Week(FIRST + place * WEEK, dossiers, working_days))
        coming = FIRST + (place + 2) * WEEK
        proposed = change(closed, standing, rule, coming=coming)
        if proposed is not None:
            standing = Standing(proposed.receiving, since=coming)
            changes.append((coming, proposed.receiving))
    return changes


@given(years)
def test_it_never_flaps_inside_the_stay(year: list[tuple[int, int]]) -> None:
    changes = lived(year)
    for (earlier, before), (later, after) in pairwise(changes):
        assert later - earlier >= RULE.min_stay_weeks * WEEK
        assert before != after


@given(years, st.data())
def test_a_tet_week_changes_nothing_by_itself(year: list[tuple[int, int]], data: st.DataObject) -> None:
    """A week with one working day or none, whatever it held, put in anywhere: the same proposal."""
    closed = [Week(FIRST + 2 * place * WEEK, *week) for place, week in enumerate(year)]
    tet = Week(
        FIRST + (2 * data.draw(st.integers(0, len(year))) + 1) * WEEK,
        data.draw(st.integers(0, 50)),
        data.draw(st.integers(0, 1)),
    )
    coming = closed[-1].start + 100 * WEEK
    for standing in (OWN, POOLED):
        assert change([*closed, tet], standing, RULE, coming=coming) == change(closed, standing, RULE, coming=coming)


@given(years, st.randoms(use_true_random=False))
def test_the_order_of_the_weeks_is_irrelevant(year: list[tuple[int, int]], shuffled: object) -> None:
    closed = [Week(FIRST + place * WEEK, *week) for place, week in enumerate(year)]
    mixed = list(closed)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    for standing in (OWN, POOLED):
        assert change(mixed, standing, RULE, coming=LATE) == change(closed, standing, RULE, coming=LATE)


@given(years)
def test_what_is_proposed_follows_from_its_own_figures(year: list[tuple[int, int]]) -> None:
    """Held against the sentence of the rule, written another way."""
    closed = [Week(FIRST + place * WEEK, *week) for place, week in enumerate(year)]
    volumes = [week.dossiers * 5 / week.working_days for week in closed if week.working_days >= 2]
    pooled = len(volumes) >= 4 and max(volumes[-4:]) < 10
    released = len(volumes) >= 2 and min(volumes[-2:]) >= 12
    assert (change(closed, OWN, RULE, coming=LATE) is not None) == pooled
    assert (change(closed, POOLED, RULE, coming=FIRST + 200 * WEEK) is not None) == released


def test_weeks_begin_on_monday() -> None:
    assert [monday(date(2017, 5, day)) for day in (7, 8, 14)] == [date(2017, 5, 1), date(2017, 5, 8), date(2017, 5, 8)]
