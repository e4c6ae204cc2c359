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
    """What a tally counts.

    `labels` are a department, two states, or a channel and an outcome, depending on the `view`. `window` is the start
    of the window in seconds since 1970; 0 for a tally without a window. `partition` is that of the source topic.
    """

    view: str
    partition: int
    window: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """The number of events up to and including the record at `offset`; for durations also their sum and histogram."""

    offset: int
    count: int = 0
    seconds: float = 0.0
    buckets: Mapping[int, int] = field(default_factory=dict)

    def add(self, offset: int, seconds: float | None = None) -> "Tally":
        """Return this tally with one more event. The sum is rounded to milliseconds, so it is stored without loss."""
        if seconds is None:
            return Tally(offset, self.count + 1, self.seconds, self.buckets)
        bucket = bucket_of(seconds)
        buckets = {**self.buckets, bucket: self.buckets.get(bucket, 0) + 1}
        return Tally(offset, self.count + 1, round(self.seconds + seconds, 3), buckets)


EMPTY = Tally(-1)


def window_of(view: str, at: float) -> int:
    """Return the start of the window that contains an instant; a window includes its start and excludes its end."""
    length = WINDOW_SECONDS[view]
    return int(at // length) * length


def bucket_of(seconds: float) -> int:
    """Return the histogram bucket of a duration. Bucket 0 ends at one second; each next one is 2^¼ times as wide."""
    if seconds <= _FIRST_BUCKET_SECONDS:
        return 0
    return ceil(log2(seconds / _FIRST_BUCKET_SECONDS) * _BUCKETS_PER_DOUBLING)


def upper_end(bucket: int) -> float:
    """Return the longest duration of a bucket, in seconds."""
    return float(_FIRST_BUCKET_SECONDS * 2 ** (bucket / _BUCKETS_PER_DOUBLING))


def _lower_end(bucket: int) -> float:
    return upper_end(bucket - 1) if bucket else 0.0


def percentile(tally: Tally, share: float) -> float | None:
    """Return the percentile `share` (0 to 1) of the durations in seconds; None without durations.

    It is never below the true percentile. For durations of a second or more it is at most 2^¼ times as long, that is
    a fifth too long. It is the upper end of the bucket, limited by the sum: the excess of all durations over the lower
    ends of their buckets is shared by the durations of this bucket that are not shorter. The percentile of a single
    duration is therefore exact.
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
    """Return the tallies of several partitions or windows as one, whose offset has no meaning."""
    count, seconds = 0, 0.0
    buckets: dict[int, int] = {}
    for tally in tallies:
        count += tally.count
        seconds += tally.seconds
        for bucket, times in tally.buckets.items():
            buckets[bucket] = buckets.get(bucket, 0) + times
    return Tally(-1, count, seconds, buckets)
