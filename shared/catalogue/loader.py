"""Loading of a centre's folder: every file is read and checked against the others; every fault is reported together."""

from collections.abc import Callable, Hashable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from shared.catalogue import tables
from shared.catalogue.calendar_files import read_calendars
from shared.catalogue.centre_settings import FILE, read_settings
from shared.catalogue.faults import Faults
from shared.catalogue.file_names import check_names
from shared.catalogue.files import read_files, read_rows
from shared.catalogue.references import References, first_gap
from shared.catalogue.steps import check_steps
from shared.kernel.centre import Centre, ProcedureStep, Runs, ServiceTime, Staffing, StepWord
from shared.kernel.dated import Dated, in_force

D = TypeVar("D", bound=Dated)
K = TypeVar("K", bound=Hashable)
Lines = Sequence[tuple[int, D]]

_DAY = timedelta(days=1)


def load_centre(folder: Path) -> Centre:
    """Read and check the configuration in `folder`, and return it. Blocks on the disk, so call it only at start.

    Raises StartError that lists every fault with file, line, column and what to do. References between files are
    checked only if every line is valid, since one invalid line would cause many faults.
    """
    files = read_files(folder)
    faults = Faults()
    check_names(files, faults)
    settings = read_settings(files, faults)
    departments = read_rows(files, "departments.csv", tables.DEPARTMENTS, faults, tables.department)
    counters = read_rows(files, "counters.csv", tables.COUNTERS, faults, tables.counter)
    procedures = read_rows(files, "procedures.csv", tables.PROCEDURES, faults, tables.procedure)
    steps: Lines[ProcedureStep] = []
    if "steps.csv" in files.content:  # optional
        steps = read_rows(files, "steps.csv", tables.STEPS, faults, tables.step)
    requirements = read_rows(files, "requirements.csv", tables.REQUIREMENTS, faults, tables.requirement)
    poolings = read_rows(files, "receiving.csv", tables.RECEIVING, faults, tables.pooling)
    staffing: Lines[Staffing] = []
    if "staffing.csv" in files.content:  # optional
        staffing = read_rows(files, "staffing.csv", tables.STAFFING, faults, tables.staffing)
    service_times: Lines[ServiceTime] = []
    if "service_times.csv" in files.content:  # optional
        service_times = read_rows(files, "service_times.csv", tables.SERVICE_TIMES, faults, tables.service_time)
    runs: Lines[Runs] = []
    if "runs.csv" in files.content:  # optional
        runs = read_rows(files, "runs.csv", tables.RUNS, faults, tables.runs)
    step_words: Lines[StepWord] = []
    if "activities.csv" in files.content:  # optional
        step_words = read_rows(files, "activities.csv", tables.ACTIVITIES, faults, tables.step_word)
    calendars = read_calendars(files, faults)
    faults.raise_any(folder)
    assert settings is not None  # None comes with a fault

    _check_overlaps("departments.csv", departments, lambda row: row.code, faults)
    _check_overlaps("departments.csv", departments, lambda row: row.agency_id, faults)
    _check_overlaps("counters.csv", counters, lambda row: row.number, faults)
    _check_overlaps("procedures.csv", procedures, lambda row: row.code, faults)
    _check_overlaps("steps.csv", steps, lambda row: f"{row.procedure} step {row.number}", faults)
    _check_overlaps("requirements.csv", requirements, lambda row: f"{row.procedure} {row.key}", faults)
    _check_overlaps("receiving.csv", poolings, lambda row: row.department, faults)
    _check_overlaps("staffing.csv", staffing, lambda row: row.counter, faults)
    _check_overlaps("service_times.csv", service_times, lambda row: row.procedure or "every other", faults)
    _check_overlaps("runs.csv", runs, lambda row: row.kind, faults)
    _check_overlaps("activities.csv", step_words, lambda row: f"{row.kind} {row.code}", faults)
    _check_overlaps("activities.csv", step_words, lambda row: f"{row.kind} {row.name_vi.casefold()}", faults)
    _check_overlaps(FILE, settings.thresholds, lambda row: "thresholds", faults)
    _check_overlaps(FILE, settings.pooling_rules, lambda row: "general_counter", faults)

    centre = Centre(
        code=settings.code,
        name_vi=settings.name_vi,
        name_en=settings.name_en,
        zone=settings.zone,
        agency_prefix=settings.agency_prefix,
        opened_on=settings.opened_on,
        address_vi=settings.address_vi,
        hotline=settings.hotline,
        email=settings.email,
        sms_brand=settings.sms_brand,
        invented=settings.invented,
        departments=_by_key(departments, lambda row: row.code),
        counters=_by_key(counters, lambda row: row.number),
        procedures=_by_key(procedures, lambda row: row.code),
        steps=_by_key(steps, lambda row: row.procedure),
        requirements=_by_key(requirements, lambda row: row.procedure),
        poolings=_by_key(poolings, lambda row: row.department),
        staffing=_by_key(staffing, lambda row: row.counter),
        service_times=_by_key(service_times, lambda row: row.procedure),
        runs=_by_key(runs, lambda row: row.kind),
        step_words=tuple(row for _, row in step_words),
        calendars=calendars,
        all_thresholds=tuple(sorted((row for _, row in settings.thresholds), key=lambda row: row.valid_from)),
        pooling_rules=tuple(sorted((row for _, row in settings.pooling_rules), key=lambda row: row.valid_from)),
        catalogue_version=files.version,
        folder=files.folder,
        files=files.content,
    )

    references = References(faults)
    for line, department in departments:
        if not department.agency_id.startswith(f"{centre.agency_prefix}."):
            reason = f"{department.agency_id!r} does not begin with the centre's prefix {centre.agency_prefix}."
            faults.add("departments.csv", reason, line=line, column="agency_id")
        _check_receiving(centre, line, department.code, department, faults)
    for line, counter in counters:
        if counter.department is not None:
            references.check(
                "counters.csv", line, "department", counter.department, counter, "departments.csv", centre.departments
            )
    for line, procedure in procedures:
        for code in procedure.departments:
            references.check(
                "procedures.csv", line, "departments", code, procedure, "departments.csv", centre.departments
            )
    for line, step in steps:
        references.check("steps.csv", line, "procedure", step.procedure, step, "procedures.csv", centre.procedures)
        references.check("steps.csv", line, "department", step.department, step, "departments.csv", centre.departments)
    check_steps(centre, steps, faults)
    for line, requirement in requirements:
        references.check(
            "requirements.csv",
            line,
            "procedure",
            requirement.procedure,
            requirement,
            "procedures.csv",
            centre.procedures,
        )
    for line, staffed in staffing:
        references.check("staffing.csv", line, "counter", staffed.counter, staffed, "counters.csv", centre.counters)
    for line, served in service_times:
        if served.procedure is not None:
            references.check(
                "service_times.csv", line, "procedure", served.procedure, served, "procedures.csv", centre.procedures
            )
    for line, run in runs:
        for leaves_at in run.leaves_at:
            if not any(window.opens <= leaves_at <= window.closes for window in centre.calendar.windows):
                reason = f"{leaves_at:%H:%M} is not working time in the centre's calendar, so no papers would leave."
                faults.add("runs.csv", reason, line=line, column="leaves_at")
    for line, pooling in poolings:
        references.check(
            "receiving.csv", line, "department", pooling.department, pooling, "departments.csv", centre.departments
        )
    gap = first_gap(centre.all_thresholds, settings.opened_on, None)
    if gap is not None:
        faults.add(FILE, f"No thresholds are in force on {gap}. Add a section, or extend one.", column="thresholds")
    if centre.calendar.zone != centre.zone.key:
        reason = f"The centre's own calendar has the zone {centre.calendar.zone}, but the centre {centre.zone.key}."
        faults.add("calendars.csv", reason, column="zone")
    references.report()
    if not departments and not faults.found:
        faults.add("departments.csv", "The file has no department. Add at least one.")
    faults.raise_any(folder)
    return centre


def _by_key(lines: Lines[D], key: Callable[[D], K]) -> dict[K, tuple[D, ...]]:
    found: dict[K, list[D]] = {}
    for _, row in lines:
        found.setdefault(key(row), []).append(row)
    return {name: tuple(sorted(rows, key=lambda row: row.valid_from)) for name, rows in found.items()}


def _check_overlaps(file: str, lines: Lines[D], key: Callable[[D], Hashable], faults: Faults) -> None:
    """Add a fault for each row that is in force on a day on which an earlier row with the same `key` is in force."""
    earlier: dict[Hashable, list[tuple[int, D]]] = {}
    for line, row in sorted(lines, key=lambda item: (item[1].valid_from, item[0])):
        for other_line, other in earlier.setdefault(key(row), []):
            if other.valid_to is None or other.valid_to >= row.valid_from:
                name = key(row)
                reason = f"{name} is already in force on {row.valid_from} (line {other_line}). Set valid_to there."
                faults.add(file, reason, line=line, column="valid_from")
                break
        earlier[key(row)].append((line, row))


def _check_receiving(centre: Centre, line: int, code: str, row: Dated, faults: Faults) -> None:
    """Add a fault if no counter can receive a department's dossiers on some day on which the department exists.

    `code` and `row` are the department's, `line` is its line. A department without a counter may also be pooled by a
    decision that is stored in routing; routing checks at its start that a general counter is open then.
    """
    dated: list[Dated] = [*centre.poolings.get(code, ()), *(c for rows in centre.counters.values() for c in rows)]
    changes = {row.valid_from}
    for other in dated:
        changes |= {other.valid_from} | ({other.valid_to + _DAY} if other.valid_to else set())
    for day in sorted(day for day in changes if row.in_force(day)):
        pooled = in_force(centre.poolings.get(code, ()), day)
        general = centre.counters_on(day, "general")
        if pooled is None and not general and not centre.counters_on(day, "department", code):
            reason = f"{code} has no counter on {day}, and no general counter is open. Add one in counters.csv."
        elif pooled is not None and not general:
            reason = f"{code} is pooled on {day} ({pooled.decision}), but no general counter is open. Add one."
        else:
            continue
        faults.add("departments.csv", reason, line=line)
        return
