"""A centre is loaded whole, or every fault is told with its place."""

import os
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from shared.catalogue import Term, load_centre
from shared.kernel.errors import StartError
from tests.support.centre_folder import SMALL_CENTRE, edited, write_centre

ON = date(2018, 1, 2)


def faults(folder: Path) -> list[str]:
    """The lines that the refusal lists."""
    with pytest.raises(StartError) as refused:
        load_centre(folder)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_a_sound_folder_gives_typed_dated_data(tmp_path: Path) -> None:
    """Departments, counters, procedures, papers and decisions can be asked for by local date."""
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


def test_no_term_is_none_and_a_term_keeps_its_unit(tmp_path: Path) -> None:
    """`none` says that the law gives no term."""
    centre = load_centre(write_centre(tmp_path))
    without, days = centre.procedure("L.7", ON), centre.procedure("1.000001", ON)
    assert without is not None
    assert without.term is None
    assert days is not None
    assert days.term == Term(10, "calendar_day")


def test_an_unknown_fee_is_not_free(tmp_path: Path) -> None:
    """An empty fee is not entered, which is something else than 0."""
    procedure = load_centre(write_centre(tmp_path)).procedure("1.000001", ON)
    assert procedure is not None
    assert procedure.fee_vnd is None


def test_papers_that_nobody_entered_are_not_no_papers(tmp_path: Path) -> None:
    """None stands for "not entered"; there is no way to read it as "none asked for"."""
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


def test_a_centre_without_a_list_of_activities_lists_none(tmp_path: Path) -> None:
    """The file may be left out, as may every line of it: then no word travels."""
    header = ACTIVITIES.splitlines(keepends=True)[0]
    for folder, content in (("without", None), ("empty", header)):
        centre = load_centre(write_centre(tmp_path / folder, activities_csv=content))
        assert centre.step_code("activity", "Kiểm tra", ON) is None


@pytest.mark.parametrize(
    ("kind", "given", "code"),
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
def test_a_listed_word_is_known_by_its_code_and_by_its_name_of_that_day(
    tmp_path: Path, kind: Literal["activity", "group"], given: str, code: str | None
) -> None:
    """Small and capital letters do not matter in a name."""
    centre = load_centre(write_centre(tmp_path, activities_csv=ACTIVITIES))
    assert centre.step_code(kind, given, ON) == code


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("activity,other,Việc khác,2017-04-28,,04/QĐ,,", "'other' does not fit"),
        ("activity,a b,Việc khác,2017-04-28,,04/QĐ,,", "'a b' does not fit"),
        ("person,a,Việc khác,2017-04-28,,04/QĐ,,", "'person' is not one of activity, group"),
        ("activity,T02,Việc khác,2018-01-01,,04/QĐ,,", "activity T02 is already in force"),
        ("activity,T03,kiểm tra lại,2018-01-01,,04/QĐ,,", "activity kiểm tra lại is already in force"),
    ],
)
def test_a_bent_list_of_activities_is_told_with_its_place(tmp_path: Path, line: str, reason: str) -> None:
    """A code is one of its kind on any day, and so is a name; `other` stands for what is not listed."""
    (fault,) = faults(write_centre(tmp_path, activities_csv=f"{ACTIVITIES}{line}\n"))
    assert fault.startswith("activities.csv:5: ")
    assert reason in fault


def test_the_last_day_of_a_decision_is_included(tmp_path: Path) -> None:
    """valid_from and valid_to are both days in force."""
    receiving = edited("receiving.csv", "2017-12-04,,", "2017-12-04,2018-02-11,")
    centre = load_centre(write_centre(tmp_path, receiving_csv=receiving))
    days = [date(2017, 12, 3), date(2017, 12, 4), date(2018, 2, 11), date(2018, 2, 12)]
    assert [centre.pooling("STC", day) is not None for day in days] == [False, True, True, False]


def test_the_hash_does_not_depend_on_the_order_of_the_file_system(tmp_path: Path) -> None:
    """Two folders with the same files, written in another order, are the same configuration."""
    one = write_centre(tmp_path / "one")
    other = tmp_path / "other"
    (other / "calendars").mkdir(parents=True)
    for name in reversed(SMALL_CENTRE):
        (other / name).write_bytes((one / name).read_bytes())
    assert load_centre(one).catalogue_version == load_centre(other).catalogue_version


def test_the_hash_covers_every_file(tmp_path: Path) -> None:
    """A change anywhere in the folder, down to a note or a template, is another configuration."""
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
def test_what_editors_leave_behind_is_not_configuration(tmp_path: Path, name: str) -> None:
    """Their files change neither what is read nor the version, nor does a README."""
    folder = write_centre(tmp_path)
    before = load_centre(folder).catalogue_version
    (folder / name).write_bytes(b"\xff")
    assert load_centre(folder).catalogue_version == before


def test_hidden_folders_are_not_configuration(tmp_path: Path) -> None:
    """Mounted volumes keep their own there, under names that begin with a dot."""
    folder = write_centre(tmp_path)
    before = load_centre(folder).catalogue_version
    (folder / "..data").mkdir()
    (folder / "..data" / "departments.csv").write_text("x")
    assert load_centre(folder).catalogue_version == before


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """A person mends the whole folder in one go."""
    told = faults(
        write_centre(
            tmp_path,
            departments_csv=edited("departments.csv", "2017-04-28", "28/04/2017"),
            counters_csv=edited("counters.csv", "1,department", "one,department").replace("2,department", "2,desk"),
            receiving_csv=None,
            centre_toml=edited("centre.toml", "Asia/Ho_Chi_Minh", "Asia/Dong_Xoai"),
        )
    )
    assert told == [
        "centre.toml:4: zone: 'Asia/Dong_Xoai' is not a time zone: expected is an IANA name such as Asia/Ho_Chi_Minh",
        "departments.csv:2: valid_from: '28/04/2017' is not a date: expected is YYYY-MM-DD, 1990 to 2199",
        "counters.csv:2: number: 'one' is not a whole number from 1 to 9999",
        "counters.csv:3: kind: 'desk' is not one of department, general, guidance, fees, results",
        "receiving.csv: missing: every centre has this file",
    ]


PROCEDURE = "2.000908,Cấp bản sao"
FAULTY = {
    "a folder's file that is not UTF-8": (
        {"counters_csv": SMALL_CENTRE["counters.csv"].encode() + b"7,general,,2017-04-28,,Q\xd0,,\n"},
        "counters.csv:8: byte 312 is not UTF-8: save the file as UTF-8",
    ),
    "a NUL character": (
        {"counters_csv": edited("counters.csv", "number,\n", "number,\0\n")},
        "counters.csv:2: holds a NUL character: remove it",
    ),
    "a misspelt column": (
        {"receiving_csv": edited("receiving.csv", "decision", "desicion")},
        "receiving.csv:1: desicion: unknown column (did you mean decision?): expected are "
        "department, valid_from, valid_to, decision, invented, note",
    ),
    "an unknown column": (
        {"receiving_csv": edited("receiving.csv", ",note", ",remark")},
        "receiving.csv:1: remark: unknown column: expected are "
        "department, valid_from, valid_to, decision, invented, note",
    ),
    "a missing column": (
        {"receiving_csv": edited("receiving.csv", ",note", ",remark")},
        "receiving.csv:1: note: column missing: add it, empty where nothing is known",
    ),
    "a spreadsheet's semicolons": (
        {"receiving_csv": SMALL_CENTRE["receiving.csv"].replace(",", ";")},
        "receiving.csv:1: semicolons between the values: save it with commas",
    ),
    "a doubled column": (
        {"receiving_csv": edited("receiving.csv", ",note", ",note,note")},
        "receiving.csv:1: note: column named twice: keep one",
    ),
    "a line of another width": (
        {"receiving_csv": edited("receiving.csv", "15/QĐ,,", "15/QĐ, of 2017,,")},
        "receiving.csv:2: 7 values where the header names 6: quote values that hold a comma",
    ),
    "an empty line": (
        {"receiving_csv": SMALL_CENTRE["receiving.csv"] + "\n"},
        "receiving.csv:3: empty line: remove it",
    ),
    "an empty file": (
        {"receiving_csv": ""},
        "receiving.csv:1: empty: the first line must be department,valid_from,valid_to,decision,invented,note",
    ),
    "broken quotes": (
        {"receiving_csv": edited("receiving.csv", "15/QĐ", '"15/QĐ')},
        "receiving.csv:2: not readable as CSV (unexpected end of data): check the quotes",
    ),
    "spaces around a value": (
        {"receiving_csv": edited("receiving.csv", "STC,", "STC ,")},
        "receiving.csv:2: department: 'STC ' has spaces around it: remove them",
    ),
    "a day that no calendar has": (
        {"receiving_csv": edited("receiving.csv", "2017-12-04", "2017-02-29")},
        "receiving.csv:2: valid_from: '2017-02-29' is not a date: expected is YYYY-MM-DD, 1990 to 2199",
    ),
    "an end before the start": (
        {"receiving_csv": edited("receiving.csv", "2017-12-04,,", "2017-12-04,2017-12-03,")},
        "receiving.csv:2: valid_to: 2017-12-03 is before valid_from, 2017-12-04: it is the last day in force",
    ),
    "an invented column that is none": (
        {"receiving_csv": edited("receiving.csv", "15/QĐ,,", "15/QĐ,number,")},
        "receiving.csv:2: invented: 'number' is not one of department, valid_from, valid_to, decision, invented, note",
    ),
    "overlapping decisions": (
        {"receiving_csv": SMALL_CENTRE["receiving.csv"] + "STC,2018-03-05,,20/QĐ,,\n"},
        "receiving.csv:3: valid_from: STC is already in force on 2018-03-05 by line 2: end that line first",
    ),
    "a doubled procedure": (
        {"procedures_csv": edited("procedures.csv", "1.000001", "2.000908")},
        "procedures.csv:3: valid_from: 2.000908 is already in force on 2017-04-28 by line 2: end that line first",
    ),
    "two departments with one agency id": (
        {"departments_csv": edited("departments.csv", "H10.02", "H10.01")},
        "departments.csv:3: valid_from: H10.01 is already in force on 2017-04-28 by line 2: end that line first",
    ),
    "a procedure of an unknown department": (
        {"procedures_csv": edited("procedures.csv", "STP; CA", "STP; SYT")},
        "procedures.csv:4: departments: 'SYT' is not known: mend it, or enter it in its own file",
    ),
    "a procedure that outlives its department": (
        {"departments_csv": edited("departments.csv", "H10.03,2017-04-28,", "H10.03,2017-04-28,2025-02-28")},
        "procedures.csv:4: departments: 'CA' is not in force on 2025-03-01, but this line is",
    ),
    "a procedure without a department": (
        {"procedures_csv": edited("procedures.csv", ",STC,", ",,")},
        "procedures.csv:3: departments: empty: name the competent department (several with ; between them)",
    ),
    "a counter of an unknown department": (
        {"counters_csv": edited("counters.csv", "4,department,CA", "4,department,SYT")},
        "counters.csv:5: department: 'SYT' is not known: mend it, or enter it in its own file",
    ),
    "a general counter with a department": (
        {"counters_csv": edited("counters.csv", "5,general,,", "5,general,CA,")},
        "counters.csv:6: department: a counter of kind department names its department, one of another kind none",
    ),
    "a department that nobody receives for": (
        {
            "counters_csv": edited(
                "counters.csv",
                "4,department,CA,2017-04-28,,01/QĐ,,\n5,general,,2017-04-28,,",
                "4,department,CA,2017-04-28,2018-06-30,01/QĐ,,\n5,general,,2017-04-28,2018-06-30,",
            )
        },
        "departments.csv:4: CA has no counter on 2018-07-01, and no general counter is open: add one in counters.csv",
    ),
    "a department pooled to a general counter that is closed": (
        {"counters_csv": edited("counters.csv", "5,general,,2017-04-28", "5,general,,2018-01-01")},
        "departments.csv:3: STC is pooled on 2017-12-04 (15/QĐ), but no general counter is open: add one",
    ),
    "an agency of another province": (
        {"departments_csv": edited("departments.csv", "H10.02", "H11.02")},
        "departments.csv:3: agency_id: 'H11.02' does not begin with the centre's prefix, H10.",
    ),
    "a requirement of an unknown procedure": (
        {"requirements_csv": edited("requirements.csv", "2.000908", "2.000909")},
        "requirements.csv:2: procedure: '2.000909' is not known: mend it, or enter it in its own file",
    ),
    "a code of no known shape": (
        {"procedures_csv": edited("procedures.csv", "2.000908", "2000908")},
        "procedures.csv:2: code: '2000908' does not fit: expected is a national code (2.000488) or a local one (L.17)",
    ),
    "a term of zero days": (
        {"procedures_csv": edited("procedures.csv", "STC,10,", "STC,0,")},
        "procedures.csv:3: term_value: same_day has the value 0, every other unit at least 1",
    ),
    "a term without a value": (
        {"procedures_csv": edited("procedures.csv", "STC,10,", "STC,,")},
        "procedures.csv:3: term_value: same_day has the value 0, every other unit at least 1",
    ),
    "no term, with a value": (
        {"procedures_csv": edited("procedures.csv", "CA,,none", "CA,3,none")},
        "procedures.csv:4: term_unit: a procedure without a term (none) has neither term_value nor cut_off: empty both",
    ),
    "working days without a counting": (
        {"procedures_csv": edited("procedures.csv", "by_hours", "")},
        "procedures.csv:2: counting: by_hours or by_days stands with the unit working_day, and only there",
    ),
    "settings that are not TOML": (
        {"centre_toml": edited("centre.toml", '"small"', '"small')},
        'centre.toml:1: not TOML: a quote is opened and not closed on its line: code = "small',
    ),
    "a date that does not exist": (
        {"centre_toml": edited("centre.toml", "opened_on = 2017-04-28", "opened_on = 2017-13-28")},
        "centre.toml:6: not TOML: there is no date 2017-13-28, which must be YYYY-MM-DD: opened_on = 2017-13-28",
    ),
    "an unknown setting": (
        {"centre_toml": edited("centre.toml", "hotline =", "hot_line =")},
        "centre.toml:8: hot_line: unknown key (did you mean hotline?): remove it or mend its name",
    ),
    "a missing setting": (
        {"centre_toml": edited("centre.toml", 'sms_brand = "SMALL"\n', "")},
        "centre.toml:1: sms_brand: missing: it has no default",
    ),
    "a setting of another type": (
        {"centre_toml": edited("centre.toml", "near_working_hours = 8", "near_working_hours = true")},
        "centre.toml:17: near_working_hours: True is not a whole number from 1 to 2000",
    ),
    "no thresholds": (
        {"centre_toml": SMALL_CENTRE["centre.toml"].split("[[")[0]},
        "centre.toml: thresholds: needs at least one section [[thresholds]]",
    ),
    "days without thresholds": (
        {"centre_toml": edited("centre.toml", "]]\nvalid_from = 2017-04-28", "]]\nvalid_from = 2017-05-01")},
        "centre.toml: thresholds: no thresholds are in force on 2017-04-28: add a section or widen one",
    ),
}


@pytest.mark.parametrize(("changed", "fault"), FAULTY.values(), ids=FAULTY.keys())
def test_a_fault_is_told_with_file_line_and_what_to_do(
    tmp_path: Path, changed: dict[str, str | bytes | None], fault: str
) -> None:
    """Nothing is loaded, nothing is defaulted, and the sentence says where and what."""
    assert fault in faults(write_centre(tmp_path, **changed))


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """Spreadsheets write one; it changes no value."""
    folder = write_centre(tmp_path, receiving_csv=b"\xef\xbb\xbf" + SMALL_CENTRE["receiving.csv"].encode())
    assert load_centre(folder).pooling("STC", ON) is not None


def test_a_missing_folder_is_told_by_name(tmp_path: Path) -> None:
    """The start stops with the path that was looked for."""
    with pytest.raises(StartError, match="nowhere: there is no such folder"):
        load_centre(tmp_path / "nowhere")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_told_by_name(tmp_path: Path) -> None:
    """A file that this process may not read stops the start."""
    folder = write_centre(tmp_path)
    (folder / "receiving.csv").chmod(0)
    with pytest.raises(StartError, match=r"receiving\.csv: cannot be read"):
        load_centre(folder)


def test_the_centre_works_by_its_first_calendar(tmp_path: Path) -> None:
    """Calendars are part of the folder; the first line is the centre's own."""
    calendar = load_centre(write_centre(tmp_path)).calendar
    assert (calendar.name, [each.on for each in calendar.exceptions]) == ("week", [date(2018, 1, 1)])


def test_the_centre_and_its_calendar_share_a_zone(tmp_path: Path) -> None:
    """Local dates of the one must be those of the other."""
    calendars = edited("calendars.csv", "Asia/Ho_Chi_Minh", "Europe/Amsterdam")
    assert faults(write_centre(tmp_path, calendars_csv=calendars)) == [
        "calendars.csv: zone: the centre's own calendar has the zone Europe/Amsterdam, the centre Asia/Ho_Chi_Minh"
    ]
