"""steps.csv: the steps of a procedure in several departments."""

from datetime import date
from pathlib import Path

import pytest

from shared.catalogue import Centre, load_centre
from shared.kernel.centre import ProcedureStep, Term
from shared.kernel.errors import StartError
from tests.support.centre_folder import edited, write_centre

ROOT = Path(__file__).parents[3]
ON = date(2018, 1, 2)
TEN_DAYS = edited("procedures.csv", "STP,1,working_day", "STP,10,working_day")
HEADER = "procedure,step,department,term_value,term_unit,valid_from,valid_to,decision,invented,note\n"
STEPS = f"""{HEADER}\
2.000908,2,STC,24,working_hour,2017-04-28,2017-12-31,07/QĐ,,
2.000908,1,STP,5,working_day,2017-04-28,,07/QĐ,,
2.000908,2,CA,3,working_day,2018-01-01,,09/QĐ,,
2.000908,3,STP,1,working_day,2018-01-01,,09/QĐ,,
"""


def loaded(folder: Path, steps: str | None) -> Centre:
    """The small centre, in which 2.000908 has ten working days."""
    return load_centre(write_centre(folder, procedures_csv=TEN_DAYS, steps_csv=steps))


def faults(folder: Path, steps: str, *, procedures: str = TEN_DAYS) -> list[str]:
    """The listed faults of the error."""
    with pytest.raises(StartError) as refused:
        load_centre(write_centre(folder, procedures_csv=procedures, steps_csv=steps))
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_steps_of_a_day_are_in_order(tmp_path: Path) -> None:
    """The steps in force on a local date are sorted by number, in any order of the lines."""
    centre = loaded(tmp_path, STEPS)
    before, after = (centre.steps_of("2.000908", day) for day in (date(2017, 12, 31), ON))
    assert [(each.number, each.department, each.term) for each in before] == [
        (1, "STP", Term(5, "working_day")),
        (2, "STC", Term(24, "working_hour")),
    ]
    assert [(each.number, each.department) for each in after] == [(1, "STP"), (2, "CA"), (3, "STP")]


def test_procedure_without_steps_has_none(tmp_path: Path) -> None:
    """The file is optional, and so is each of its lines."""
    assert loaded(tmp_path / "without", None).steps_of("2.000908", ON) == ()
    assert loaded(tmp_path / "empty", HEADER).steps_of("2.000908", ON) == ()
    assert loaded(tmp_path / "others", STEPS).steps_of("1.000001", ON) == ()
    assert loaded(tmp_path / "earlier", STEPS).steps_of("2.000908", date(2017, 4, 27)) == ()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("2.000908,1,", "2.000908,0,", "steps.csv:3: step: '0' is not a whole number from 1 to 99."),
        (
            "5,working_day",
            "5,calendar_day",
            "steps.csv:3: term_unit: 'calendar_day' is not one of working_hour, working_day.",
        ),
        ("5,working_day", "0,working_day", "steps.csv:3: term_value: '0' is not a whole number from 1 to 10000."),
        (
            "2.000908,1,STP",
            "2.000909,1,STP",
            "steps.csv:3: procedure: '2.000909' is not in procedures.csv. Correct it, or add it there.",
        ),
        ("2,CA", "2,SYT", "steps.csv:4: department: 'SYT' is not in departments.csv. Correct it, or add it there."),
        (
            "2,CA,3,working_day,2018-01-01",
            "2,CA,3,working_day,2018-01-02",
            "steps.csv:5: step: 2.000908 has no step 2 on 2018-01-01. Number the steps from 1 without a gap.",
        ),
        (
            "2.000908,1,STP,5,working_day,2017-04-28,",
            "2.000908,1,STP,5,working_day,2017-04-28,2018-06-30",
            "steps.csv:4: step: 2.000908 has no step 1 on 2018-07-01. Number the steps from 1 without a gap.",
        ),
        (
            "2.000908,2,STC,24,working_hour,2017-04-28",
            "2.000908,2,STC,24,working_hour,2017-05-01",
            "steps.csv:3: step: 2.000908 has only one step on 2017-04-28. Add the next step, or remove it.",
        ),
        (
            "2.000908,1,STP",
            "2.000908,1,CA",
            "steps.csv:3: department: 2.000908 begins with CA on 2017-04-28, but STP is competent. "
            "Correct the department.",
        ),
        (
            "3,STP,1,working_day",
            "3,CA,1,working_day",
            "steps.csv:5: department: 2.000908 has steps 2 and 3 of CA on 2018-01-01. Merge them into one.",
        ),
        (
            "3,STP,1,working_day",
            "3,STP,17,working_hour",
            "steps.csv:5: term_value: 2.000908 has steps of 81 working hours on 2018-01-01, but a term of 80: "
            "each dossier would be at risk at once. Shorten the steps.",
        ),
    ],
)
def test_faulty_step_is_reported_with_its_place(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """The rules hold on every day.

    Procedure and department exist; numbers have no gap and are at least two; the competent department is first, and
    another one follows each time; the internal terms fit into the term of the procedure.
    """
    assert old in STEPS
    assert fault in faults(tmp_path, STEPS.replace(old, new, 1))


def test_two_steps_with_one_number_are_reported_as_overlapping(tmp_path: Path) -> None:
    """Overlapping steps are one fault, not also a gap."""
    doubled = STEPS.replace("2,CA,3,working_day,2018-01-01", "2,CA,3,working_day,2017-12-31")
    assert faults(tmp_path, doubled) == [
        "steps.csv:4: valid_from: 2.000908 step 2 is already in force on 2017-12-31 (line 2). Set valid_to there."
    ]


def test_internal_terms_may_use_the_whole_term(tmp_path: Path) -> None:
    """Internal terms of 5 + 3 + 2 working days fit into a term of 10."""
    centre = loaded(tmp_path, STEPS.replace("3,STP,1,working_day", "3,STP,16,working_hour"))
    assert len(centre.steps_of("2.000908", ON)) == 3


def test_term_in_calendar_days_is_not_compared(tmp_path: Path) -> None:
    """The working time of calendar days varies, and no term has none, so neither is compared with the steps."""
    procedures = edited("procedures.csv", ",STP; CA,", ",CA,")
    for procedure, first, second in (("1.000001", "STC", "CA"), ("L.7", "CA", "STC")):
        steps = HEADER
        for number, department in enumerate((first, second), start=1):
            steps += f"{procedure},{number},{department},9,working_day,2017-04-28,,07/QĐ,,\n"
        folder = write_centre(tmp_path / procedure, procedures_csv=procedures, steps_csv=steps)
        assert len(load_centre(folder).steps_of(procedure, ON)) == 2


def test_procedure_with_steps_has_one_competent_department(tmp_path: Path) -> None:
    """With several competent departments, a submission could name the department of the second step."""
    assert faults(tmp_path, STEPS, procedures=TEN_DAYS.replace(",STP,10", ",STP; STC,10")) == [
        "steps.csv:3: procedure: 2.000908 has several competent departments on 2017-04-28 (STP, STC). "
        "Keep one of them, or remove the steps."
    ]


def test_steps_are_checked_again_when_the_procedure_changes(tmp_path: Path) -> None:
    """A shorter term from a later day makes the steps of that day faulty."""
    ten, eight = (f"{days},working_day,by_hours,15:00,0,23/2015/NĐ-CP; 66/2025/NQ-CP" for days in (10, 8))
    procedures = TEN_DAYS.replace(f"{ten},2017-04-28,", f"{ten},2017-04-28,2018-05-31")
    procedures += f"2.000908,Cấp bản sao,,,STP,{eight},2018-06-01,,10/QĐ,,verified,,\n"
    assert faults(tmp_path, STEPS, procedures=procedures) == [
        "steps.csv:5: term_value: 2.000908 has steps of 72 working hours on 2018-06-01, but a term of 64: "
        "each dossier would be at risk at once. Shorten the steps."
    ]


@pytest.mark.parametrize("term", [Term(3, "calendar_day"), Term(0, "same_day"), Term(3, "working_day", "by_days")])
def test_step_needs_a_term_in_working_time(term: Term) -> None:
    """A step's term is in working hours or days, so that the remaining time is known at any instant."""
    with pytest.raises(ValueError, match="by_hours"):
        ProcedureStep(valid_from=ON, decision="07/QĐ", procedure="L.7", number=1, department="STP", term=term)


def test_steps_of_the_shipped_centre_are_marked_as_invented() -> None:
    """The steps have no source, so every column is marked as invented."""
    centre = load_centre(ROOT / "config" / "binh-phuoc")
    rows = [row for steps in centre.steps.values() for row in steps]
    assert {row.procedure for row in rows} == {"1.014936", "1.008128"}
    for row in rows:
        assert {"step", "department", "term_value", "term_unit", "valid_from", "decision"} <= set(row.invented)
