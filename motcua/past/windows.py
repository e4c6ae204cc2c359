"""The past cut into windows: a player sends one, sets the clock to its end, and only then takes the next."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from motcua.past.acts import PastAct
from shared.kernel.worktime import OutsideCalendarError, Worktime


@dataclass(frozen=True, slots=True)
class Window:
    """The acts after `after` up to and including `until`, in time order; there may be none."""

    after: datetime
    until: datetime
    acts: tuple[PastAct, ...]


def window_ends(worktime: Worktime, start: datetime, until: datetime, length: timedelta) -> Iterator[datetime]:
    """Ends of windows of `length` working time each, from `start` on; the last one is `until`.

    Nights and days off belong to the window after them. Raises ValueError unless `length` is positive.
    """
    if length <= timedelta(0):
        raise ValueError(f"a window of {length} never ends")
    end = start
    while True:
        try:
            end = worktime.add(end, length)
        except OutsideCalendarError:
            end = until  # the calendar has no working time left: one last window
        if end >= until:
            yield until
            return
        yield end


def cut(acts: Iterable[PastAct], start: datetime, ends: Iterable[datetime]) -> Iterator[Window]:
    """The acts in windows, taking no more of them than the window needs; `start` itself is in the first one.

    Raises ValueError for an act before the one before it, before `start`, or after the last end: nothing is lost.
    """
    waiting = iter(acts)
    act = next(waiting, None)
    after, last = start, start
    for end in ends:
        taken: list[PastAct] = []
        while act is not None and act.occurred_at <= end:
            if act.occurred_at < last:
                raise ValueError(f"{act.key} at {act.occurred_at} comes after an act at {last}")
            last = act.occurred_at
            taken.append(act)
            act = next(waiting, None)
        yield Window(after, end, tuple(taken))
        after = end
    if act is not None:
        raise ValueError(f"{act.key} at {act.occurred_at} lies after the last window, which ends at {after}")
