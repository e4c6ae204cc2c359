"""Counts in windows: exact sums, percentiles that say what they promise, bytes that come back."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.codec import course_bytes, key_bytes, read_course, read_key, read_tally, tally_bytes
from services.ops.domain.courses import Course
from services.ops.domain.tallies import NOTHING, Key, Tally, bucket_of, percentile, together, upper_end, window_of

SECONDS = st.floats(0, 1e8).map(lambda value: round(value, 3))


def filled(durations: list[float]) -> Tally:
    """A tally of these."""
    tally = NOTHING
    for offset, seconds in enumerate(durations):
        tally = tally.plus(offset, seconds)
    return tally


@pytest.mark.parametrize(("at", "window"), [(0, 0), (59.999, 0), (60, 60), (3659, 3600)])
def test_a_window_includes_its_begin_and_not_its_end(at: float, window: int) -> None:
    """By the event's own time: a record of 2017 that is read today belongs to 2017."""
    assert window_of("arrivals", at) == window


@given(SECONDS)
def test_a_bucket_holds_what_it_says(seconds: float) -> None:
    """Not longer than its upper end, and longer than the one below."""
    bucket = bucket_of(seconds)
    assert seconds <= upper_end(bucket) * (1 + 1e-9)
    assert bucket == 0 or seconds >= upper_end(bucket - 1) * (1 - 1e-9)


@given(st.lists(st.floats(1, 1e8), min_size=1), st.sampled_from([0.5, 0.9, 1.0]))
def test_a_percentile_is_at_most_a_fifth_too_long(durations: list[float], share: float) -> None:
    """Never shorter than the true one."""
    true = sorted(durations)[max(0, ceil(share * len(durations)) - 1)]
    told = percentile(filled(durations), share)
    assert told is not None
    assert true * (1 - 1e-6) <= told <= true * 2**0.25 * (1 + 1e-6)


@given(st.floats(1, 1e8).map(lambda value: round(value, 3)), st.sampled_from([0.5, 0.9, 1.0]))
def test_a_single_duration_is_told_as_it_is(seconds: float, share: float) -> None:
    """21 s are within 21 s, not within the 23 s at which their bucket ends."""
    assert percentile(filled([seconds]), share) == pytest.approx(seconds, abs=0.001, rel=1e-9)


def test_a_longer_share_takes_no_less_time() -> None:
    """Also where both lie in one bucket."""
    tally = filled([21.0, 19.5, 20.0, 3.0])
    told = [percentile(tally, share) or 0.0 for share in (0.25, 0.5, 0.75, 1.0)]
    assert told == sorted(told)
    assert told[1] < upper_end(bucket_of(20.0))


def test_no_durations_have_no_percentile() -> None:
    """Unknown is not zero."""
    assert percentile(NOTHING, 0.5) is None


@given(st.lists(st.lists(SECONDS), max_size=4))
def test_partitions_add_up_to_the_whole(parts: list[list[float]]) -> None:
    """Whoever sums the tallies of several partitions has what one partition would have counted."""
    whole, summed = filled([one for part in parts for one in part]), together(filled(part) for part in parts)
    assert (summed.count, summed.buckets) == (whole.count, whole.buckets)
    assert summed.seconds == pytest.approx(whole.seconds, rel=1e-9, abs=1e-2)


@given(st.lists(SECONDS), st.text(), st.integers(0, 5))
def test_what_is_written_is_read_back(durations: list[float], word: str, partition: int) -> None:
    """To the last digit: a restart must not change a sum."""
    tally, key = filled(durations), Key("stages", partition, 60, (word, "x"))
    assert read_tally(tally_bytes(tally)) == tally
    assert read_key(key_bytes(key)) == key


@given(st.builds(Course, st.integers(1), st.text(), SECONDS, SECONDS, st.none() | st.text(), SECONDS))
def test_a_course_is_read_back(course: Course) -> None:
    """What is not in a pause needs no pause's instant."""
    back = read_course(course_bytes(course))
    assert (back.sequence, back.stage, back.entered_at, back.paused, back.pause) == (
        course.sequence, course.stage, course.entered_at, course.paused, course.pause,
    )  # fmt: skip
    assert course.pause is None or back.paused_at == course.paused_at
