"""Tallies: how often something happened in a window, and how long it took, as counts that can be added up.

A tally belongs to one partition of one topic and remembers the last offset that it reflects. So a record that comes
again changes nothing, and of two values of one tally the later one is the one with the higher offset.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, log2
from typing import NamedTuple

WINDOW_SECONDS: Mapping[str, int] = {"arrivals": 60, "stages": 3600, "messages": 3600}
"""The length of each view's windows, by the event's own time."""

_BUCKETS_A_DOUBLING = 4
_LEAST_SECONDS = 1.0
_ROUNDED_SECONDS = 0.0005
"""By which a sum may be too small for each duration in it."""


class Key(NamedTuple):
    """What is counted: `view` and `what` (a department; two states; a channel and an outcome), in the window that
    begins at `window` (seconds since 1970; 0 for what has no window), on a source `partition`."""

    view: str
    partition: int
    window: int
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """`count` of them up to and including the record at `offset`; with durations: their sum and buckets."""

    offset: int
    count: int = 0
    seconds: float = 0.0
    buckets: Mapping[int, int] = field(default_factory=dict)

    def plus(self, offset: int, seconds: float | None = None) -> "Tally":
        """With one more, of the record at `offset`. Seconds are kept to the millisecond: so they travel unchanged."""
        if seconds is None:
            return Tally(offset, self.count + 1, self.seconds, self.buckets)
        bucket = bucket_of(seconds)
        buckets = {**self.buckets, bucket: self.buckets.get(bucket, 0) + 1}
        return Tally(offset, self.count + 1, round(self.seconds + seconds, 3), buckets)


NOTHING = Tally(-1)


def window_of(view: str, at: float) -> int:
    """The begin of the window in which an instant lies; a window includes its begin and not its end."""
    length = WINDOW_SECONDS[view]
    return int(at // length) * length


def bucket_of(seconds: float) -> int:
    """Buckets grow by a fourth of a doubling; the first holds everything up to a second."""
    return 0 if seconds <= _LEAST_SECONDS else ceil(log2(seconds / _LEAST_SECONDS) * _BUCKETS_A_DOUBLING)


def upper_end(bucket: int) -> float:
    """The longest duration of a bucket, in seconds."""
    return float(_LEAST_SECONDS * 2 ** (bucket / _BUCKETS_A_DOUBLING))


def _lower_end(bucket: int) -> float:
    return upper_end(bucket - 1) if bucket else 0.0


def percentile(tally: Tally, share: float) -> float | None:
    """Within how many seconds the `share` (0 to 1) of all durations lies, or a little more; None for no durations.

    Never below the true one, and at most a fifth (2^¼) above it, for durations of a second and more. It is the upper
    end of its bucket, or less where the sum leaves less: what all durations exceed the lower ends of their buckets by
    is shared by those of this bucket that are not shorter. So a single duration is told as it is.
    """
    total = sum(tally.buckets.values())
    if not total:
        return None
    lower_ends = sum(_lower_end(bucket) * times for bucket, times in tally.buckets.items())
    excess = max(0.0, tally.seconds + total * _ROUNDED_SECONDS - lower_ends)
    rank, reached = max(1, ceil(share * total)), 0
    for bucket in sorted(tally.buckets):
        reached += tally.buckets[bucket]
        if reached >= rank:
            return min(upper_end(bucket), _lower_end(bucket) + excess / (reached - rank + 1))
    raise AssertionError("the last bucket reaches the whole")


def together(tallies: Iterable[Tally]) -> Tally:
    """Tallies of several partitions or windows as one; its offset means nothing."""
    count, seconds = 0, 0.0
    buckets: dict[int, int] = {}
    for tally in tallies:
        count += tally.count
        seconds += tally.seconds
        for bucket, times in tally.buckets.items():
            buckets[bucket] = buckets.get(bucket, 0) + times
    return Tally(-1, count, seconds, buckets)
