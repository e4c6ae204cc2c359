"""The past in windows: nothing lost, nothing early, nights and days off with the window after them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from motcua.past.acts import Doer, PastAct
from motcua.past.half_year.drawing import HalfYear
from motcua.past.windows import cut, window_ends
from services.sla.domain.calendar import compile_calendar
from shared.kernel.worktime import Worktime
from shared.runtime.centre import load_centre

ROOT = Path(__file__).parents[3]
HALF_A_DAY = timedelta(hours=4)


@pytest.fixture(scope="module")
def worktime() -> Worktime:
    """The calendar of the shipped centre."""
    return compile_calendar(load_centre(ROOT / "config" / "binh-phuoc").calendar).worktime


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of May 2017 at the centre (seven hours before UTC)."""
    return datetime(2017, 5, day, hour, minute, tzinfo=UTC) - timedelta(hours=7)


def act(at: datetime) -> PastAct:
    """Any act at that instant."""
    return PastAct(
        key=at.isoformat(),
        act="take_over",
        dossier_id=UUID(int=0),
        department="STP",
        occurred_at=at,
        doer=Doer(id="officer", role="officer", department="STP"),
    )


def test_windows_end_where_half_a_working_day_has_passed(worktime: Worktime) -> None:
    """Four working hours each; a weekend lies within one window."""
    ends = list(window_ends(worktime, local(11, 0), local(16, 0), HALF_A_DAY))
    assert ends == [
        local(11, 11),
        local(11, 17),
        local(12, 11),
        local(12, 17),
        local(15, 11),
        local(15, 17),
        local(16, 0),
    ]


def test_windows_need_a_length(worktime: Worktime) -> None:
    """A window without length would never end."""
    with pytest.raises(ValueError, match="never ends"):
        next(window_ends(worktime, local(11, 0), local(12, 0), timedelta(0)))


def test_last_window_ends_where_asked_even_past_the_calendar(worktime: Worktime) -> None:
    """Where the calendar has no working time left there is one last window."""
    start, until = worktime.closes[-1], worktime.ends_at
    assert list(window_ends(worktime, start, until, HALF_A_DAY)) == [until]


def test_an_act_at_a_windows_end_belongs_to_it() -> None:
    """A window is after its start, up to and including its end; the first one has its start, too."""
    start, middle, end = local(11, 0), local(11, 11), local(11, 17)
    windows = list(cut([act(start), act(middle), act(end)], start, [middle, end]))
    assert [[one.occurred_at for one in window.acts] for window in windows] == [[start, middle], [end]]
    assert [(window.after, window.until) for window in windows] == [(start, middle), (middle, end)]


def test_no_more_is_taken_than_the_window_needs() -> None:
    """A stream of any length is cut as it comes: one act is looked at ahead, no more."""
    taken: list[datetime] = []

    def stream() -> Iterator[PastAct]:
        for hour in (8, 9, 14, 15):
            taken.append(local(11, hour))
            yield act(local(11, hour))

    first = next(cut(stream(), local(11, 0), [local(11, 11), local(11, 17)]))
    assert len(first.acts) == 2
    assert taken[-1] == local(11, 14)


def test_acts_out_of_order_are_refused() -> None:
    """Nothing is put where it did not happen."""
    with pytest.raises(ValueError, match="comes after an act"):
        list(cut([act(local(11, 9)), act(local(11, 8))], local(11, 0), [local(11, 11)]))


def test_acts_after_the_last_window_are_refused() -> None:
    """Nothing is left out in silence."""
    with pytest.raises(ValueError, match="after the last window"):
        list(cut([act(local(11, 12))], local(11, 0), [local(11, 11)]))


def test_a_whole_half_year_fits_its_windows() -> None:
    """Whatever their length, the windows hold every act once, in order."""
    half_year = HalfYear(load_centre(ROOT / "config" / "binh-phuoc"), weeks=1)
    every = [one.key for one in half_year.acts()]
    for length in (HALF_A_DAY, timedelta(hours=20)):
        ends = window_ends(half_year.worktime, half_year.starts_at, half_year.ends_at, length)
        windows = cut(half_year.acts(), half_year.starts_at, ends)
        assert [one.key for window in windows for one in window.acts] == every
