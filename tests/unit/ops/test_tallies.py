"""Tallies: exact counts and sums, bounded percentiles, and an encoding without loss."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.domain.courses import Course
from services.ops.domain.tallies import EMPTY, Tally, TallyKey, bucket_of, merge, percentile, upper_end, window_of
from services.ops.views.codec import (
    decode_course,
    decode_tally,
    decode_tally_key,
    encode_course,
    encode_key,
    encode_tally,
)

SECONDS = st.floats(0, 1e8).map(lambda value: round(value, 3))


def filled(durations: list[float]) -> Tally:
    """Return a tally of these durations."""
    tally = EMPTY
    for offset, seconds in enumerate(durations):
        tally = tally.add(offset, seconds)
    return tally


@pytest.mark.parametrize(("at", "window"), [(0, 0), (59.999, 0), (60, 60), (3659, 3600)])
def test_window_includes_its_start_and_excludes_its_end(at: float, window: int) -> None:
    """The window is that of the event's own time, so a replayed event of 2017 belongs to 2017."""
    assert window_of("arrivals", at) == window


@given(SECONDS)
def test_bucket_contains_its_durations(seconds: float) -> None:
    """A duration is at most its bucket's upper end and at least the one of the bucket below."""
    bucket = bucket_of(seconds)
    assert seconds <= upper_end(bucket) * (1 + 1e-9)
    assert bucket == 0 or seconds >= upper_end(bucket - 1) * (1 - 1e-9)


@given(st.lists(st.floats(1, 1e8), min_size=1), st.sampled_from([0.5, 0.9, 1.0]))
def test_percentile_is_at_most_a_fifth_too_long(durations: list[float], share: float) -> None:
    """A percentile is never shorter than the true one, and at most 2^¼ times as long."""
    true = sorted(durations)[max(0, ceil(share * len(durations)) - 1)]
    found = percentile(filled(durations), share)
    assert found is not None
    assert true * (1 - 1e-6) <= found <= true * 2**0.25 * (1 + 1e-6)


@given(st.floats(1, 1e8).map(lambda value: round(value, 3)), st.sampled_from([0.5, 0.9, 1.0]))
def test_percentile_of_a_single_duration_is_exact(seconds: float, share: float) -> None:
    """The percentile of 21 s is 21 s, not the 23 s at which its bucket ends."""
    assert percentile(filled([seconds]), share) == pytest.approx(seconds, abs=0.001, rel=1e-9)


def test_percentiles_rise_with_their_share() -> None:
    """A larger share has a percentile that is not shorter, also within one bucket."""
    tally = filled([21.0, 19.5, 20.0, 3.0])
    found = [percentile(tally, share) or 0.0 for share in (0.25, 0.5, 0.75, 1.0)]
    assert found == sorted(found)
    assert found[1] < upper_end(bucket_of(20.0))


def test_tally_without_durations_has_no_percentile() -> None:
    """The percentile of no durations is unknown, not 0."""
    assert percentile(EMPTY, 0.5) is None


@given(st.lists(st.lists(SECONDS), max_size=4))
def test_merged_partitions_equal_one_partition(parts: list[list[float]]) -> None:
    """The merged tallies of several partitions equal the tally of one partition with all events."""
    whole, summed = filled([one for part in parts for one in part]), merge(filled(part) for part in parts)
    assert (summed.count, summed.buckets) == (whole.count, whole.buckets)
    assert summed.seconds == pytest.approx(whole.seconds, rel=1e-9, abs=1e-2)


@given(st.lists(SECONDS), st.text(), st.integers(0, 5))
def test_encoded_tally_is_decoded_without_loss(durations: list[float], label: str, partition: int) -> None:
    """A tally and its key survive encoding to the last digit, so a restart changes no sum."""
    tally, key = filled(durations), TallyKey("stages", partition, 60, (label, "x"))
    assert decode_tally(encode_tally(tally)) == tally
    assert decode_tally_key(encode_key(key)) == key


@pytest.mark.parametrize("value", [b"[1,2,3,[]]", b'["a",2]', b'"ab"', b'{"offset":1,"count":2}', b"[1]", b"not JSON"])
def test_value_of_another_form_is_refused(value: bytes) -> None:
    """The changelog reader skips such an entry."""
    with pytest.raises(ValueError, match=r"."):
        decode_tally(value)


@given(st.builds(Course, st.integers(1), st.text(), SECONDS, SECONDS, st.none() | st.text(), SECONDS))
def test_encoded_course_is_decoded_without_loss(course: Course) -> None:
    """A course survives encoding; the instant of the pause is stored only during a pause."""
    decoded = decode_course(encode_course(course))
    assert (decoded.sequence, decoded.stage, decoded.entered_at, decoded.paused, decoded.pause) == (
        course.sequence, course.stage, course.entered_at, course.paused, course.pause,
    )  # fmt: skip
    assert course.pause is None or decoded.paused_at == course.paused_at
