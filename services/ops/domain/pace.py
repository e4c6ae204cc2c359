"""How a group gets on: what is behind, how fast it is worked off, and when it will be, from readings of its offsets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Word = Literal["stuck", "falling behind", "catching up", "flowing", "idle"]
WORDS: tuple[Word, ...] = ("stuck", "falling behind", "catching up", "flowing", "idle")
"""The worst first; a topic is called what the worst of its partitions is."""

FRESH_SECONDS = 2.0
"""Records that wait no longer than this are on their way, not behind."""
STUCK_SECONDS = 10.0
"""Without any progress for so long, while records wait, a partition is stuck."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One group on one partition at one moment (machine time).

    `next_offset` is the first that is not applied, `end` where the partition ends. `oldest_at` is when the broker took
    the first unprocessed record: None where there is none, or where it could not be told. `moved_at` is when
    `next_offset` last changed, as far as anybody noted it.
    """

    read_at: datetime
    next_offset: int
    end: int
    oldest_at: datetime | None = None
    moved_at: datetime | None = None

    @property
    def behind(self) -> int:
        """Records not yet applied. A stored offset beyond the end (Kafka lost records) is none, here."""
        return max(0, self.end - self.next_offset)


@dataclass(frozen=True, slots=True)
class Pace:
    """How one or several partitions get on. Rates are records a second over the readings.

    `catch_up_seconds`: at these rates; 0 where nothing is behind, None where it is not catching up.
    """

    behind: int
    oldest_at: datetime | None
    applied_per_second: float
    arriving_per_second: float
    catch_up_seconds: float | None
    moved_at: datetime | None
    word: Word


def pace(readings: Sequence[Standing]) -> Pace:
    """How one partition gets on, from at least one reading, in order of time. One alone tells no rates."""
    first, last = readings[0], readings[-1]
    seconds = (last.read_at - first.read_at).total_seconds()
    applied = max(0, last.next_offset - first.next_offset) / seconds if seconds > 0 else 0.0
    arriving = max(0, last.end - first.end) / seconds if seconds > 0 else 0.0
    return Pace(
        last.behind,
        last.oldest_at if last.behind else None,
        applied,
        arriving,
        _catch_up(last.behind, applied, arriving),
        last.moved_at,
        _word(last, applied, arriving),
    )


def together(paces: Iterable[Pace]) -> Pace:
    """Several partitions as one: the sum of what is behind and of the rates, the oldest, the worst word.

    It catches up when the slowest of them does. Raises ValueError for none.
    """
    paces = list(paces)
    if not paces:
        raise ValueError("no partitions, no pace")
    catching = [one.catch_up_seconds for one in paces]
    known = [seconds for seconds in catching if seconds is not None]
    return Pace(
        sum(one.behind for one in paces),
        min((one.oldest_at for one in paces if one.oldest_at), default=None),
        sum(one.applied_per_second for one in paces),
        sum(one.arriving_per_second for one in paces),
        max(known) if len(known) == len(catching) else None,
        max((one.moved_at for one in paces if one.moved_at), default=None),
        _worst([one.word for one in paces]),
    )


def _worst(words: Sequence[Word]) -> Word:
    """A partition without records says nothing about the others: idle only where all are."""
    return min(words, key=WORDS.index)


def _catch_up(behind: int, applied: float, arriving: float) -> float | None:
    if behind == 0:
        return 0.0
    return behind / (applied - arriving) if applied > arriving else None


def _word(last: Standing, applied: float, arriving: float) -> Word:
    if last.behind == 0:
        return "flowing" if applied > 0 else "idle"
    if last.oldest_at is not None and (last.read_at - last.oldest_at).total_seconds() <= FRESH_SECONDS:
        return "flowing"
    if applied > arriving:
        return "catching up"
    if applied > 0:
        return "falling behind"
    since = max((at for at in (last.oldest_at, last.moved_at) if at is not None), default=None)
    quiet = STUCK_SECONDS if since is None else (last.read_at - since).total_seconds()
    return "stuck" if quiet >= STUCK_SECONDS else "falling behind"
