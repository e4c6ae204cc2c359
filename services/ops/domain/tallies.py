"""Tallies: count, sum and histogram of one kind of event in one time window, which can be merged.

A tally belongs to one partition of one source topic and stores the last offset that it reflects. A record that is
read twice therefore changes nothing, and of two values of a tally the later one has the higher offset.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, log2
from typing import NamedTuple

WINDOW_SECONDS: Mapping[str, int] = {"arrivals": 60, "stages": 3600, "messages": 3600}
"""The length of each view's windows, by the event's own time."""

_BUCKETS_PER_DOUBLING = 4
_FIRST_BUCKET_SECONDS = 1.0
_ROUNDING_SECONDS = 0.0005
"""The largest rounding error of a stored sum per duration."""


class TallyKey(NamedTuple):
    """Identifies a tally: the view, the partition of the source topic, the time window and the labels that it counts.

    `labels` are a department, two states, a channel and an outcome, or a topic, depending on the `view`. `window` is
    the start of the window in seconds since 1970 (centre time); 0 for a tally without a window.
    """

    view: str
    partition: int
    window: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of counted events, up to and including the record at `offset`.

    For durations also their sum (`seconds`) and histogram (`buckets`: bucket -> number of durations).
    """

    offset: int
    count: int = 0
    seconds: float = 0.0
    buckets: Mapping[int, int] = field(default_factory=dict)

    def add(self, offset: int, seconds: float | None = None) -> "Tally":
        """Return a copy with one more event, read at `offset`; this tally does not change.

        `seconds` is the event's duration, if it has one. The sum is rounded to milliseconds.
        """
        if seconds is None:
            return Tally(offset, self.count + 1, self.seconds, self.buckets)
        bucket = bucket_of(seconds)
        buckets = {**self.buckets, bucket: self.buckets.get(bucket, 0) + 1}
        return Tally(offset, self.count + 1, round(self.seconds + seconds, 3), buckets)


EMPTY = Tally(-1)


def window_of(view: str, at: float) -> int:
    """Return the start of the view's window that contains the instant `at`, both in seconds since 1970.

    A window includes its start and excludes its end.
    """
    length = WINDOW_SECONDS[view]
    return int(at // length) * length


def bucket_of(seconds: float) -> int:
    """Return the number of the histogram bucket for a duration.

    Bucket 0 ends at one second; the end of each following bucket is 2^¼ times that of the one before.
    """
    if seconds <= _FIRST_BUCKET_SECONDS:
        return 0
    return ceil(log2(seconds / _FIRST_BUCKET_SECONDS) * _BUCKETS_PER_DOUBLING)


def upper_end(bucket: int) -> float:
    """Return the longest duration that belongs to a histogram bucket, in seconds."""
    return float(_FIRST_BUCKET_SECONDS * 2 ** (bucket / _BUCKETS_PER_DOUBLING))


def _lower_end(bucket: int) -> float:
    return upper_end(bucket - 1) if bucket else 0.0


def percentile(tally: Tally, share: float) -> float | None:
    """Estimate the percentile `share` (0 to 1) of a tally's durations, in seconds; None if it has no durations.

    The estimate is never below the true percentile. If that is a second or more, the estimate is at most 2^¼ times as
    long, that is a fifth too long. It is the upper end of the percentile's bucket, limited by the sum of all durations:
    their excess over the lower ends of their buckets is shared by the durations of this bucket that are not shorter
    than the percentile. For a single duration, the estimate exceeds it by rounding only.
    """
    total = sum(tally.buckets.values())
    if not total:
        return None
    lower_ends = sum(_lower_end(bucket) * times for bucket, times in tally.buckets.items())
    excess = max(0.0, tally.seconds + total * _ROUNDING_SECONDS - lower_ends)
    rank, reached = max(1, ceil(share * total)), 0
    for bucket in sorted(tally.buckets):
        reached += tally.buckets[bucket]
        if reached >= rank:
            return min(upper_end(bucket), _lower_end(bucket) + excess / (reached - rank + 1))
    raise AssertionError("The last bucket reaches the total.")


def merge(tallies: Iterable[Tally]) -> Tally:
    """Return the sum of the tallies of several partitions or windows. Its offset is -1 and has no meaning."""
    count, seconds = 0, 0.0
    buckets: dict[int, int] = {}
    for tally in tallies:
        count += tally.count
        seconds += tally.seconds
        for bucket, times in tally.buckets.items():
            buckets[bucket] = buckets.get(bucket, 0) + times
    return Tally(-1, count, seconds, buckets)
