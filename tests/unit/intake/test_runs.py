"""The runs that carry papers, and working days since an instant."""

from datetime import datetime

import pytest

from services.intake.domain.runs import Timetable, run_kinds, working_days_since
from services.sla.domain.calendar import compile_calendar
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from shared.kernel.worktime import Worktime
from tests.support.centre_folder import edited, write_centre
from tests.support.hand_clock import ZONE, at

RUNS = """\
kind,leaves_at,valid_from,valid_to,decision,invented,note
general,11:15; 16:45,2017-04-28,2018-02-28,05/QĐ,,
general,07:00; 11:30,2018-03-01,,06/QĐ,,
department,16:45,2018-01-01,,05/QĐ,,
"""
DATES = """\
2018-01-01,off,,Tết Dương lịch,New Year's Day,"Labour Code 2012, art. 115",,all,,statutory,
2018-01-05,half_day,,Chiều nghỉ,Afternoon off,17/QĐ,,all,,decided,
2018-01-06,working,,Làm bù,Make-up day,17/QĐ,,all,,decided,
"""
Known = tuple[Centre, Worktime]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """The small centre with runs, a half day on Friday 5 January 2018 and a swap day on the Saturday after it."""
    dates = edited("calendars/week.csv", DATES.splitlines(keepends=True)[0], DATES)
    folder = write_centre(tmp_path_factory.mktemp("centre"), runs_csv=RUNS, **{"calendars/week_csv": dates})
    centre = load_centre(folder)
    return centre, compile_calendar(centre.calendar).worktime


def local(instant: datetime | None) -> str | None:
    """The local date and time of an instant."""
    return None if instant is None else f"{instant.astimezone(ZONE):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("received", "goes_with"),
    [
        ("2018-01-02 08:00", "2018-01-02 11:15"),
        ("2018-01-02 11:14", "2018-01-02 11:15"),
        ("2018-01-02 11:15", "2018-01-02 16:45"),  # that run is just leaving
        ("2018-01-02 23:00", "2018-01-03 11:15"),
        ("2018-01-05 09:00", "2018-01-05 11:15"),
        ("2018-01-05 11:20", "2018-01-06 11:15"),  # no run on the free afternoon, but on the swap day
        ("2018-01-06 16:45", "2018-01-08 11:15"),
        ("2017-12-31 10:00", "2018-01-02 11:15"),  # Sunday, and New Year's Day
        ("2018-02-28 16:50", "2018-03-01 07:00"),  # by the later decision; on the minute of opening
        ("2018-03-01 11:29", "2018-03-01 11:30"),  # on the minute of closing
        ("2026-12-31 16:50", None),  # the calendar ends
    ],
)
def test_papers_go_with_the_first_run_after_their_receipt(known: Known, received: str, goes_with: str | None) -> None:
    """Runs leave on working days, by the decision in force on the day."""
    assert local(Timetable(*known).first_after("general", at(received))) == goes_with


def test_last_run_is_the_latest_that_has_left(known: Known) -> None:
    """A run has left from its instant on; there may be none."""
    timetable = Timetable(*known)
    assert local(timetable.last("general", at("2018-01-02 11:15"))) == "2018-01-02 11:15"
    assert local(timetable.last("general", at("2018-01-02 11:14"))) == "2017-12-29 16:45"
    assert local(timetable.last("department", at("2018-01-08 09:00"))) == "2018-01-06 16:45"
    assert timetable.last("department", at("2018-01-02 16:44")) is None


def test_counter_has_the_runs_of_its_kind(known: Known) -> None:
    """A department's own counters have the department's runs; all others have the general counter's."""
    centre, _ = known
    kinds = run_kinds(centre, at("2018-01-02 08:00").date())
    assert kinds == {1: "department", 2: "department", 3: "department", 4: "department", 5: "general", 6: "general"}


@pytest.mark.parametrize(
    ("since", "now", "days"),
    [
        ("2018-01-02 08:00", "2018-01-02 17:00", 0),
        ("2018-01-02 16:59", "2018-01-03 07:00", 1),
        ("2018-01-04 10:00", "2018-01-08 08:00", 3),  # the half day, the swap day, Monday
        ("2017-12-29 10:00", "2018-01-01 10:00", 0),
        ("2017-12-29 10:00", "2030-01-01 10:00", 2349),  # as far as the calendar reaches
    ],
)
def test_working_days_are_counted_after_the_first_day(known: Known, since: str, now: str, days: int) -> None:
    """The day of the instant is not counted, today is."""
    assert working_days_since(known[1], at(since), at(now)) == days
