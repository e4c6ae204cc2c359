"""From a log to acts: what is played and when, what is listed, and every fault for which nothing is."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from motcua.lab.event_log.course import pseudonym
from motcua.lab.event_log.csv_log import read_csv
from motcua.lab.event_log.log import LogRefusedError
from motcua.lab.event_log.mapping import parse_mapping
from motcua.lab.event_log.plan import plan
from motcua.lab.event_log.suggestion import FILL_IN, suggest
from motcua.lab.event_log.xes_log import read_xes
from motcua.lab.past_acts import PastAct
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from tests.unit.past.logs import HEADER, MAPPING, PERMIT_CENTRE, as_csv, as_xes, planned, refused, row

START = "2011-03-01T09:00:00+01:00"


@pytest.fixture(scope="module")
def centre() -> Centre:
    """The centre made for the permit log."""
    return load_centre(PERMIT_CENTRE)


def course(acts: Sequence[PastAct]) -> list[tuple[str, str]]:
    """Acts with their instants, as a person writes them."""
    return [(act.act, act.occurred_at.strftime("%m-%d %H:%M")) for act in acts]


def line(act: PastAct) -> dict[str, Any]:
    """The act as it is sent."""
    sent: dict[str, Any] = json.loads(act.line())
    return sent


def test_a_case_is_received_taken_over_recorded_and_settled(centre: Centre) -> None:
    """Submitted and received at its start, taken over with its first row, a step a row, settled at its end."""
    rows = [row("c1", "t2", "2011-03-03T10:00:00+01:00"), row("c1", "t1", "2011-03-02T10:00:00+01:00")]
    found = planned(centre, rows)
    assert course(found.acts) == [
        ("submit", "03-01 09:00"),
        ("take_over", "03-02 10:00"),
        ("record_step", "03-02 10:00"),
        ("record_step", "03-03 10:00"),
        ("settle", "04-01 09:00"),
    ]
    assert found.anomalies == ()


def test_lines_hold_what_the_log_tells(centre: Centre) -> None:
    """The case's code as a foreign code, the row's activity, group and resource, and the instant in UTC."""
    rows = [row("c1", "t1", "2011-03-02T10:00:00+01:00", group="Group 4", resource="R7", channel="Desk")]
    submit, _, step, settle = map(line, planned(centre, rows).acts)
    assert submit["data"] == {
        "procedure": "L.1",
        "department": "GENERAL",
        "channel": "counter",
        "foreign_codes": [{"system": "test-log", "code": "c1"}],
        "receive": {},
    }
    assert submit["actor"] == {"kind": "system", "id": "test-log", "role": "clerk"}
    assert (step["occurred_at"], step["key"]) == ("2011-03-02T09:00:00Z", "test-log/row/t1")
    assert step["actor"] == {"kind": "person", "id": "R7", "role": "officer", "department": "GENERAL"}
    assert step["data"] == {"activity": "Look", "group": "Group 4"}
    assert settle["data"] == {"outcome": "approved"}


def test_words_for_nothing_are_nothing(centre: Centre) -> None:
    """A group named EMPTY is no group."""
    step = planned(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00", group="EMPTY")]).acts[2]
    assert "group" not in step.data


def test_a_case_without_end_stays_open(centre: Centre) -> None:
    """Nobody settles what the log leaves open."""
    found = planned(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00", end="")])
    assert [act.act for act in found.acts] == ["submit", "take_over", "record_step"]
    assert found.cases[0].ended_at is None


def test_a_first_row_after_the_end_is_taken_over_at_the_end(centre: Centre) -> None:
    """Both irregularities are listed, and the row is recorded when it happened."""
    found = planned(centre, [row("c1", "t1", "2011-04-02T10:00:00+02:00", end="2011-04-01T09:00:00+02:00")])
    assert course(found.acts)[1:] == [
        ("take_over", "04-01 09:00"),
        ("settle", "04-01 09:00"),
        ("record_step", "04-02 10:00"),
    ]
    assert [(one.kind, one.case, one.line) for one in found.anomalies] == [
        ("first row after the end", "c1", 2),
        ("rows after the end", "c1", 2),
    ]


def test_rows_before_the_start_are_moved_to_it_and_keep_their_time(centre: Centre) -> None:
    """No act precedes the submission; the true time stands in the note."""
    found = planned(centre, [row("c1", "t1", "2011-02-01T10:00:00+01:00")])
    assert course(found.acts)[:3] == [
        ("submit", "03-01 09:00"),
        ("take_over", "03-01 09:00"),
        ("record_step", "03-01 09:00"),
    ]
    assert found.acts[2].data["note"] == "time:timestamp: 2011-02-01T10:00:00+01:00"
    assert [one.kind for one in found.anomalies] == ["rows before the start"]


def test_an_end_before_the_start_settles_at_the_start(centre: Centre) -> None:
    """The true end stands in the reason."""
    found = planned(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00", end="2011-02-28T10:00:00+01:00")])
    settle = found.acts[2]
    assert course([settle]) == [("settle", "03-01 09:00")]
    assert settle.data["reason"] == "case:enddate: 2011-02-28T10:00:00+01:00"
    assert "end before the start" in found.cases_with()


def test_a_case_without_start_starts_with_its_first_row(centre: Centre) -> None:
    """Listed, since the mapping says that cases have one."""
    found = planned(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00", start="")])
    assert course(found.acts)[0] == ("submit", "03-02 10:00")
    assert [one.kind for one in found.anomalies] == ["no start"]


def test_attributes_are_kept_in_notes(centre: Centre) -> None:
    """The case's in the first entry of its control slip, the row's in its own."""
    mapping = MAPPING + '\n[attributes]\ncase = ["case:deadline"]\nrow = ["org:resource"]\n'
    rows = [row("c1", "t1", "2011-03-02T10:00:00+01:00"), row("c1", "t2", "2011-03-03T10:00:00+01:00")]
    steps = [act for act in planned(centre, rows, mapping).acts if act.act == "record_step"]
    assert [step.data["note"] for step in steps] == [
        "org:resource: R1\ncase:deadline: 2011-04-26T17:00:00+02:00",
        "org:resource: R1",
    ]


def test_activities_can_be_acts_of_their_own(centre: Centre) -> None:
    """With the data that such an act takes, by the role that may do it."""
    mapping = MAPPING + (
        '\n[acts]\n"Ask" = { act = "ask_supplement", data = { papers = ["Drawing"] } }\n'
        '"Got it" = { act = "supplement_received" }\n'
    )
    rows = [
        row("c1", "t1", "2011-03-02T10:00:00+01:00", activity="Ask"),
        row("c1", "t2", "2011-03-07T10:00:00+01:00", activity="Got it"),
    ]
    found = planned(centre, rows, mapping)
    assert [(act.act, act.doer.role) for act in found.acts[2:4]] == [
        ("ask_supplement", "officer"),
        ("supplement_received", "clerk"),
    ]
    assert found.acts[2].data == {"papers": ["Drawing"]}


def test_an_act_that_the_state_does_not_allow_becomes_a_step(centre: Centre) -> None:
    """Listed with its line; nothing of the log is dropped."""
    mapping = MAPPING + '\n[acts]\n"Got it" = { act = "supplement_received" }\n'
    found = planned(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00", activity="Got it")], mapping)
    assert found.acts[2].act == "record_step"
    assert found.acts[2].data == {"activity": "Got it", "note": "act: supplement_received"}
    assert [(one.kind, one.line) for one in found.anomalies] == [("act not allowed", 2)]


def test_nothing_follows_a_final_state(centre: Centre) -> None:
    """Where not even a step can be recorded, the log is refused with the line and the state."""
    mapping = MAPPING + '\n[acts]\n"Stop" = { act = "stop", data = { reason = "x" } }\n'
    rows = [
        row("c1", "t1", "2011-03-02T10:00:00+01:00", activity="Stop", end=""),
        row("c1", "t2", "2011-03-03T10:00:00+01:00", end=""),
    ]
    [fault] = refused(centre, rows, mapping)
    assert fault.startswith("log.csv:3: record_step: The dossier is stopped")


def test_resources_go_by_pseudonyms_unless_the_mapping_says_that_they_are_accounts(centre: Centre) -> None:
    """No person's name travels; the same name is always the same pseudonym."""
    mapping = MAPPING.replace("pseudonyms = false\n", "")
    rows = [row("c1", "t1", "2011-03-02T10:00:00+01:00", resource="Jan de Vries")]
    step = planned(centre, rows, mapping).acts[2]
    assert step.doer.id == pseudonym("Jan de Vries")
    assert b"Vries" not in step.line()
    [fault] = refused(centre, rows)
    assert fault.startswith("log.csv:2: org:resource: record_step:")
    assert fault.endswith("set pseudonyms = true")


def test_times_without_offset_are_in_the_mappings_zone(centre: Centre) -> None:
    """In the hour that the clocks leave out, refused; in the hour that they repeat, the first one, and listed."""
    mapping = MAPPING.replace('system = "test-log"', 'system = "test-log"\nzone = "Europe/Amsterdam"')
    one = planned(centre, [row("c1", "t1", "2011-03-02 10:00:00")], mapping)
    assert line(one.acts[2])["occurred_at"] == "2011-03-02T09:00:00Z"
    twice = planned(centre, [row("c1", "t1", "2011-10-30 02:30:00", end="")], mapping)
    assert line(twice.acts[2])["occurred_at"] == "2011-10-30T00:30:00Z"
    assert [(found.kind, found.line) for found in twice.anomalies] == [("time twice on the clock", 2)]
    [fault] = refused(centre, [row("c1", "t1", "2011-03-27 02:30:00")], mapping)
    assert "never stood on the clocks of Europe/Amsterdam" in fault


def test_acts_are_in_order_of_time_whatever_the_order_of_the_file(centre: Centre) -> None:
    """And the same rows in another order are the same acts."""
    rows = [
        row("c2", "t3", "2011-03-02T10:00:00+01:00"),
        row("c1", "t2", "2011-03-05T10:00:00+01:00"),
        row("c1", "t1", "2011-03-02T10:00:00+01:00"),
    ]
    found = planned(centre, rows)
    instants = [act.occurred_at for act in found.acts]
    assert instants == sorted(instants)
    assert [act.line() for act in found.acts] == [act.line() for act in planned(centre, rows[::-1]).acts]


def test_the_same_log_as_xes_is_the_same_plan(centre: Centre) -> None:
    """Keys, ids and all: a log can be replayed from either file without being played twice."""
    rows = [row("c1", "t1", "2011-03-02T10:00:00+01:00"), row("c2", "t2", "2011-04-02T10:00:00+01:00")]
    mapping = parse_mapping(MAPPING)
    by_csv = plan(read_csv("log.csv", as_csv(rows)), mapping, centre)
    by_xes = plan(read_xes("log.xes", [as_xes(rows)]), mapping, centre)
    assert [act.line() for act in by_csv.acts] == [act.line() for act in by_xes.acts]


def test_rows_without_a_key_are_told_apart(centre: Centre) -> None:
    """By case, activity, time, and which of those alike it is."""
    mapping = MAPPING.replace('key = ["concept:instance"]\n', "")
    rows = [row("c1", "", "2011-03-02T10:00:00+01:00")] * 2
    keys = [act.key for act in planned(centre, rows, mapping).acts]
    assert len(set(keys)) == len(keys)
    assert keys == [act.key for act in planned(centre, rows, mapping).acts]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([row("", "t1", START)], "log.csv:2: case:concept:name: empty"),
        ([row("c1", "t1", START, activity="")], "log.csv:2: concept:name: empty"),
        ([row("c1", "t1", "")], "log.csv:2: time:timestamp: empty"),
        ([row("c1", "t1", "yesterday")], "log.csv:2: time:timestamp: 'yesterday' is not an instant"),
        ([row("c1", "t1", "2011-03-02 10:00:00")], "log.csv:2: time:timestamp: '2011-03-02 10:00:00' has no offset"),
        (
            [row("c1", "t1", "1999-03-02T10:00:00Z")],
            "log.csv:2: time:timestamp: '1999-03-02T10:00:00Z' lies before 2000",
        ),
        ([row("c1", "t1", START, end="soon")], "log.csv:2: case:enddate: 'soon' is not an instant"),
        (
            [row("c1", "t1", START, channel="Fax")],
            "log.csv:2: case:channel: 'Fax' has no word in dossier",
        ),
        ([row("c1", "t1", START, channel="")], "log.csv:2: case:channel: empty"),
        ([row("c1", "", START)], "log.csv:2: concept:instance: empty"),
        ([row("c1", "t1", START), row("c2", "t1", START)], "log.csv:3: concept:instance: the same as on line 2"),
        (
            [row("c1", "t1", START), row("c1", "t2", START, deadline="")],
            "log.csv:3: case:deadline: differs from line 2 of the same case",
        ),
        ([row("c1", "t1", START, activity="x" * 201)], "log.csv:2: concept:name: record_step:"),
        ([row("c" * 101, "t1", START)], "log.csv:2: submit:"),
        ([row("c1", "t1", "2014-01-02T10:00:00+01:00", end="")], "log.csv:2: 2014-01-02T10:00:00+01:00 lies outside"),
        (
            [row("c1", "t1", START, start="2009-12-31T10:00:00+01:00")],
            "log.csv:2: dossier.procedure: the centre knows no",
        ),
    ],
)
def test_faults_name_line_column_and_reason(centre: Centre, rows: list[tuple[str, ...]], told: str) -> None:
    """Whatever is wrong is told with its place, and nothing is played."""
    assert any(fault.startswith(told) for fault in refused(centre, rows)), refused(centre, rows)


def test_every_fault_is_told_at_once(centre: Centre) -> None:
    """A person mends the file in one go."""
    rows = [row("c1", "t1", "x"), row("c1", "t2", START, activity=""), row("c2", "t3", START, channel="Fax")]
    assert len(refused(centre, rows)) == 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("format = 1", "format = 2", "mapping: format"),
        ("format = 1", "format =", "mapping:1: not TOML"),
        ('system = "test-log"', 'system = "test log"', "mapping: system"),
        ("take_over = true", "take_over = 1", "mapping: dossier.take_over"),
        ("take_over = true", "takeover = true", "mapping: dossier.takeover"),
        ('{ value = "L.1" }', "{}", "mapping: dossier.procedure: give either a value or a column"),
        ('"concept:name"', '"name"', "mapping: columns.activity: the log has no column 'name'"),
        ('{ value = "L.1" }', '{ value = "L.2" }', "log.csv:2: dossier.procedure: the centre knows no procedure 'L.2'"),
        ('{ value = "GENERAL" }', '{ value = "X" }', "log.csv:2: submit: The centre has no department 'X'"),
        ('"online"', '"fax"', "log.csv:2: submit:"),
    ],
)
def test_mappings_are_checked_too(centre: Centre, old: str, new: str, told: str) -> None:
    """A slip in the mapping is told with its place in it, or with the line at which it shows."""
    assert old in MAPPING
    faults = refused(centre, [row("c1", "t1", START)], MAPPING.replace(old, new, 1))
    assert any(fault.startswith(told) for fault in faults), faults


@pytest.mark.parametrize(
    ("acts", "told"),
    [
        ('"Look" = { act = "look" }', "'look' is not an act that a row can be"),
        ('"Look" = { act = "extend" }', "'extend' is not an act that a row can be"),
        ('"Look" = { act = "submit" }', "'submit' is not an act that a row can be"),
        ('"Lok" = { act = "paid" }', "no row of the log has the activity 'Lok'"),
        ('"Look" = { act = "ask_supplement" }', "ask_supplement: missing: add it"),
    ],
)
def test_acts_of_a_mapping_are_acts_with_their_data(centre: Centre, acts: str, told: str) -> None:
    """Known, offered, and not made by the case; with the data that intake wants."""
    faults = refused(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00")], f"{MAPPING}\n[acts]\n{acts}\n")
    assert any(told in fault for fault in faults), faults


def test_a_draft_is_a_mapping_that_tells_what_it_lacks(centre: Centre) -> None:
    """Guessed from the columns; with what is missing filled in, it plans the log."""
    log = read_csv("log.csv", as_csv([row("c1", "t1", START), row("c1", "t2", START), row("c2", "t3", START)]))
    draft = suggest(log, system="log")
    mapping = parse_mapping(draft)
    assert mapping.columns.key == ("concept:instance",)
    assert (mapping.dossier.start, mapping.dossier.end) == ("case:startdate", "case:enddate")
    assert mapping.dossier.deadline == "case:deadline"
    assert mapping.dossier.channel.words == {"Internet": "online"}
    with pytest.raises(LogRefusedError, match=FILL_IN):
        plan(log, mapping, centre)
    finished = draft.replace(f'procedure = {{ value = "{FILL_IN}"', 'procedure = { value = "L.1"')
    finished = finished.replace(f'department = {{ value = "{FILL_IN}"', 'department = { value = "GENERAL"')
    assert len(plan(log, parse_mapping(finished), centre).cases) == 2


def test_a_draft_for_a_bare_log_says_what_is_not_there() -> None:
    """Case, activity and time alone, without offsets, names that no XES tool writes, and quotes in an activity."""
    header = ("Case ID", "Activity", "Timestamp")
    rows = [("1", 'Say "yes"', "2011-03-02 10:00:00"), ("1", "B", "2011-03-03 10:00:00")]
    draft = suggest(read_csv("log.csv", as_csv(rows, header)), system="log")
    mapping = parse_mapping(draft.replace(f'zone = "{FILL_IN}"', 'zone = "Europe/Amsterdam"'))
    assert (mapping.columns.case, mapping.columns.activity, mapping.columns.time) == header
    assert mapping.dossier.start is None
    assert mapping.columns.key == ()
    assert r"Say \"yes\"" in draft
    assert set(HEADER).isdisjoint(header)
