"""A centre is loaded completely, or every fault is reported with its place."""

import os
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from shared.catalogue import load_centre
from shared.kernel.centre import Term
from shared.kernel.errors import StartError
from tests.support.centre_folder import SMALL_CENTRE, edited, write_centre

ON = date(2018, 1, 2)


def faults(folder: Path) -> list[str]:
    """The listed faults of the error."""
    with pytest.raises(StartError) as refused:
        load_centre(folder)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_valid_folder_is_loaded_as_typed_dated_data(tmp_path: Path) -> None:
    """Departments, counters, procedures, papers and decisions are found by local date."""
    centre = load_centre(write_centre(tmp_path))
    procedure = centre.procedure("2.000908", ON)
    assert procedure is not None
    assert procedure.departments == ("STP",)
    assert procedure.legal_basis == ("23/2015/NĐ-CP", "66/2025/NQ-CP")
    assert procedure.fee_vnd == 0
    assert procedure.verified
    assert centre.counters_on(ON, "department", "STP") == (1, 2)
    assert centre.counters_on(ON, "general") == (5,)
    assert centre.thresholds(ON).escalation_working_hours == (8, 24)


def test_term_has_its_unit_and_missing_term_is_none(tmp_path: Path) -> None:
    """The unit `none` means that the law sets no term."""
    centre = load_centre(write_centre(tmp_path))
    without, days = centre.procedure("L.7", ON), centre.procedure("1.000001", ON)
    assert without is not None
    assert without.term is None
    assert days is not None
    assert days.term == Term(10, "calendar_day")


def test_empty_fee_is_unknown(tmp_path: Path) -> None:
    """An empty fee is unknown; only 0 is free of charge."""
    procedure = load_centre(write_centre(tmp_path)).procedure("1.000001", ON)
    assert procedure is not None
    assert procedure.fee_vnd is None


def test_missing_requirements_are_unknown(tmp_path: Path) -> None:
    """None means that requirements are unknown, not that no papers are required."""
    centre = load_centre(write_centre(tmp_path))
    assert centre.requirements_of("1.000001", ON) is None
    papers = centre.requirements_of("2.000908", ON)
    assert papers is not None
    assert [paper.key for paper in papers] == ["form"]


ACTIVITIES = """\
kind,code,name_vi,valid_from,valid_to,decision,invented,note
activity,T02,Kiểm tra,2017-04-28,2017-12-31,04/QĐ,,
activity,T02,Kiểm tra lại,2018-01-01,,04/QĐ,,
group,g1,Phòng 1,2017-04-28,,04/QĐ,,
"""


def test_centre_without_activities_has_no_step_code(tmp_path: Path) -> None:
    """The file is optional, and so is each of its lines; then no activity has a code."""
    header = ACTIVITIES.splitlines(keepends=True)[0]
    for folder, content in (("without", None), ("empty", header)):
        centre = load_centre(write_centre(tmp_path / folder, activities_csv=content))
        assert centre.step_code("activity", "Kiểm tra", ON) is None


@pytest.mark.parametrize(
    ("kind", "code_or_name", "code"),
    [
        ("activity", "T02", "T02"),
        ("activity", "Kiểm tra lại", "T02"),
        ("activity", "kiểm tra LẠI", "T02"),
        ("activity", "Kiểm tra", None),
        ("activity", "g1", None),
        ("group", "Phòng 1", "g1"),
        ("group", "Phòng 2", None),
    ],
)
def test_listed_word_is_found_by_code_and_by_its_name_of_the_day(
    tmp_path: Path, kind: Literal["activity", "group"], code_or_name: str, code: str | None
) -> None:
    """The name is compared without regard to case."""
    centre = load_centre(write_centre(tmp_path, activities_csv=ACTIVITIES))
    assert centre.step_code(kind, code_or_name, ON) == code


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("activity,other,Việc khác,2017-04-28,,04/QĐ,,", "'other' is not valid"),
        ("activity,a b,Việc khác,2017-04-28,,04/QĐ,,", "'a b' is not valid"),
        ("person,a,Việc khác,2017-04-28,,04/QĐ,,", "'person' is not one of activity, group"),
        ("activity,T02,Việc khác,2018-01-01,,04/QĐ,,", "activity T02 is already in force"),
        ("activity,T03,kiểm tra lại,2018-01-01,,04/QĐ,,", "activity kiểm tra lại is already in force"),
    ],
)
def test_faulty_activity_is_reported_with_its_place(tmp_path: Path, line: str, reason: str) -> None:
    """Codes and names are unique per kind and day; `other` is reserved for activities that are not listed."""
    (fault,) = faults(write_centre(tmp_path, activities_csv=f"{ACTIVITIES}{line}\n"))
    assert fault.startswith("activities.csv:5: ")
    assert reason in fault


def test_last_day_of_a_decision_is_in_force(tmp_path: Path) -> None:
    """valid_from and valid_to are both in force."""
    receiving = edited("receiving.csv", "2017-12-04,,", "2017-12-04,2018-02-11,")
    centre = load_centre(write_centre(tmp_path, receiving_csv=receiving))
    days = [date(2017, 12, 3), date(2017, 12, 4), date(2018, 2, 11), date(2018, 2, 12)]
    assert [centre.pooling("STC", day) is not None for day in days] == [False, True, True, False]


def test_version_does_not_depend_on_the_order_of_files(tmp_path: Path) -> None:
    """Two folders with the same files, written in another order, have the same version."""
    one = write_centre(tmp_path / "one")
    other = tmp_path / "other"
    (other / "calendars").mkdir(parents=True)
    for name in reversed(SMALL_CENTRE):
        (other / name).write_bytes((one / name).read_bytes())
    assert load_centre(one).catalogue_version == load_centre(other).catalogue_version


def test_version_changes_with_every_file(tmp_path: Path) -> None:
    """Any change in the folder, even of a note or a template, changes the version."""
    folder = write_centre(tmp_path)
    versions = {load_centre(folder).catalogue_version}
    (folder / "messages").mkdir()
    (folder / "messages" / "received.toml").write_text("text = 1\n")
    versions.add(load_centre(folder).catalogue_version)
    (folder / "messages" / "received.toml").write_text("text = 2\n")
    versions.add(load_centre(folder).catalogue_version)
    write_centre(folder, receiving_csv=edited("receiving.csv", "15/QĐ,,", "15/QĐ,,a note"))
    versions.add(load_centre(folder).catalogue_version)
    assert len(versions) == 4


@pytest.mark.parametrize("name", [".departments.csv.swp", ".DS_Store", "runs.csv~", "#runs.csv#", "README.md"])
def test_leftovers_of_editors_are_not_configuration(tmp_path: Path, name: str) -> None:
    """Leftovers of editors and a README change neither the configuration nor the version."""
    folder = write_centre(tmp_path)
    before = load_centre(folder).catalogue_version
    (folder / name).write_bytes(b"\xff")
    assert load_centre(folder).catalogue_version == before


def test_hidden_folders_are_not_configuration(tmp_path: Path) -> None:
    """Folders whose name begins with a dot, such as those of mounted volumes, are ignored."""
    folder = write_centre(tmp_path)
    before = load_centre(folder).catalogue_version
    (folder / "..data").mkdir()
    (folder / "..data" / "departments.csv").write_text("x")
    assert load_centre(folder).catalogue_version == before


def test_all_faults_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    """One report lists the faults of every file, so that one correction is enough."""
    reported = faults(
        write_centre(
            tmp_path,
            departments_csv=edited("departments.csv", "2017-04-28", "28/04/2017"),
            counters_csv=edited("counters.csv", "1,department", "one,department").replace("2,department", "2,desk"),
            receiving_csv=None,
            centre_toml=edited("centre.toml", "Asia/Ho_Chi_Minh", "Asia/Dong_Xoai"),
        )
    )
    assert reported == [
        "centre.toml:4: zone: 'Asia/Dong_Xoai' is not a time zone. Write an IANA name such as Asia/Ho_Chi_Minh.",
        "departments.csv:2: valid_from: '28/04/2017' is not a date. Write YYYY-MM-DD, 1990 to 2199.",
        "counters.csv:2: number: 'one' is not a whole number from 1 to 9999.",
        "counters.csv:3: kind: 'desk' is not one of department, general, guidance, fees, results.",
        "receiving.csv: The file is missing. Every centre needs it.",
    ]


PROCEDURE = "2.000908,Cấp bản sao"
FAULTY = {
    "a folder's file that is not UTF-8": (
        {"counters_csv": SMALL_CENTRE["counters.csv"].encode() + b"7,general,,2017-04-28,,Q\xd0,,\n"},
        "counters.csv:8: Byte 312 is not UTF-8. Save the file as UTF-8.",
    ),
    "a NUL character": (
        {"counters_csv": edited("counters.csv", "number,\n", "number,\0\n")},
        "counters.csv:2: The file contains a NUL character. Remove it.",
    ),
    "a misspelt column": (
        {"receiving_csv": edited("receiving.csv", "decision", "desicion")},
        "receiving.csv:1: desicion: Unknown column (did you mean decision?). The columns are "
        "department, valid_from, valid_to, decision, invented, note.",
    ),
    "an unknown column": (
        {"receiving_csv": edited("receiving.csv", ",note", ",remark")},
        "receiving.csv:1: remark: Unknown column. The columns are "
        "department, valid_from, valid_to, decision, invented, note.",
    ),
    "a missing column": (
        {"receiving_csv": edited("receiving.csv", ",note", ",remark")},
        "receiving.csv:1: note: The column is missing. Add it; its cells may be empty where nothing is known.",
    ),
    "a spreadsheet's semicolons": (
        {"receiving_csv": SMALL_CENTRE["receiving.csv"].replace(",", ";")},
        "receiving.csv:1: The values are separated by semicolons. Save the file with commas.",
    ),
    "a duplicate column": (
        {"receiving_csv": edited("receiving.csv", ",note", ",note,note")},
        "receiving.csv:1: note: The column occurs twice. Remove one.",
    ),
    "a line of another width": (
        {"receiving_csv": edited("receiving.csv", "15/QĐ,,", "15/QĐ, of 2017,,")},
        "receiving.csv:2: The line has 7 values, but the header has 6. Quote values with commas.",
    ),
    "an empty line": (
        {"receiving_csv": SMALL_CENTRE["receiving.csv"] + "\n"},
        "receiving.csv:3: The line is empty. Remove it.",
    ),
    "an empty file": (
        {"receiving_csv": ""},
        "receiving.csv:1: The file is empty. "
        "The first line must be department,valid_from,valid_to,decision,invented,note.",
    ),
    "broken quotes": (
        {"receiving_csv": edited("receiving.csv", "15/QĐ", '"15/QĐ')},
        "receiving.csv:2: The file is not valid CSV (unexpected end of data). Check the quotes.",
    ),
    "spaces around a value": (
        {"receiving_csv": edited("receiving.csv", "STC,", "STC ,")},
        "receiving.csv:2: department: 'STC ' begins or ends with a space. Remove it.",
    ),
    "a day that no calendar has": (
        {"receiving_csv": edited("receiving.csv", "2017-12-04", "2017-02-29")},
        "receiving.csv:2: valid_from: '2017-02-29' is not a date. Write YYYY-MM-DD, 1990 to 2199.",
    ),
    "an end before the start": (
        {"receiving_csv": edited("receiving.csv", "2017-12-04,,", "2017-12-04,2017-12-03,")},
        "receiving.csv:2: valid_to: 2017-12-03 is before valid_from (2017-12-04). It is the last day in force.",
    ),
    "an invented column that is none": (
        {"receiving_csv": edited("receiving.csv", "15/QĐ,,", "15/QĐ,number,")},
        "receiving.csv:2: invented: 'number' is not one of department, valid_from, valid_to, decision, invented, note.",
    ),
    "overlapping decisions": (
        {"receiving_csv": SMALL_CENTRE["receiving.csv"] + "STC,2018-03-05,,20/QĐ,,\n"},
        "receiving.csv:3: valid_from: STC is already in force on 2018-03-05 (line 2). Set valid_to there.",
    ),
    "a duplicate procedure": (
        {"procedures_csv": edited("procedures.csv", "1.000001", "2.000908")},
        "procedures.csv:3: valid_from: 2.000908 is already in force on 2017-04-28 (line 2). Set valid_to there.",
    ),
    "two departments with one agency id": (
        {"departments_csv": edited("departments.csv", "H10.02", "H10.01")},
        "departments.csv:3: valid_from: H10.01 is already in force on 2017-04-28 (line 2). Set valid_to there.",
    ),
    "a procedure of an unknown department": (
        {"procedures_csv": edited("procedures.csv", "STP; CA", "STP; SYT")},
        "procedures.csv:4: departments: 'SYT' is not in departments.csv. Correct it, or add it there.",
    ),
    "a procedure that outlives its department": (
        {"departments_csv": edited("departments.csv", "H10.03,2017-04-28,", "H10.03,2017-04-28,2025-02-28")},
        "procedures.csv:4: departments: 'CA' is not in force on 2025-03-01, but this line is. Correct one date.",
    ),
    "a procedure without a department": (
        {"procedures_csv": edited("procedures.csv", ",STC,", ",,")},
        "procedures.csv:3: departments: A value is required: the competent department (separate several with ;).",
    ),
    "a counter of an unknown department": (
        {"counters_csv": edited("counters.csv", "4,department,CA", "4,department,SYT")},
        "counters.csv:5: department: 'SYT' is not in departments.csv. Correct it, or add it there.",
    ),
    "a general counter with a department": (
        {"counters_csv": edited("counters.csv", "5,general,,", "5,general,CA,")},
        "counters.csv:6: department: A counter of kind department needs a department; "
        "a counter of another kind has none.",
    ),
    "a department without a receiving place": (
        {
            "counters_csv": edited(
                "counters.csv",
                "4,department,CA,2017-04-28,,01/QĐ,,\n5,general,,2017-04-28,,",
                "4,department,CA,2017-04-28,2018-06-30,01/QĐ,,\n5,general,,2017-04-28,2018-06-30,",
            )
        },
        "departments.csv:4: CA has no counter on 2018-07-01, and no general counter is open. Add one in counters.csv.",
    ),
    "a department pooled to a general counter that is closed": (
        {"counters_csv": edited("counters.csv", "5,general,,2017-04-28", "5,general,,2018-01-01")},
        "departments.csv:3: STC is pooled on 2017-12-04 (15/QĐ), but no general counter is open. Add one.",
    ),
    "an agency of another province": (
        {"departments_csv": edited("departments.csv", "H10.02", "H11.02")},
        "departments.csv:3: agency_id: 'H11.02' does not begin with the centre's prefix H10.",
    ),
    "a requirement of an unknown procedure": (
        {"requirements_csv": edited("requirements.csv", "2.000908", "2.000909")},
        "requirements.csv:2: procedure: '2.000909' is not in procedures.csv. Correct it, or add it there.",
    ),
    "a code of no known shape": (
        {"procedures_csv": edited("procedures.csv", "2.000908", "2000908")},
        "procedures.csv:2: code: '2000908' is not valid. Expected a national code (2.000488) or a local one (L.17).",
    ),
    "a term of zero days": (
        {"procedures_csv": edited("procedures.csv", "STC,10,", "STC,0,")},
        "procedures.csv:3: term_value: The value is 0 for same_day, and at least 1 for every other unit.",
    ),
    "a term without a value": (
        {"procedures_csv": edited("procedures.csv", "STC,10,", "STC,,")},
        "procedures.csv:3: term_value: The value is 0 for same_day, and at least 1 for every other unit.",
    ),
    "no term, with a value": (
        {"procedures_csv": edited("procedures.csv", "CA,,none", "CA,3,none")},
        "procedures.csv:4: term_unit: A procedure without a term (none) has neither term_value nor cut_off. "
        "Leave both empty.",
    ),
    "working days without a counting": (
        {"procedures_csv": edited("procedures.csv", "by_hours", "")},
        "procedures.csv:2: counting: The unit working_day needs by_hours or by_days; for other units leave this empty.",
    ),
    "settings that are not TOML": (
        {"centre_toml": edited("centre.toml", '"small"', '"small')},
        'centre.toml:1: not TOML: a quote is not closed on its line: code = "small',
    ),
    "a date that does not exist": (
        {"centre_toml": edited("centre.toml", "opened_on = 2017-04-28", "opened_on = 2017-13-28")},
        "centre.toml:6: not TOML: 2017-13-28 is not a date; write YYYY-MM-DD: opened_on = 2017-13-28",
    ),
    "an unknown setting": (
        {"centre_toml": edited("centre.toml", "hotline =", "hot_line =")},
        "centre.toml:8: hot_line: Unknown key (did you mean hotline?). Remove it, or correct its name.",
    ),
    "a missing setting": (
        {"centre_toml": edited("centre.toml", 'sms_brand = "SMALL"\n', "")},
        "centre.toml:1: sms_brand: The key is missing, and it has no default. Add it.",
    ),
    "a setting of another type": (
        {"centre_toml": edited("centre.toml", "near_working_hours = 8", "near_working_hours = true")},
        "centre.toml:17: near_working_hours: True is not a whole number from 1 to 2000.",
    ),
    "no thresholds": (
        {"centre_toml": SMALL_CENTRE["centre.toml"].split("[[")[0]},
        "centre.toml: thresholds: Add at least one section [[thresholds]].",
    ),
    "days without thresholds": (
        {"centre_toml": edited("centre.toml", "]]\nvalid_from = 2017-04-28", "]]\nvalid_from = 2017-05-01")},
        "centre.toml: thresholds: No thresholds are in force on 2017-04-28. Add a section, or extend one.",
    ),
}


@pytest.mark.parametrize(("changed", "fault"), FAULTY.values(), ids=FAULTY.keys())
def test_fault_is_reported_with_file_line_and_what_to_do(
    tmp_path: Path, changed: dict[str, str | bytes | None], fault: str
) -> None:
    """Nothing is loaded, and the report names the place of the fault and the remedy."""
    assert fault in faults(write_centre(tmp_path, **changed))


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    """A byte order mark, which spreadsheets write, changes no value."""
    folder = write_centre(tmp_path, receiving_csv=b"\xef\xbb\xbf" + SMALL_CENTRE["receiving.csv"].encode())
    assert load_centre(folder).pooling("STC", ON) is not None


def test_missing_folder_is_reported_by_name(tmp_path: Path) -> None:
    """The error names the path of the missing folder."""
    with pytest.raises(StartError, match="nowhere: no such folder"):
        load_centre(tmp_path / "nowhere")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_file_is_reported_by_name(tmp_path: Path) -> None:
    """A file without read permission prevents the start."""
    folder = write_centre(tmp_path)
    (folder / "receiving.csv").chmod(0)
    with pytest.raises(StartError, match=r"receiving\.csv: the file cannot be read"):
        load_centre(folder)


def test_first_calendar_is_the_centres_own(tmp_path: Path) -> None:
    """The first calendar of the file is the centre's own."""
    calendar = load_centre(write_centre(tmp_path)).calendar
    assert (calendar.name, [each.on for each in calendar.exceptions]) == ("week", [date(2018, 1, 1)])


def test_zone_of_the_calendar_must_be_the_centres(tmp_path: Path) -> None:
    """Local dates of the calendar are those of the centre."""
    calendars = edited("calendars.csv", "Asia/Ho_Chi_Minh", "Europe/Amsterdam")
    assert faults(write_centre(tmp_path, calendars_csv=calendars)) == [
        "calendars.csv: zone: The centre's own calendar has the zone Europe/Amsterdam, but the centre Asia/Ho_Chi_Minh."
    ]
