"""Progress of a consumer group: lag, throughput, catch-up time and state, from samples of its offsets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ProgressState = Literal["stuck", "falling behind", "catching up", "flowing", "idle"]
STATES: tuple[ProgressState, ...] = ("stuck", "falling behind", "catching up", "flowing", "idle")
"""The worst first. The state of a topic is the worst state of its partitions."""

IN_TRANSIT_SECONDS = 2.0
"""Records that are pending for no longer than this are in transit, not a backlog."""
STUCK_SECONDS = 10.0
"""A partition is stuck if records are pending and its offset has not changed for so long."""


@dataclass(frozen=True, slots=True)
class OffsetSample:
    """Offsets of one consumer group on one partition at the instant `read_at`. All instants are machine time.

    `next_offset` is the first offset that the group has not applied, `end` the partition's end offset. `oldest_at` is
    when the broker received the first pending record; None if no record is pending or the time is unknown. `moved_at`
    is when `next_offset` last changed; None if unknown.
    """

    read_at: datetime
    next_offset: int
    end: int
    oldest_at: datetime | None = None
    moved_at: datetime | None = None

    @property
    def behind(self) -> int:
        """The lag in records. It is 0 for a stored offset beyond the end, as after a loss of records in Kafka."""
        return max(0, self.end - self.next_offset)


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a consumer group on one or several partitions. Rates are records per second, between the samples.

    `behind` is the lag in records. `oldest_at` is when the broker received the oldest pending record.
    `catch_up_seconds` is the time until the lag is 0 at these rates: 0 without lag, None if the lag does not fall.
    `moved_at` is when a stored offset last changed.
    """

    behind: int
    oldest_at: datetime | None
    applied_per_second: float
    arriving_per_second: float
    catch_up_seconds: float | None
    moved_at: datetime | None
    state: ProgressState


def measure(samples: Sequence[OffsetSample]) -> Progress:
    """Return the progress on one partition, from one or more samples in order of time.

    Rates are averages from the first to the last sample, and 0 for a single one; everything else is from the last.
    """
    first, last = samples[0], samples[-1]
    seconds = (last.read_at - first.read_at).total_seconds()
    applied = max(0, last.next_offset - first.next_offset) / seconds if seconds > 0 else 0.0
    arriving = max(0, last.end - first.end) / seconds if seconds > 0 else 0.0
    return Progress(
        last.behind,
        last.oldest_at if last.behind else None,
        applied,
        arriving,
        _catch_up_seconds(last.behind, applied, arriving),
        last.moved_at,
        _state(last, applied, arriving),
    )


def combine(partitions: Iterable[Progress]) -> Progress:
    """Return the progress on several partitions as one: summed lag and rates, and the worst state.

    The catch-up time is the longest, or None if it is None on one partition. Raises ValueError without a partition.
    """
    partitions = list(partitions)
    if not partitions:
        raise ValueError("Progress needs at least one partition.")
    catch_up = [one.catch_up_seconds for one in partitions]
    known = [seconds for seconds in catch_up if seconds is not None]
    return Progress(
        sum(one.behind for one in partitions),
        min((one.oldest_at for one in partitions if one.oldest_at), default=None),
        sum(one.applied_per_second for one in partitions),
        sum(one.arriving_per_second for one in partitions),
        max(known) if len(known) == len(catch_up) else None,
        max((one.moved_at for one in partitions if one.moved_at), default=None),
        worst(one.state for one in partitions),
    )


def worst(states: Iterable[ProgressState]) -> ProgressState:
    """Return the worst of several states in the order of STATES; "idle" if there are none."""
    return min(states, key=STATES.index, default="idle")


def _catch_up_seconds(behind: int, applied: float, arriving: float) -> float | None:
    if behind == 0:
        return 0.0
    return behind / (applied - arriving) if applied > arriving else None


def _state(last: OffsetSample, applied: float, arriving: float) -> ProgressState:
    if last.behind == 0:
        return "flowing" if applied > 0 else "idle"
    if last.oldest_at is not None and (last.read_at - last.oldest_at).total_seconds() <= IN_TRANSIT_SECONDS:
        return "flowing"
    if applied > arriving:
        return "catching up"
    if applied > 0:
        return "falling behind"
    since = max((at for at in (last.oldest_at, last.moved_at) if at is not None), default=None)
    unchanged_seconds = STUCK_SECONDS if since is None else (last.read_at - since).total_seconds()
    return "stuck" if unchanged_seconds >= STUCK_SECONDS else "falling behind"
