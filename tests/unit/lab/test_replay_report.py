"""What a replay is told to have come to, and under which name its centre is kept."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from motcua.lab.replay.command import changed, home_of, window_of
from motcua.lab.replay.report import report
from motcua.lab.replay.state import Clock, Events
from motcua.lab.scenarios.event_log.plan import Plan
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from tests.unit.lab.logs import PERMIT_CENTRE, planned, row

LATE = "2011-05-02T09:00:00+02:00"


@pytest.fixture(scope="module")
def centre() -> Centre:
    """Any centre will do that knows the mapping's words."""
    return load_centre(PERMIT_CENTRE)


@pytest.fixture(scope="module")
def found(centre: Centre) -> Plan:
    """Three cases, each with one row: due alike, late, without an end."""
    return planned(
        centre,
        [
            row("c1", "t1", "2011-03-02T10:00:00+01:00"),
            row("c2", "t2", "2011-03-02T10:00:00+01:00", end=LATE),
            row("c3", "t3", "2011-03-02T10:00:00+01:00", end=""),
        ],
    )


def clocks(found: Plan, *told: Clock) -> dict[UUID, Clock]:
    """As sla would keep them."""
    return {case.dossier_id: clock for case, clock in zip(found.cases, told, strict=True)}


def test_deadlines_and_lateness_are_told_by_both(found: Plan) -> None:
    """Ours on another day, by its difference and with its case; the log's lateness beside sla's judgement."""
    due = date(2011, 4, 26)
    told = list(
        report(
            found,
            clocks(
                found,
                Clock(due, ended=True, outcome="late"),
                Clock(date(2011, 4, 27), ended=True, outcome="late"),
                Clock(due, ended=False, outcome=None),
            ),
        )
    )
    assert told == [
        "3 cases: 2 ended, 1 open on 2011-05-02.",
        "Deadlines: 2 of 3 are ours by local date, 1 are not.",
        "  ours 1 day later: 1: c2",
        "Late by the recorded deadlines: 1 of 2 that have a recorded end.",
        "Late by our due dates: 2 of 2 settled; open and overdue: 1.",
    ]


def test_what_is_due_after_the_end_is_not_overdue(found: Plan) -> None:
    """The last date itself has ended when the replay ends; the next has not. A paused one has no date."""
    for due, overdue in ((date(2011, 5, 2), 1), (date(2011, 5, 3), 0), (None, 0)):
        told = list(report(found, clocks(found, *[Clock(due, ended=False, outcome=None)] * 3)))
        assert told[-1] == f"Late by our due dates: 0 of 0 settled; open and overdue: {overdue * 3}."


def test_the_same_events_are_no_change() -> None:
    """As many events of other bytes are one."""
    before = Events(3, ("a", "b"))
    assert changed(before, Events(3, ("a", "b"))).startswith("Nothing changed: the 3 events")
    assert changed(Events(0, ("", "")), before) == "3 events were added to 0."
    assert "Nothing changed" not in changed(before, Events(3, ("a", "c")))


def test_a_log_keeps_its_folder_whatever_its_file(centre: Centre, found: Plan) -> None:
    """Another row, or other data of the centre, and it is another one."""
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


def test_windows_are_few_however_long_the_log_is(found: Plan) -> None:
    """A sixtieth of its working time, and never less than half a day."""
    whole = found.worktime.elapsed(found.starts_at, found.ends_at)
    assert window_of(found) == whole / 60
    short = replace(found, acts=found.acts[:1])
    assert window_of(short).total_seconds() == 4 * 3600
