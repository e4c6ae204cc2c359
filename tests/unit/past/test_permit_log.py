"""The permit log as it is, played at the centre made for it: whole, with exactly the irregularities that it has."""

import csv
from collections import Counter
from datetime import date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import holidays
import pytest

from motcua.lab.event_log.comparison import Comparison, compare
from motcua.lab.event_log.files import read_log
from motcua.lab.event_log.mapping import read_mapping
from motcua.lab.event_log.plan import Plan, plan
from services.notify.texts import load_texts
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.clock import ChangeKind, ClockChange, derive
from services.sla.domain.terms import term_of
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from tests.unit.past.logs import PERMIT_CENTRE, PERMIT_LOG

needs_log = pytest.mark.skipif(not PERMIT_LOG.is_file(), reason="the permit log is not on this machine")


@pytest.fixture(scope="module")
def centre() -> Centre:
    """The centre made for the log."""
    return load_centre(PERMIT_CENTRE)


@pytest.fixture(scope="module")
def whole(centre: Centre) -> Plan:
    """The whole log by its mapping."""
    return plan(read_log(PERMIT_LOG), read_mapping(PERMIT_CENTRE / "log-mapping.toml"), centre)


@pytest.fixture(scope="module")
def compared(centre: Centre, whole: Plan) -> Comparison:
    """Recorded deadlines against the due dates that the pure rules give."""
    calendar = compile_calendar(centre.calendar)
    events: dict[UUID, list[ClockChange]] = {}
    for act in whole.acts:
        what: ChangeKind | None = {"submit": "received", "settle": "settled"}.get(act.act)  # type: ignore[assignment] # words of ChangeKind
        if what is not None:
            events.setdefault(act.dossier_id, []).append(ClockChange(what, act.occurred_at, act.occurred_at))
    return compare(
        whole,
        {
            dossier_id: derive(course, term_of(centre, "L.1", course[0].at), calendar).due_date
            for dossier_id, course in events.items()
        },
    )


def test_texts_of_the_centre_are_whole(centre: Centre) -> None:
    """Nobody is told anything, but notify starts."""
    texts = load_texts(centre)
    assert len(texts.book.versions) == 1


def test_holidays_are_those_of_the_law(centre: Centre) -> None:
    """Every day of the Algemene termijnenwet, art. 3, 2010 to 2013, as an independent package computes them."""
    expected = holidays.country_holidays("NL", years=range(2010, 2014), categories=("public", "optional"))
    assert {exception.on for exception in centre.calendar.exceptions} == set(expected)
    assert {exception.kind for exception in centre.calendar.exceptions} == {"off"}


def test_clocks_of_the_centre_keep_summer_time(centre: Centre) -> None:
    """8:30 to 17:00 in Amsterdam is an hour earlier in UTC from spring to autumn."""
    worktime = compile_calendar(centre.calendar).worktime
    assert [worktime.opening(date(2011, month, 14)).hour for month in (3, 6)] == [7, 6]
    assert worktime.is_working_day(date(2011, 4, 29))
    assert not worktime.is_working_day(date(2011, 4, 22))


def test_what_is_made_up_says_so(centre: Centre) -> None:
    """The log names no agencies, counters or decisions."""
    assert all("agency_id" in row.invented for rows in centre.departments.values() for row in rows)
    assert all("number" in row.invented for rows in centre.counters.values() for row in rows)
    assert "hotline" in centre.invented


@needs_log
def test_every_case_and_row_is_played(whole: Plan) -> None:
    """698 cases and 4,114 rows; 646 cases end, 52 stay open."""
    assert (len(whole.cases), whole.rows) == (698, 4114)
    acts = Counter(act.act for act in whole.acts)
    assert acts == {"submit": 698, "take_over": 698, "record_step": 4114, "settle": 646}
    assert len({act.key for act in whole.acts}) == len(whole.acts)


@needs_log
def test_every_row_keeps_its_key_and_its_time(whole: Plan) -> None:
    """As the file has it, row by row; only the six rows before their start stand elsewhere, with their time noted."""
    steps = {act.key: act for act in whole.acts if act.act == "record_step"}
    moved = 0
    with PERMIT_LOG.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            step = steps[f"permit-2010/row/{row['concept:instance']}"]
            assert step.data["activity"] == row["concept:name"]
            assert step.doer.id == row["org:resource"]
            at = datetime.fromisoformat(row["time:timestamp"])
            if step.occurred_at != at:
                moved += 1
                assert f"time:timestamp: {at.isoformat()}" in step.data["note"]
                assert row["case:concept:name"] == "case-5704"
    assert moved == 6


@needs_log
def test_anomalies_are_those_of_the_log(whole: Plan) -> None:
    """60 first rows after the end, 70 ended before their last row, one before its start, one worked on before it."""
    assert whole.cases_with() == {
        "first row after the end": 60,
        "rows after the end": 70,
        "end before the start": 1,
        "rows before the start": 1,
    }
    assert [one.case for one in whole.anomalies if one.kind == "rows before the start"] == ["case-5704"]


@needs_log
def test_lateness_as_recorded_is_the_logs(compared: Comparison) -> None:
    """161 of the 646 ended cases ended on a later local date than their deadline."""
    assert (compared.cases, compared.ended, compared.late_as_recorded) == (698, 646, 161)


@needs_log
def test_deadlines_match_but_for_days_off_and_extensions(whole: Plan, compared: Comparison, centre: Centre) -> None:
    """525 recorded deadlines are the start's date and 56 days. Ours are later where that is counted from, or falls on,
    a day off; the log's are later where it was extended without an event."""
    worktime, local = whole.worktime, centre.local_date
    dates = [(local(case.started_at), local(case.deadline)) for case in whole.cases if case.deadline]
    plain = [(start, deadline) for start, deadline in dates if (deadline - start).days == 56]
    assert len(plain) == 525
    undisturbed = sum(worktime.is_working_day(start) and worktime.is_working_day(end) for start, end in plain)
    assert (undisturbed, compared.matched) == (480, 481)  # one extension ends on our date by chance
    assert compared.matched + compared.unmatched == 698
    assert compared.days[-42] == 30  # 98 days instead of 56


@needs_log
def test_lateness_by_the_plain_rule_is_what_a_replay_reports(whole: Plan) -> None:
    """Counted by hand, without sla: 56 days from the day that counts, moved off days off; 242 late, 28 open overdue."""
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
def test_the_same_log_gives_the_same_bytes(whole: Plan, centre: Centre, tmp_path: Path) -> None:
    """Also with its rows in another order: a second replay changes nothing."""
    header, *lines = PERMIT_LOG.read_text(encoding="utf-8").splitlines()
    shuffled = tmp_path / "again.csv"
    shuffled.write_text("\n".join([header, *sorted(lines)]), encoding="utf-8")
    again = plan(read_log(shuffled), read_mapping(PERMIT_CENTRE / "log-mapping.toml"), centre)
    assert [act.line() for act in again.acts] == [act.line() for act in whole.acts]
