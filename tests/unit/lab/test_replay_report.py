"""Reports of a replay, and the name of its folder."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from motcua.lab.replay.command import change_report, home_of, window_of
from motcua.lab.replay.report import result_report
from motcua.lab.replay.state import Clock, EventDigest
from motcua.lab.scenarios.event_log.plan import Plan
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from tests.unit.lab.logs import PERMIT_CENTRE, planned, row

LATE = "2011-05-02T09:00:00+02:00"


@pytest.fixture(scope="module")
def centre() -> Centre:
    """Return a centre with the codes of the mapping."""
    return load_centre(PERMIT_CENTRE)


@pytest.fixture(scope="module")
def found(centre: Centre) -> Plan:
    """Return three cases with one row each: ended early, ended late, open."""
    return planned(
        centre,
        [
            row("c1", "t1", "2011-03-02T10:00:00+01:00"),
            row("c2", "t2", "2011-03-02T10:00:00+01:00", end=LATE),
            row("c3", "t3", "2011-03-02T10:00:00+01:00", end=""),
        ],
    )


def clocks(found: Plan, *stored: Clock) -> dict[UUID, Clock]:
    """Return the clocks by dossier, as sla stores them."""
    return {case.dossier_id: clock for case, clock in zip(found.cases, stored, strict=True)}


def test_report_compares_deadlines_and_lateness(found: Plan) -> None:
    """Different dates are listed by difference with their cases, and lateness by the log and by sla."""
    due = date(2011, 4, 26)
    lines = list(
        result_report(
            found,
            clocks(
                found,
                Clock(due, ended=True, outcome="late"),
                Clock(date(2011, 4, 27), ended=True, outcome="late"),
                Clock(due, ended=False, outcome=None),
            ),
        )
    )
    assert lines == [
        "3 cases: 2 ended, 1 open on 2011-05-02.",
        "Deadlines by local date: 2 of 3 match ours, 1 differ.",
        "  ours 1 day later: 1: c2",
        "Late by the recorded deadlines: 1 of 2 with a recorded end.",
        "Late by our due dates: 2 of 2 settled; open and overdue: 1.",
    ]


def test_open_case_is_overdue_only_after_its_due_date(found: Plan) -> None:
    """An open case due on the last date is overdue; one due later, or paused without a date, is not."""
    for due, overdue in ((date(2011, 5, 2), 1), (date(2011, 5, 3), 0), (None, 0)):
        lines = list(result_report(found, clocks(found, *[Clock(due, ended=False, outcome=None)] * 3)))
        assert lines[-1] == f"Late by our due dates: 0 of 0 settled; open and overdue: {overdue * 3}."


def test_change_report_compares_events_by_their_bytes() -> None:
    """The same number of events with other bytes is a change."""
    before = EventDigest(3, ("a", "b"))
    assert change_report(before, EventDigest(3, ("a", "b"))).startswith("Nothing changed: the 3 events")
    assert change_report(EventDigest(0, ("", "")), before) == "3 events were added to 0."
    assert "Nothing changed" not in change_report(before, EventDigest(3, ("a", "c")))


def test_folder_depends_on_the_acts_and_the_centre(centre: Centre, found: Plan) -> None:
    """The same rows in another order have the same folder; other rows or another centre have another."""
    name = home_of(found, centre)
    assert name.startswith("replay-test-log-")
    rows = [
        row("c3", "t3", "2011-03-02T10:00:00+01:00", end=""),
        row("c1", "t1", "2011-03-02T10:00:00+01:00"),
        row("c2", "t2", "2011-03-02T10:00:00+01:00", end=LATE),
    ]
    assert home_of(planned(centre, rows), centre) == name
    assert home_of(planned(centre, rows[:2]), centre) != name
    assert home_of(found, replace(centre, catalogue_version="other")) != name


def test_window_is_a_sixtieth_of_the_log(found: Plan) -> None:
    """A window is a sixtieth of the log's working time, and at least half a day."""
    whole = found.worktime.elapsed(found.starts_at, found.ends_at)
    assert window_of(found) == whole / 60
    short = replace(found, acts=found.acts[:1])
    assert window_of(short).total_seconds() == 4 * 3600
