"""The columns of each CSV file of a centre, and the functions that build a value from one line.

They add a fault to the row for each invalid cell; the returned value is meaningless if the row is then not `valid`.
"""

from collections.abc import Mapping
from typing import Any, Literal

from shared.catalogue import cells
from shared.catalogue.calendar_files import local_windows
from shared.catalogue.files import CsvRow
from shared.contracts.dossiers import UNLISTED
from shared.kernel.centre import (
    Counter,
    CounterKind,
    Counting,
    Department,
    Pooling,
    Procedure,
    ProcedureStep,
    Requirement,
    RunKind,
    Runs,
    ServiceTime,
    Staffing,
    StepWord,
    StepWordKind,
    Term,
    TermUnit,
)

_DATED = ("valid_from", "valid_to", "decision")
_MARKS = ("invented", "note")

DEPARTMENTS = ("code", "name_vi", "name_en", "short_vi", "kind", "agency_id", *_DATED, "source", "status", *_MARKS)
COUNTERS = ("number", "kind", "department", *_DATED, *_MARKS)
PROCEDURES = (
    "code",
    "name_vi",
    "name_en",
    "field_vi",
    "departments",
    "term_value",
    "term_unit",
    "counting",
    "cut_off",
    "fee_vnd",
    "legal_basis",
    *_DATED,
    "source",
    "status",
    *_MARKS,
)
STEPS = ("procedure", "step", "department", "term_value", "term_unit", *_DATED, *_MARKS)
REQUIREMENTS = ("procedure", "key", "name_vi", "form", "copies", "mandatory", *_DATED, *_MARKS)
STAFFING = ("counter", "windows", "officers", *_DATED, *_MARKS)
SERVICE_TIMES = ("procedure", "median_minutes", "p90_minutes", *_DATED, *_MARKS)
RECEIVING = ("department", *_DATED, *_MARKS)
RUNS = ("kind", "leaves_at", *_DATED, *_MARKS)
ACTIVITIES = ("kind", "code", "name_vi", *_DATED, *_MARKS)

DEPARTMENT_CODE = cells.matching(r"[A-Za-z0-9_]{1,20}", "1 to 20 letters without diacritics, digits or _")
PROCEDURE_CODE = cells.matching(r"\d\.\d{6}|L\.\d{1,6}", "a national code (2.000488) or a local one (L.17)")
AGENCY_ID = cells.matching(r"[A-Z]\d{2}(\.\d{1,3})*", "the agency's identifier, such as H10.18")
_KEY = cells.matching(r"[a-z0-9_]{1,40}", "1 to 40 small letters, digits or _")
_STEP_CODE = cells.matching(
    rf"(?!{UNLISTED}$)[A-Za-z0-9._-]{{1,64}}",
    f"1 to 64 letters without diacritics, digits, . _ or -, but not {UNLISTED}, which means not listed",
)
_ASCII = cells.matching(r"[ -~]{1,11}", "at most 11 characters without diacritics")

_STATUS = {"verified": True, "plausible": False, "unverified": False}
_YES_NO = {"yes": True, "no": False}
_KINDS: Mapping[str, CounterKind] = {
    "department": "department",
    "general": "general",
    "guidance": "guidance",
    "fees": "fees",
    "results": "results",
}
_UNITS: Mapping[str, TermUnit | None] = {
    "working_hour": "working_hour",
    "working_day": "working_day",
    "calendar_day": "calendar_day",
    "same_day": "same_day",
    "none": None,
}
_STEP_UNITS: Mapping[str, TermUnit] = {"working_hour": "working_hour", "working_day": "working_day"}
_STEP_WORDS: Mapping[str, StepWordKind] = {"activity": "activity", "group": "group"}
_RUNS: Mapping[str, RunKind] = {"department": "department", "general": "general"}
_COUNTINGS: Mapping[str, Counting] = {"by_hours": "by_hours", "by_days": "by_days"}
_Form = Literal["original", "copy", "certified_copy"]
_FORMS: Mapping[str, _Form] = {"original": "original", "copy": "copy", "certified_copy": "certified_copy"}


def _dated(row: CsvRow) -> dict[str, Any]:
    valid_from = row.read("valid_from", cells.calendar_date)
    valid_to = row.read("valid_to", cells.optional(cells.calendar_date))
    if row.valid and valid_to is not None and valid_to < valid_from:
        row.fault(f"{valid_to} is before valid_from ({valid_from}). It is the last day in force.", "valid_to")
    return {
        "valid_from": valid_from,
        "valid_to": valid_to,
        "decision": row.read("decision", cells.text),
        "invented": row.read("invented", cells.several(cells.choice({column: column for column in row.cells}))),
        "note": row.cells["note"],
    }


def department(row: CsvRow) -> Department:
    """Parse a line of departments.csv: the department. Faults are added to the row."""
    row.read("status", cells.choice(_STATUS))
    return Department(
        code=row.read("code", DEPARTMENT_CODE),
        name_vi=row.read("name_vi", cells.text),
        name_en=row.read("name_en", cells.text),
        short_vi=row.read("short_vi", _ASCII),
        kind=row.read("kind", cells.choice({kind: kind for kind in ("so", "ban", "nganh-doc")})),
        agency_id=row.read("agency_id", AGENCY_ID),
        source=row.cells["source"],
        **_dated(row),
    )


def counter(row: CsvRow) -> Counter:
    """Parse a line of counters.csv: the counter. Faults are added to the row."""
    kind = row.read("kind", cells.choice(_KINDS))
    if row.valid and (kind == "department") != bool(row.cells["department"]):
        row.fault("A counter of kind department needs a department; a counter of another kind has none.", "department")
    return Counter(
        number=row.read("number", cells.whole_number(1, 9999)),
        kind=kind,
        department=row.read("department", cells.optional(DEPARTMENT_CODE)),
        **_dated(row),
    )


def procedure(row: CsvRow) -> Procedure:
    """Parse a line of procedures.csv: the procedure. Faults are added to the row."""
    departments = row.read("departments", cells.several(DEPARTMENT_CODE))
    if departments == ():
        row.fault("A value is required: the competent department (separate several with ;).", "departments")
    return Procedure(
        code=row.read("code", PROCEDURE_CODE),
        name_vi=row.read("name_vi", cells.text),
        name_en=row.cells["name_en"],
        field_vi=row.cells["field_vi"],
        departments=departments,
        term=_term(row),
        fee_vnd=row.read("fee_vnd", cells.optional(cells.whole_number(0, 10**11))),
        legal_basis=row.read("legal_basis", cells.several(cells.text)),
        source=row.cells["source"],
        verified=row.read("status", cells.choice(_STATUS)),
        **_dated(row),
    )


def _term(row: CsvRow) -> Term | None:
    unit = row.read("term_unit", cells.choice(_UNITS))
    value = row.read("term_value", cells.optional(cells.whole_number(0, 10_000)))
    counting = row.read("counting", cells.optional(cells.choice(_COUNTINGS)))
    cut_off = row.read("cut_off", cells.optional(cells.clock_time))
    if not row.valid:
        return None
    if (counting is not None) != (unit == "working_day"):
        row.fault("The unit working_day needs by_hours or by_days; for other units leave this empty.", "counting")
    if unit is None:
        if value is not None or cut_off is not None:
            row.fault(
                "A procedure without a term (none) has neither term_value nor cut_off. Leave both empty.", "term_unit"
            )
        return None
    if value is None or (value == 0) != (unit == "same_day"):
        row.fault("The value is 0 for same_day, and at least 1 for every other unit.", "term_value")
        return None
    return Term(value, unit, counting or "by_hours", cut_off)


def step(row: CsvRow) -> ProcedureStep:
    """Parse a line of steps.csv: the procedure's step. Faults are added to the row."""
    value = row.read("term_value", cells.whole_number(1, 10_000))
    unit = row.read("term_unit", cells.choice(_STEP_UNITS))
    return ProcedureStep(
        procedure=row.read("procedure", PROCEDURE_CODE),
        number=row.read("step", cells.whole_number(1, 99)),
        department=row.read("department", DEPARTMENT_CODE),
        term=Term(value, unit) if row.valid else _INVALID_TERM,
        **_dated(row),
    )


# a placeholder: the result of an invalid line is discarded
_INVALID_TERM = Term(1, "working_hour")


def requirement(row: CsvRow) -> Requirement:
    """Parse a line of requirements.csv: the procedure's requirement. Faults are added to the row."""
    return Requirement(
        procedure=row.read("procedure", PROCEDURE_CODE),
        key=row.read("key", _KEY),
        name_vi=row.read("name_vi", cells.text),
        form=row.read("form", cells.choice(_FORMS)),
        copies=row.read("copies", cells.whole_number(1, 99)),
        mandatory=row.read("mandatory", cells.choice(_YES_NO)),
        **_dated(row),
    )


def step_word(row: CsvRow) -> StepWord:
    """Parse a line of activities.csv: the listed word. Faults are added to the row."""
    return StepWord(
        kind=row.read("kind", cells.choice(_STEP_WORDS)),
        code=row.read("code", _STEP_CODE),
        name_vi=row.read("name_vi", cells.text),
        **_dated(row),
    )


def pooling(row: CsvRow) -> Pooling:
    """Parse a line of receiving.csv: the pooling of a department. Faults are added to the row."""
    return Pooling(department=row.read("department", DEPARTMENT_CODE), **_dated(row))


def staffing(row: CsvRow) -> Staffing:
    """Parse a line of staffing.csv: the counter's staffing. Faults are added to the row."""
    return Staffing(
        counter=row.read("counter", cells.whole_number(1, 9999)),
        windows=row.read("windows", local_windows),
        officers=row.read("officers", cells.whole_number(1, 99)),
        **_dated(row),
    )


def service_time(row: CsvRow) -> ServiceTime:
    """Parse a line of service_times.csv: the service time of a procedure. Faults are added to the row.

    An empty procedure becomes None: every procedure without its own line.
    """
    values = {
        "procedure": row.read("procedure", cells.optional(PROCEDURE_CODE)),
        "median_minutes": row.read("median_minutes", cells.whole_number(1, 1000)),
        "p90_minutes": row.read("p90_minutes", cells.whole_number(1, 1000)),
        **_dated(row),
    }
    if row.valid and values["p90_minutes"] <= values["median_minutes"]:
        row.fault(
            "It must be above median_minutes: 90 % of dossiers take at most p90_minutes, 50 % at most median_minutes.",
            "p90_minutes",
        )
    return ServiceTime(**(values if row.valid else values | {"median_minutes": 1, "p90_minutes": 2}))


def runs(row: CsvRow) -> Runs:
    """Parse a line of runs.csv: the times at which papers leave. Faults are added to the row."""
    leaves_at = row.read("leaves_at", cells.several(cells.clock_time))
    if leaves_at == ():
        row.fault("A value is required: the times of day at which papers leave (separate several with ;).", "leaves_at")
    return Runs(kind=row.read("kind", cells.choice(_RUNS)), leaves_at=leaves_at, **_dated(row))
