"""Plans of logs: the acts and their instants, the anomalies, and the faults for which a log is rejected."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from motcua.lab.past_acts import PastAct
from motcua.lab.scenarios.event_log.case_plan import pseudonym
from motcua.lab.scenarios.event_log.csv_log import read_csv
from motcua.lab.scenarios.event_log.log import LogRefusedError
from motcua.lab.scenarios.event_log.mapping import parse_mapping
from motcua.lab.scenarios.event_log.mapping_draft import FILL_IN, draft_mapping
from motcua.lab.scenarios.event_log.plan import plan
from motcua.lab.scenarios.event_log.xes_log import read_xes
from shared.catalogue import load_centre
from shared.kernel.centre import Centre
from tests.unit.lab.logs import HEADER, MAPPING, PERMIT_CENTRE, as_csv, as_xes, planned, refused, row

START = "2011-03-01T09:00:00+01:00"


@pytest.fixture(scope="module")
def centre() -> Centre:
    """The centre made for the permit log."""
    return load_centre(PERMIT_CENTRE)


def timeline(acts: Sequence[PastAct]) -> list[tuple[str, str]]:
    """Return the acts with short local times."""
    return [(act.act, act.occurred_at.strftime("%m-%d %H:%M")) for act in acts]


def line(act: PastAct) -> dict[str, Any]:
    """Return the act as it is sent."""
    sent: dict[str, Any] = json.loads(act.line())
    return sent


def test_case_becomes_receipt_take_over_steps_and_settlement(centre: Centre) -> None:
    """A case is received at its start, taken over with its first row, recorded row by row and settled at its end."""
    rows = [row("c1", "t2", "2011-03-03T10:00:00+01:00"), row("c1", "t1", "2011-03-02T10:00:00+01:00")]
    found = planned(centre, rows)
    assert timeline(found.acts) == [
        ("submit", "03-01 09:00"),
        ("take_over", "03-02 10:00"),
        ("record_step", "03-02 10:00"),
        ("record_step", "03-03 10:00"),
        ("settle", "04-01 09:00"),
    ]
    assert found.anomalies == ()


def test_lines_contain_the_data_of_the_log(centre: Centre) -> None:
    """Lines have the case as a foreign code, the row's activity, group and resource, and the instant in UTC."""
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


def test_word_for_an_unknown_value_is_an_empty_cell(centre: Centre) -> None:
    """A cell with a word from `empty` counts as empty."""
    step = planned(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00", group="EMPTY")]).acts[2]
    assert "group" not in step.data


def test_case_without_end_stays_open(centre: Centre) -> None:
    """A case without an end is not settled."""
    found = planned(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00", end="")])
    assert [act.act for act in found.acts] == ["submit", "take_over", "record_step"]
    assert found.cases[0].ended_at is None


def test_first_row_after_the_end_is_taken_over_at_the_end(centre: Centre) -> None:
    """Both anomalies are listed, and the row is recorded at its own time."""
    found = planned(centre, [row("c1", "t1", "2011-04-02T10:00:00+02:00", end="2011-04-01T09:00:00+02:00")])
    assert timeline(found.acts)[1:] == [
        ("take_over", "04-01 09:00"),
        ("settle", "04-01 09:00"),
        ("record_step", "04-02 10:00"),
    ]
    assert [(one.kind, one.case, one.line) for one in found.anomalies] == [
        ("first row after the end", "c1", 2),
        ("rows after the end", "c1", 2),
    ]


def test_rows_before_the_start_are_moved_and_their_time_is_noted(centre: Centre) -> None:
    """No act is before the submission; the note contains the recorded time."""
    found = planned(centre, [row("c1", "t1", "2011-02-01T10:00:00+01:00")])
    assert timeline(found.acts)[:3] == [
        ("submit", "03-01 09:00"),
        ("take_over", "03-01 09:00"),
        ("record_step", "03-01 09:00"),
    ]
    assert found.acts[2].data["note"] == "time:timestamp: 2011-02-01T10:00:00+01:00"
    assert [one.kind for one in found.anomalies] == ["rows before the start"]


def test_end_before_the_start_settles_at_the_start(centre: Centre) -> None:
    """The reason of the settlement contains the recorded end."""
    found = planned(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00", end="2011-02-28T10:00:00+01:00")])
    settle = found.acts[2]
    assert timeline([settle]) == [("settle", "03-01 09:00")]
    assert settle.data["reason"] == "case:enddate: 2011-02-28T10:00:00+01:00"
    assert "end before the start" in found.cases_with()


def test_case_without_start_starts_with_its_first_row(centre: Centre) -> None:
    """A missing start is an anomaly if the mapping names a column for it."""
    found = planned(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00", start="")])
    assert timeline(found.acts)[0] == ("submit", "03-02 10:00")
    assert [one.kind for one in found.anomalies] == ["no start"]


def test_attributes_are_stored_in_notes(centre: Centre) -> None:
    """The case's attributes are in the first control slip entry, a row's attributes in its own."""
    mapping = MAPPING + '\n[attributes]\ncase = ["case:deadline"]\nrow = ["org:resource"]\n'
    rows = [row("c1", "t1", "2011-03-02T10:00:00+01:00"), row("c1", "t2", "2011-03-03T10:00:00+01:00")]
    steps = [act for act in planned(centre, rows, mapping).acts if act.act == "record_step"]
    assert [step.data["note"] for step in steps] == [
        "org:resource: R1\ncase:deadline: 2011-04-26T17:00:00+02:00",
        "org:resource: R1",
    ]


def test_activity_can_be_mapped_to_an_act(centre: Centre) -> None:
    """A mapped act has the data of the mapping and an actor with a role that may perform it."""
    mapping = MAPPING + (
        '\n[acts]\n"Ask" = { act = "ask_supplement", data = { papers = ["Drawing"] } }\n'
        '"Got it" = { act = "supplement_received" }\n'
    )
    rows = [
        row("c1", "t1", "2011-03-02T10:00:00+01:00", activity="Ask"),
        row("c1", "t2", "2011-03-07T10:00:00+01:00", activity="Got it"),
    ]
    found = planned(centre, rows, mapping)
    assert [(act.act, act.actor.role) for act in found.acts[2:4]] == [
        ("ask_supplement", "officer"),
        ("supplement_received", "clerk"),
    ]
    assert found.acts[2].data == {"papers": ["Drawing"]}


def test_act_not_allowed_by_the_state_becomes_a_step(centre: Centre) -> None:
    """The act is listed as an anomaly and played as a step of the control slip."""
    mapping = MAPPING + '\n[acts]\n"Got it" = { act = "supplement_received" }\n'
    found = planned(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00", activity="Got it")], mapping)
    assert found.acts[2].act == "record_step"
    assert found.acts[2].data == {"activity": "Got it", "note": "act: supplement_received"}
    assert [(one.kind, one.line) for one in found.anomalies] == [("act not allowed", 2)]


def test_row_after_a_final_state_is_rejected(centre: Centre) -> None:
    """After a final state not even a step can be recorded, so the log is rejected with line and state."""
    mapping = MAPPING + '\n[acts]\n"Stop" = { act = "stop", data = { reason = "x" } }\n'
    rows = [
        row("c1", "t1", "2011-03-02T10:00:00+01:00", activity="Stop", end=""),
        row("c1", "t2", "2011-03-03T10:00:00+01:00", end=""),
    ]
    [fault] = refused(centre, rows, mapping)
    assert fault.startswith("log.csv:3: record_step: The dossier is stopped")


def test_resources_have_pseudonyms_unless_they_are_accounts(centre: Centre) -> None:
    """Names of persons are not sent, and a name always has the same pseudonym."""
    mapping = MAPPING.replace("pseudonyms = false\n", "")
    rows = [row("c1", "t1", "2011-03-02T10:00:00+01:00", resource="Jan de Vries")]
    step = planned(centre, rows, mapping).acts[2]
    assert step.actor.id == pseudonym("Jan de Vries")
    assert b"Vries" not in step.line()
    [fault] = refused(centre, rows)
    assert fault.startswith("log.csv:2: org:resource: record_step:")
    assert fault.endswith("Set pseudonyms = true.")


def test_time_without_offset_is_in_the_zone_of_the_mapping(centre: Centre) -> None:
    """A time that summer time leaves out is rejected; a repeated one is the first instant and an anomaly."""
    mapping = MAPPING.replace('system = "test-log"', 'system = "test-log"\nzone = "Europe/Amsterdam"')
    one = planned(centre, [row("c1", "t1", "2011-03-02 10:00:00")], mapping)
    assert line(one.acts[2])["occurred_at"] == "2011-03-02T09:00:00Z"
    ambiguous = planned(centre, [row("c1", "t1", "2011-10-30 02:30:00", end="")], mapping)
    assert line(ambiguous.acts[2])["occurred_at"] == "2011-10-30T00:30:00Z"
    assert [(found.kind, found.line) for found in ambiguous.anomalies] == [("ambiguous local time", 2)]
    [fault] = refused(centre, [row("c1", "t1", "2011-03-27 02:30:00")], mapping)
    assert "does not exist in Europe/Amsterdam" in fault


def test_acts_are_in_time_order_for_any_order_of_the_file(centre: Centre) -> None:
    """The same rows in another order give the same acts."""
    rows = [
        row("c2", "t3", "2011-03-02T10:00:00+01:00"),
        row("c1", "t2", "2011-03-05T10:00:00+01:00"),
        row("c1", "t1", "2011-03-02T10:00:00+01:00"),
    ]
    found = planned(centre, rows)
    instants = [act.occurred_at for act in found.acts]
    assert instants == sorted(instants)
    assert [act.line() for act in found.acts] == [act.line() for act in planned(centre, rows[::-1]).acts]


def test_same_log_as_xes_gives_the_same_plan(centre: Centre) -> None:
    """Keys and ids are the same, so a log can be replayed from either file without being played twice."""
    rows = [row("c1", "t1", "2011-03-02T10:00:00+01:00"), row("c2", "t2", "2011-04-02T10:00:00+01:00")]
    mapping = parse_mapping(MAPPING)
    by_csv = plan(read_csv("log.csv", as_csv(rows)), mapping, centre)
    by_xes = plan(read_xes("log.xes", [as_xes(rows)]), mapping, centre)
    assert [act.line() for act in by_csv.acts] == [act.line() for act in by_xes.acts]


def test_rows_without_a_key_have_different_keys(centre: Centre) -> None:
    """The key then consists of case, activity, time and a number among equal rows."""
    mapping = MAPPING.replace('key = ["concept:instance"]\n', "")
    rows = [row("c1", "", "2011-03-02T10:00:00+01:00")] * 2
    keys = [act.key for act in planned(centre, rows, mapping).acts]
    assert len(set(keys)) == len(keys)
    assert keys == [act.key for act in planned(centre, rows, mapping).acts]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("", "t1", START)], "log.csv:2: case:concept:name: Empty"),
        ([row("c1", "t1", START, activity="")], "log.csv:2: concept:name: Empty"),
        ([row("c1", "t1", "")], "log.csv:2: time:timestamp: Empty"),
        ([row("c1", "t1", "yesterday")], "log.csv:2: time:timestamp: 'yesterday' is not an instant"),
        ([row("c1", "t1", "2011-03-02 10:00:00")], "log.csv:2: time:timestamp: '2011-03-02 10:00:00' has no offset"),
        (
            [row("c1", "t1", "1999-03-02T10:00:00Z")],
            "log.csv:2: time:timestamp: '1999-03-02T10:00:00Z' is before 2000",
        ),
        ([row("c1", "t1", START, end="soon")], "log.csv:2: case:enddate: 'soon' is not an instant"),
        (
            [row("c1", "t1", START, channel="Fax")],
            "log.csv:2: case:channel: 'Fax' is not in dossier.channel.words",
        ),
        ([row("c1", "t1", START, channel="")], "log.csv:2: case:channel: Empty"),
        ([row("c1", "", START)], "log.csv:2: concept:instance: Empty"),
        ([row("c1", "t1", START), row("c2", "t1", START)], "log.csv:3: concept:instance: The same as in line 2"),
        (
            [row("c1", "t1", START), row("c1", "t2", START, deadline="")],
            "log.csv:3: case:deadline: Differs from line 2 of the same case",
        ),
        ([row("c1", "t1", START, activity="x" * 201)], "log.csv:2: concept:name: record_step:"),
        ([row("c" * 101, "t1", START)], "log.csv:2: submit:"),
        ([row("c1", "t1", "2014-01-02T10:00:00+01:00", end="")], "log.csv:2: 2014-01-02T10:00:00+01:00 is outside"),
        (
            [row("c1", "t1", START, start="2009-12-31T10:00:00+01:00")],
            "log.csv:2: dossier.procedure: The centre has no",
        ),
    ],
)
def test_faults_name_line_column_and_reason(centre: Centre, rows: list[tuple[str, ...]], expected: str) -> None:
    """Each fault names line, column and reason."""
    assert any(fault.startswith(expected) for fault in refused(centre, rows)), refused(centre, rows)


def test_all_faults_are_reported_together(centre: Centre) -> None:
    """All faults are in one refusal, so a person can correct the file at once."""
    rows = [row("c1", "t1", "x"), row("c1", "t2", START, activity=""), row("c2", "t3", START, channel="Fax")]
    assert len(refused(centre, rows)) == 3


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("format = 1", "format = 2", "mapping: format"),
        ("format = 1", "format =", "mapping:1: not TOML"),
        ('system = "test-log"', 'system = "test log"', "mapping: system"),
        ("take_over = true", "take_over = 1", "mapping: dossier.take_over"),
        ("take_over = true", "takeover = true", "mapping: dossier.takeover"),
        ('{ value = "L.1" }', "{}", "mapping: dossier.procedure: Give either a value or a column"),
        ('"concept:name"', '"name"', "mapping: columns.activity: The log has no column 'name'"),
        ('{ value = "L.1" }', '{ value = "L.2" }', "log.csv:2: dossier.procedure: The centre has no procedure 'L.2'"),
        ('{ value = "GENERAL" }', '{ value = "X" }', "log.csv:2: submit: The centre has no department 'X'"),
        ('"online"', '"fax"', "log.csv:2: submit:"),
    ],
)
def test_faults_of_a_mapping_name_their_place(centre: Centre, old: str, new: str, expected: str) -> None:
    """A fault of the mapping has its place in the mapping, or the line of the log that shows it."""
    assert old in MAPPING
    faults = refused(centre, [row("c1", "t1", START)], MAPPING.replace(old, new, 1))
    assert any(fault.startswith(expected) for fault in faults), faults


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ('"Look" = { act = "look" }', "'look' is not an act that a row can be"),
        ('"Look" = { act = "extend" }', "'extend' is not an act that a row can be"),
        ('"Look" = { act = "submit" }', "'submit' is not an act that a row can be"),
        ('"Lok" = { act = "paid" }', "No row of the log has the activity 'Lok'"),
        ('"Look" = { act = "ask_supplement" }', "ask_supplement: missing: add it"),
    ],
)
def test_acts_of_a_mapping_are_checked_with_their_data(centre: Centre, acts: str, expected: str) -> None:
    """A mapped act must exist, be possible for a row, occur in the log, and have the data that intake requires."""
    faults = refused(centre, [row("c1", "t1", "2011-03-02T10:00:00+01:00")], f"{MAPPING}\n[acts]\n{acts}\n")
    assert any(expected in fault for fault in faults), faults


def test_draft_is_a_mapping_with_placeholders(centre: Centre) -> None:
    """A draft is a valid mapping; with its placeholders replaced it can plan the log."""
    log = read_csv("log.csv", as_csv([row("c1", "t1", START), row("c1", "t2", START), row("c2", "t3", START)]))
    draft = draft_mapping(log, system="log")
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


def test_draft_for_a_minimal_log_is_a_mapping() -> None:
    """A log with only case, activity and time, without offsets and with quotes in an activity, gets a valid draft."""
    header = ("Case ID", "Activity", "Timestamp")
    rows = [("1", 'Say "yes"', "2011-03-02 10:00:00"), ("1", "B", "2011-03-03 10:00:00")]
    draft = draft_mapping(read_csv("log.csv", as_csv(rows, header)), system="log")
    mapping = parse_mapping(draft.replace(f'zone = "{FILL_IN}"', 'zone = "Europe/Amsterdam"'))
    assert (mapping.columns.case, mapping.columns.activity, mapping.columns.time) == header
    assert mapping.dossier.start is None
    assert mapping.columns.key == ()
    assert r"Say \"yes\"" in draft
    assert set(HEADER).isdisjoint(header)
