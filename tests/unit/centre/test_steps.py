"""A procedure's steps across departments: what steps.csv may say, and where it is told what it may not."""

from datetime import date
from pathlib import Path

import pytest

from shared.catalogue import Centre, Term, load_centre
from shared.kernel.centre import ProcedureStep
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
    """The small centre, 2.000908 with ten working days."""
    return load_centre(write_centre(folder, procedures_csv=TEN_DAYS, steps_csv=steps))


def faults(folder: Path, steps: str, *, procedures: str = TEN_DAYS) -> list[str]:
    """The lines that the refusal lists."""
    with pytest.raises(StartError) as refused:
        load_centre(write_centre(folder, procedures_csv=procedures, steps_csv=steps))
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_steps_stand_in_order_as_of_the_day(tmp_path: Path) -> None:
    """Number, department and internal term of those in force on that local date, whatever the order of the lines."""
    centre = loaded(tmp_path, STEPS)
    before, after = (centre.steps_of("2.000908", day) for day in (date(2017, 12, 31), ON))
    assert [(each.number, each.department, each.term) for each in before] == [
        (1, "STP", Term(5, "working_day")),
        (2, "STC", Term(24, "working_hour")),
    ]
    assert [(each.number, each.department) for each in after] == [(1, "STP"), (2, "CA"), (3, "STP")]


def test_a_procedure_without_steps_has_none(tmp_path: Path) -> None:
    """The file may be left out, as may every line of it: then nothing is entered."""
    assert loaded(tmp_path / "without", None).steps_of("2.000908", ON) == ()
    assert loaded(tmp_path / "empty", HEADER).steps_of("2.000908", ON) == ()
    assert loaded(tmp_path / "others", STEPS).steps_of("1.000001", ON) == ()
    assert loaded(tmp_path / "earlier", STEPS).steps_of("2.000908", date(2017, 4, 27)) == ()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("2.000908,1,", "2.000908,0,", "steps.csv:3: step: '0' is not a whole number from 1 to 99"),
        (
            "5,working_day",
            "5,calendar_day",
            "steps.csv:3: term_unit: 'calendar_day' is not one of working_hour, working_day",
        ),
        ("5,working_day", "0,working_day", "steps.csv:3: term_value: '0' is not a whole number from 1 to 10000"),
        (
            "2.000908,1,STP",
            "2.000909,1,STP",
            "steps.csv:3: procedure: '2.000909' is not known: mend it, or enter it in its own file",
        ),
        ("2,CA", "2,SYT", "steps.csv:4: department: 'SYT' is not known: mend it, or enter it in its own file"),
        (
            "2,CA,3,working_day,2018-01-01",
            "2,CA,3,working_day,2018-01-02",
            "steps.csv:5: step: 2.000908 has no step 2 on 2018-01-01: steps count from 1 without a gap",
        ),
        (
            "2.000908,1,STP,5,working_day,2017-04-28,",
            "2.000908,1,STP,5,working_day,2017-04-28,2018-06-30",
            "steps.csv:4: step: 2.000908 has no step 1 on 2018-07-01: steps count from 1 without a gap",
        ),
        (
            "2.000908,2,STC,24,working_hour,2017-04-28",
            "2.000908,2,STC,24,working_hour,2017-05-01",
            "steps.csv:3: step: 2.000908 has one step alone on 2017-04-28: enter the next one, or none at all",
        ),
        (
            "2.000908,1,STP",
            "2.000908,1,CA",
            "steps.csv:3: department: 2.000908 begins with CA on 2017-04-28, where STP is competent",
        ),
        (
            "3,STP,1,working_day",
            "3,CA,1,working_day",
            "steps.csv:5: department: 2.000908 has steps 2 and 3 with CA on 2018-01-01: enter them as one",
        ),
        (
            "3,STP,1,working_day",
            "3,STP,17,working_hour",
            "steps.csv:5: term_value: 2.000908 has steps of 81 working hours on 2018-01-01, and a term of 80: "
            "a dossier would be at risk from its first minute",
        ),
    ],
)
def test_a_fault_is_told_with_its_place(tmp_path: Path, old: str, new: str, fault: str) -> None:
    """Known procedure and department, numbers without a gap, at least two, the competent department first, another one
    each time, and internal terms that fit into the procedure's own: on every day."""
    assert old in STEPS
    assert fault in faults(tmp_path, STEPS.replace(old, new, 1))


def test_two_steps_of_one_number_are_told_as_overlapping(tmp_path: Path) -> None:
    """Once, and not as a gap as well."""
    doubled = STEPS.replace("2,CA,3,working_day,2018-01-01", "2,CA,3,working_day,2017-12-31")
    assert faults(tmp_path, doubled) == [
        "steps.csv:4: valid_from: 2.000908 step 2 is already in force on 2017-12-31 by line 2: end that line first"
    ]


def test_internal_terms_may_take_the_whole_term(tmp_path: Path) -> None:
    """5 + 3 + 2 working days of 10: at risk from the first overrun on, not before."""
    centre = loaded(tmp_path, STEPS.replace("3,STP,1,working_day", "3,STP,16,working_hour"))
    assert len(centre.steps_of("2.000908", ON)) == 3


def test_what_cannot_be_compared_is_not_refused(tmp_path: Path) -> None:
    """Ten calendar days hold more or fewer working days; no term holds any."""
    procedures = edited("procedures.csv", ",STP; CA,", ",CA,")
    for procedure, first, second in (("1.000001", "STC", "CA"), ("L.7", "CA", "STC")):
        steps = HEADER
        for number, department in enumerate((first, second), start=1):
            steps += f"{procedure},{number},{department},9,working_day,2017-04-28,,07/QĐ,,\n"
        folder = write_centre(tmp_path / procedure, procedures_csv=procedures, steps_csv=steps)
        assert len(load_centre(folder).steps_of(procedure, ON)) == 2


def test_one_department_is_competent_where_there_are_steps(tmp_path: Path) -> None:
    """A submission to one of several could name the second step's, which then had the dossier before that step."""
    assert faults(tmp_path, STEPS, procedures=TEN_DAYS.replace(",STP,10", ",STP; STC,10")) == [
        "steps.csv:3: procedure: 2.000908 has several competent departments on 2017-04-28, STP, STC: "
        "leave one there, or enter no steps"
    ]


def test_a_procedure_that_changes_is_checked_from_that_day_on(tmp_path: Path) -> None:
    """A term made shorter later makes the steps of that later day a fault."""
    ten, eight = (f"{days},working_day,by_hours,15:00,0,23/2015/NĐ-CP; 66/2025/NQ-CP" for days in (10, 8))
    procedures = TEN_DAYS.replace(f"{ten},2017-04-28,", f"{ten},2017-04-28,2018-05-31")
    procedures += f"2.000908,Cấp bản sao,,,STP,{eight},2018-06-01,,10/QĐ,,verified,,\n"
    assert faults(tmp_path, STEPS, procedures=procedures) == [
        "steps.csv:5: term_value: 2.000908 has steps of 72 working hours on 2018-06-01, and a term of 64: "
        "a dossier would be at risk from its first minute"
    ]


@pytest.mark.parametrize("term", [Term(3, "calendar_day"), Term(0, "same_day"), Term(3, "working_day", "by_days")])
def test_a_step_takes_working_time(term: Term) -> None:
    """Hours or days of it, walked along the windows: what is left of it can be told at any instant."""
    with pytest.raises(ValueError, match="by_hours"):
        ProcedureStep(valid_from=ON, decision="07/QĐ", procedure="L.7", number=1, department="STP", term=term)


def test_steps_of_the_shipped_centre_are_invented_and_say_so() -> None:
    """There is no source for them, so every column of each of them is marked."""
    centre = load_centre(ROOT / "config" / "binh-phuoc")
    rows = [row for steps in centre.steps.values() for row in steps]
    assert {row.procedure for row in rows} == {"1.014936", "1.008128"}
    for row in rows:
        assert {"step", "department", "term_value", "term_unit", "valid_from", "decision"} <= set(row.invented)
