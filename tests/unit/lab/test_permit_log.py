"""The permit log, planned at its centre: complete, with exactly the anomalies of the log."""

import csv
from collections import Counter
from datetime import date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import holidays
import pytest

from motcua.lab.replay.comparison import Comparison, compare
from motcua.lab.scenarios.event_log.files import read_log
from motcua.lab.scenarios.event_log.mapping import read_mapping
from motcua.lab.scenarios.event_log.plan import Plan, plan
from services.notify.texts import load_texts
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.clock import ChangeKind, ClockChange, derive
from services.sla.domain.terms import term_of
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from tests.unit.lab.logs import PERMIT_CENTRE, PERMIT_LOG

needs_log = pytest.mark.skipif(not PERMIT_LOG.is_file(), reason="the permit log is not on this machine")


@pytest.fixture(scope="module")
def centre() -> Centre:
    """Return the centre made for the log."""
    return load_centre(PERMIT_CENTRE)


@pytest.fixture(scope="module")
def whole(centre: Centre) -> Plan:
    """Return the plan of the whole log."""
    return plan(read_log(PERMIT_LOG), read_mapping(PERMIT_CENTRE / "log-mapping.toml"), centre)


@pytest.fixture(scope="module")
def compared(centre: Centre, whole: Plan) -> Comparison:
    """Compare the recorded deadlines with the due dates that the pure rules give."""
    calendar = compile_calendar(centre.calendar)
    changes: dict[UUID, list[ClockChange]] = {}
    for act in whole.acts:
        what: ChangeKind | None = {"submit": "received", "settle": "settled"}.get(act.act)  # type: ignore[assignment] # words of ChangeKind
        if what is not None:
            changes.setdefault(act.dossier_id, []).append(ClockChange(what, act.occurred_at, act.occurred_at))
    return compare(
        whole,
        {
            dossier_id: derive(own, term_of(centre, "L.1", own[0].at), calendar).due_date
            for dossier_id, own in changes.items()
        },
    )


def test_texts_of_the_centre_are_complete(centre: Centre) -> None:
    """The log has no applicants to notify, but notify needs texts to start."""
    texts = load_texts(centre)
    assert len(texts.book.versions) == 1


def test_holidays_match_the_law(centre: Centre) -> None:
    """The days off are those of the Algemene termijnenwet, art. 3, from 2010 to 2013, by an independent package."""
    expected = holidays.country_holidays("NL", years=range(2010, 2014), categories=("public", "optional"))
    assert {exception.on for exception in centre.calendar.exceptions} == set(expected)
    assert {exception.kind for exception in centre.calendar.exceptions} == {"off"}


def test_opening_hours_follow_summer_time(centre: Centre) -> None:
    """The opening at 8:30 in Amsterdam is an hour earlier in UTC from spring to autumn."""
    worktime = compile_calendar(centre.calendar).worktime
    assert [worktime.opening(date(2011, month, 14)).hour for month in (3, 6)] == [7, 6]
    assert worktime.is_working_day(date(2011, 4, 29))
    assert not worktime.is_working_day(date(2011, 4, 22))


def test_invented_data_is_marked(centre: Centre) -> None:
    """Agencies, counters and the hotline are not in the log, so they are marked as invented."""
    assert all("agency_id" in row.invented for rows in centre.departments.values() for row in rows)
    assert all("number" in row.invented for rows in centre.counters.values() for row in rows)
    assert "hotline" in centre.invented


@needs_log
def test_all_cases_and_rows_are_played(whole: Plan) -> None:
    """The plan has 698 cases and 4,114 rows; 646 cases end and 52 stay open."""
    assert (len(whole.cases), whole.rows) == (698, 4114)
    acts = Counter(act.act for act in whole.acts)
    assert acts == {"submit": 698, "take_over": 698, "record_step": 4114, "settle": 646}
    assert len({act.key for act in whole.acts}) == len(whole.acts)


@needs_log
def test_rows_have_the_key_and_time_of_the_file(whole: Plan) -> None:
    """Each step matches its row in the file; only six rows before their start are moved, with their time noted."""
    steps = {act.key: act for act in whole.acts if act.act == "record_step"}
    moved = 0
    with PERMIT_LOG.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            step = steps[f"permit-2010/row/{row['concept:instance']}"]
            assert step.data["activity"] == row["concept:name"]
            assert step.actor.id == row["org:resource"]
            at = datetime.fromisoformat(row["time:timestamp"])
            if step.occurred_at != at:
                moved += 1
                assert f"time:timestamp: {at.isoformat()}" in step.data["note"]
                assert row["case:concept:name"] == "case-5704"
    assert moved == 6


@needs_log
def test_anomalies_match_the_log(whole: Plan) -> None:
    """60 first rows and 70 last rows are after the end, one end and some rows of one case are before the start."""
    assert whole.cases_with() == {
        "first row after the end": 60,
        "rows after the end": 70,
        "end before the start": 1,
        "rows before the start": 1,
    }
    assert [one.case for one in whole.anomalies if one.kind == "rows before the start"] == ["case-5704"]


@needs_log
def test_recorded_lateness_matches_the_log(compared: Comparison) -> None:
    """161 of 646 ended cases ended on a later local date than their deadline."""
    assert (compared.cases, compared.ended, compared.late_as_recorded) == (698, 646, 161)


@needs_log
def test_deadlines_differ_only_by_days_off_and_extensions(whole: Plan, compared: Comparison, centre: Centre) -> None:
    """Recorded deadlines match the rules except for days off and for extensions without an event.

    525 recorded deadlines are 56 days after the start. The due date is later if the start or that day is a day off.
    """
    worktime, local = whole.worktime, centre.local_date
    dates = [(local(case.started_at), local(case.deadline)) for case in whole.cases if case.deadline]
    plain = [(start, deadline) for start, deadline in dates if (deadline - start).days == 56]
    assert len(plain) == 525
    undisturbed = sum(worktime.is_working_day(start) and worktime.is_working_day(end) for start, end in plain)
    assert (undisturbed, compared.matched) == (480, 481)  # one extended deadline is the due date by chance
    assert compared.matched + compared.unmatched == 698
    assert compared.days[-42] == 30  # 98 days instead of 56


@needs_log
def test_lateness_by_a_simple_rule_matches_the_replay(whole: Plan) -> None:
    """Without sla, 56 days from the counted date, moved off days off, give 242 late and 28 open and overdue."""
    worktime, local = whole.worktime, whole.worktime.local_date

    def working_day(day: date) -> date:
        return day if worktime.is_working_day(day) else working_day(day + timedelta(days=1))

    late = overdue = 0
    for case in whole.cases:
        closed = case.started_at.astimezone(worktime.zone).time() >= time(17)
        counted = working_day(local(case.started_at) + timedelta(days=closed))
        due = working_day(counted + timedelta(days=56))
        if case.ended_at is None:
            overdue += due <= whole.last_date
        else:
            late += local(max(case.ended_at, case.started_at)) > due
    assert (late, overdue) == (242, 28)


@needs_log
def test_same_log_gives_the_same_bytes(whole: Plan, centre: Centre, tmp_path: Path) -> None:
    """The acts have the same bytes for any order of the rows, so a second replay changes nothing."""
    header, *lines = PERMIT_LOG.read_text(encoding="utf-8").splitlines()
    shuffled = tmp_path / "again.csv"
    shuffled.write_text("\n".join([header, *sorted(lines)]), encoding="utf-8")
    again = plan(read_log(shuffled), read_mapping(PERMIT_CENTRE / "log-mapping.toml"), centre)
    assert [act.line() for act in again.acts] == [act.line() for act in whole.acts]
