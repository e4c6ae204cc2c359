"""How a group gets on, told from its readings: rates, time to catch up, and one plain word."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.domain.pace import WORDS, Pace, Standing, pace, together

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def standing(
    at: float, next_offset: int, end: int, *, oldest: float | None = None, moved: float | None = None
) -> Standing:
    """Instants in seconds from NOW."""

    def instant(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW + timedelta(seconds=seconds)

    return Standing(NOW + timedelta(seconds=at), next_offset, end, instant(oldest), instant(moved))


def test_rates_are_those_between_the_first_and_the_last_reading() -> None:
    """Applied: what the stored offset moved; arriving: what the end moved."""
    one = pace([standing(0, 100, 400), standing(1, 100, 410), standing(2, 180, 420, oldest=-9)])
    assert (one.applied_per_second, one.arriving_per_second) == (40, 10)


def test_time_to_catch_up_is_what_is_behind_at_the_rate_that_is_left() -> None:
    """240 behind, 40 applied and 10 arriving a second: eight seconds."""
    assert pace([standing(0, 100, 400), standing(2, 180, 420, oldest=-9)]).catch_up_seconds == 8


@pytest.mark.parametrize(("applied", "arrived"), [(0, 0), (0, 10), (10, 10), (10, 20)])
def test_not_catching_up_has_no_time(applied: int, arrived: int) -> None:
    """Where as much arrives as is applied it never ends."""
    last = standing(2, 100 + applied, 400 + arrived, oldest=-60)
    assert pace([standing(0, 100, 400), last]).catch_up_seconds is None


@pytest.mark.parametrize(
    ("last", "word"),
    [
        (standing(2, 100, 100), "idle"),
        (standing(2, 110, 110), "flowing"),
        (standing(2, 110, 115, oldest=1), "flowing"),
        (standing(2, 150, 160, oldest=-30), "falling behind"),
        (standing(2, 100, 110, oldest=-3), "falling behind"),
        (standing(2, 100, 110, oldest=-30, moved=-30), "stuck"),
        (standing(2, 100, 110, oldest=-30, moved=-3), "falling behind"),
        (standing(2, 100, 110), "stuck"),
    ],
)
def test_a_word_says_how_it_gets_on(last: Standing, word: str) -> None:
    """From a reading two seconds before, at offset 100 of 100."""
    assert pace([standing(0, 100, 100), last]).word == word


def test_more_applied_than_arrives_is_catching_up() -> None:
    """However far behind it is."""
    assert pace([standing(0, 100, 9000), standing(2, 110, 9001, oldest=-3600)]).word == "catching up"


def test_one_reading_tells_no_rate() -> None:
    """What is behind is told all the same."""
    one = pace([standing(0, 5, 9, oldest=-1)])
    assert (one.behind, one.applied_per_second, one.arriving_per_second) == (4, 0, 0)


def test_an_offset_put_back_is_no_negative_rate() -> None:
    """A restored database stands before its former offset."""
    one = pace([standing(0, 90, 100), standing(2, 50, 100, oldest=-60)])
    assert (one.applied_per_second, one.behind) == (0, 50)


def test_a_topic_is_as_slow_and_as_bad_as_the_worst_of_its_partitions() -> None:
    """Sums of counts and rates, the latest end of catching up, the oldest record, the worst word."""
    good = pace([standing(0, 0, 100), standing(2, 50, 100, oldest=-5, moved=1)])
    bad = pace([standing(0, 7, 8), standing(2, 7, 8, oldest=-60, moved=-70)])
    both = together([good, bad])
    assert (both.behind, both.applied_per_second, both.catch_up_seconds, both.word) == (51, 25, None, "stuck")
    assert (both.oldest_at, both.moved_at) == (bad.oldest_at, good.moved_at)


OFFSETS = st.integers(0, 10**6)
INSTANTS = st.none() | st.floats(-1e4, 2)


@st.composite
def paces(draw: st.DrawFn) -> Pace:
    """Any partition between any two readings."""
    first = standing(0, draw(OFFSETS), draw(OFFSETS))
    oldest, moved = draw(INSTANTS), draw(INSTANTS)
    return pace([first, standing(2, draw(OFFSETS), draw(OFFSETS), oldest=oldest, moved=moved)])


@given(paces())
def test_words_and_numbers_agree(one: Pace) -> None:
    """Idle and flowing need no catching up or only a moment's; catching up has a time; stuck has none."""
    assert (one.behind == 0) == (one.catch_up_seconds == 0)
    if one.word == "catching up":
        assert one.catch_up_seconds is not None
        assert one.catch_up_seconds > 0
    if one.word in ("stuck", "falling behind"):
        assert one.behind > 0
        assert one.catch_up_seconds is None
    if one.word == "stuck":
        assert one.applied_per_second == 0


@given(st.lists(paces(), min_size=1, max_size=6))
def test_together_hides_no_bad_partition(several: list[Pace]) -> None:
    """The whole is called what its worst part is, and never catches up before all of them do."""
    whole = together(several)
    assert whole.word == min((one.word for one in several), key=WORDS.index)
    assert whole.behind == sum(one.behind for one in several)
    if whole.catch_up_seconds is not None:
        assert all(one.catch_up_seconds is not None for one in several)
