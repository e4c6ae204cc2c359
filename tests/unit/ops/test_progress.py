"""Progress of a consumer group from its samples: rates, catch-up time and state."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.domain.progress import STATES, OffsetSample, Progress, combine, measure

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def sample(
    at: float, next_offset: int, end: int, *, oldest: float | None = None, moved: float | None = None
) -> OffsetSample:
    """Return a sample whose instants are in seconds from NOW."""

    def instant(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW + timedelta(seconds=seconds)

    return OffsetSample(NOW + timedelta(seconds=at), next_offset, end, instant(oldest), instant(moved))


def test_rates_are_averages_from_first_to_last_sample() -> None:
    """The applied rate is the change of the stored offset, the arriving rate that of the end offset."""
    one = measure([sample(0, 100, 400), sample(1, 100, 410), sample(2, 180, 420, oldest=-9)])
    assert (one.applied_per_second, one.arriving_per_second) == (40, 10)


def test_catch_up_time_is_lag_divided_by_the_difference_of_the_rates() -> None:
    """A lag of 240 with 40 records applied and 10 arriving per second takes 8 seconds."""
    assert measure([sample(0, 100, 400), sample(2, 180, 420, oldest=-9)]).catch_up_seconds == 8


@pytest.mark.parametrize(("applied", "arrived"), [(0, 0), (0, 10), (10, 10), (10, 20)])
def test_group_that_does_not_catch_up_has_no_catch_up_time(applied: int, arrived: int) -> None:
    """The catch-up time is unknown if as many records arrive as are applied."""
    last = sample(2, 100 + applied, 400 + arrived, oldest=-60)
    assert measure([sample(0, 100, 400), last]).catch_up_seconds is None


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (sample(2, 100, 100), "idle"),
        (sample(2, 110, 110), "flowing"),
        (sample(2, 110, 115, oldest=1), "flowing"),
        (sample(2, 150, 160, oldest=-30), "falling behind"),
        (sample(2, 100, 110, oldest=-3), "falling behind"),
        (sample(2, 100, 110, oldest=-30, moved=-30), "stuck"),
        (sample(2, 100, 110, oldest=-30, moved=-3), "falling behind"),
        (sample(2, 100, 110), "stuck"),
    ],
)
def test_state_follows_from_offsets_and_ages(last: OffsetSample, state: str) -> None:
    """The state results from the last sample and one at offset 100 of 100 two seconds earlier."""
    assert measure([sample(0, 100, 100), last]).state == state


def test_applying_faster_than_arrival_is_catching_up() -> None:
    """A group that applies more than arrives is catching up, regardless of its lag."""
    assert measure([sample(0, 100, 9000), sample(2, 110, 9001, oldest=-3600)]).state == "catching up"


def test_single_sample_has_no_rates() -> None:
    """A single sample has a lag and rates of 0."""
    one = measure([sample(0, 5, 9, oldest=-1)])
    assert (one.behind, one.applied_per_second, one.arriving_per_second) == (4, 0, 0)


def test_reset_offset_has_no_negative_rate() -> None:
    """A restored database has a lower stored offset, which is not a negative rate."""
    one = measure([sample(0, 90, 100), sample(2, 50, 100, oldest=-60)])
    assert (one.applied_per_second, one.behind) == (0, 50)


def test_topic_combines_sums_and_worst_values_of_its_partitions() -> None:
    """A topic has the sums of lag and rates, the oldest record, and the worst catch-up time and state."""
    good = measure([sample(0, 0, 100), sample(2, 50, 100, oldest=-5, moved=1)])
    bad = measure([sample(0, 7, 8), sample(2, 7, 8, oldest=-60, moved=-70)])
    both = combine([good, bad])
    assert (both.behind, both.applied_per_second, both.catch_up_seconds, both.state) == (51, 25, None, "stuck")
    assert (both.oldest_at, both.moved_at) == (bad.oldest_at, good.moved_at)


OFFSETS = st.integers(0, 10**6)
INSTANTS = st.none() | st.floats(-1e4, 2)


@st.composite
def progress_values(draw: st.DrawFn) -> Progress:
    """Return the progress of any partition between any two samples."""
    first = sample(0, draw(OFFSETS), draw(OFFSETS))
    oldest, moved = draw(INSTANTS), draw(INSTANTS)
    return measure([first, sample(2, draw(OFFSETS), draw(OFFSETS), oldest=oldest, moved=moved)])


@given(progress_values())
def test_state_agrees_with_lag_and_catch_up_time(one: Progress) -> None:
    """A catch-up time of 0 means no lag; catching up has a time; stuck and falling behind have a lag and no time."""
    assert (one.behind == 0) == (one.catch_up_seconds == 0)
    if one.state == "catching up":
        assert one.catch_up_seconds is not None
        assert one.catch_up_seconds > 0
    if one.state in ("stuck", "falling behind"):
        assert one.behind > 0
        assert one.catch_up_seconds is None
    if one.state == "stuck":
        assert one.applied_per_second == 0


@given(st.lists(progress_values(), min_size=1, max_size=6))
def test_combined_progress_shows_the_worst_partition(several: list[Progress]) -> None:
    """The combined state is the worst one, and the catch-up time is known only if it is known for all."""
    whole = combine(several)
    assert whole.state == min((one.state for one in several), key=STATES.index)
    assert whole.behind == sum(one.behind for one in several)
    if whole.catch_up_seconds is not None:
        assert all(one.catch_up_seconds is not None for one in several)
