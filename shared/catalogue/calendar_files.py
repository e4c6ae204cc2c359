"""Reading of calendars.csv, and of calendars/<name>.csv with the dated exceptions of each calendar."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from shared.catalogue import cells
from shared.catalogue.faults import Faults
from shared.catalogue.files import CentreFiles, CsvRow, read_rows
from shared.kernel.calendar_rules import CalendarException, CalendarRules, Kind, Status, Window

FILE = "calendars.csv"
FOLDER = "calendars/"
CALENDARS = ("name", "zone", "weekdays", "windows", "valid_from", "valid_to", "decision", "invented", "note")
EXCEPTIONS = (
    "date",
    "kind",
    "windows",
    "name_vi",
    "name_en",
    "decided_by",
    "known_from",
    "applies_to",
    "source",
    "status",
    "note",
)

_NAME = cells.matching(r"[a-z0-9-]{1,40}", "small letters, digits and -")
_WINDOW = cells.matching(r"\d\d:\d\d-\d\d:\d\d", "a window such as 07:00-11:30")
_KINDS: Mapping[str, Kind] = {"off": "off", "working": "working", "half_day": "half_day"}
_STATUSES: Mapping[str, Status] = {
    "statutory": "statutory",
    "decided": "decided",
    "projected": "projected",
    "unconfirmed": "unconfirmed",
}


def read_calendars(files: CentreFiles, faults: Faults) -> tuple[CalendarRules, ...]:
    """Return the rules of every valid calendar with its exceptions, in the order of calendars.csv; add all faults.

    The first calendar is the centre's own. A calendar covers only valid_from to valid_to, so both are required.
    """
    found: list[CalendarRules] = []
    for line, rules in read_rows(files, FILE, CALENDARS, faults, _calendar):
        if any(other.name == rules.name for other in found):
            faults.add(
                FILE, f"Calendar {rules.name} occurs twice. Keep one line per calendar.", line=line, column="name"
            )
            continue
        found.append(_with_exceptions(rules, files, faults))
    if not found:
        faults.add(FILE, "The file has no calendar. Add one; the first one is the centre's own.")
    expected = {_exceptions_of(rules.name) for rules in found}
    for name in sorted(files.content):
        if name.startswith(FOLDER) and name not in expected:
            faults.add(name, f"No calendar in {FILE} has this name. Add it there, or remove this file.")
    return tuple(found)


def _exceptions_of(name: str) -> str:
    return f"{FOLDER}{name}.csv"


def _calendar(row: CsvRow) -> CalendarRules:
    name = row.read("name", _NAME)
    zone = row.read("zone", cells.zone)
    weekdays = row.read("weekdays", cells.several(cells.whole_number(1, 7)))
    windows = row.read("windows", local_windows)
    valid_from, valid_to = row.read("valid_from", cells.calendar_date), row.read("valid_to", cells.calendar_date)
    decision = row.read("decision", cells.text)
    row.read("invented", cells.several(cells.choice({column: column for column in row.cells})))
    if row.valid:
        if not weekdays:
            row.fault("A value is required: the working weekdays, 1 (Monday) to 7.", "weekdays")
        if not windows:
            row.fault("A value is required: the windows of working time, such as 07:00-11:30; 13:30-17:00.", "windows")
        if valid_to < valid_from:
            row.fault(
                f"{valid_to} is before valid_from ({valid_from}). It is the last day that the calendar covers.",
                "valid_to",
            )
    if not row.valid:
        return _INVALID
    return CalendarRules(
        name=name,
        zone=zone.key,
        weekdays=frozenset(weekdays),
        windows=windows,
        first_date=valid_from,
        last_date=valid_to,
        decision=decision,
    )


# a placeholder: the result of an invalid line is discarded
_INVALID = CalendarRules("", "UTC", frozenset({1}), (Window(time(0), time(1)),), date(2000, 1, 1), date(2000, 1, 1))


def _with_exceptions(rules: CalendarRules, files: CentreFiles, faults: Faults) -> CalendarRules:
    name = _exceptions_of(rules.name)
    rows = read_rows(files, name, EXCEPTIONS, faults, lambda row: _exception(row, rules))
    _check_duplicates(name, rows, faults)
    return CalendarRules(
        name=rules.name,
        zone=rules.zone,
        weekdays=rules.weekdays,
        windows=rules.windows,
        first_date=rules.first_date,
        last_date=rules.last_date,
        exceptions=tuple(exception for _, exception in rows),
        decision=rules.decision,
    )


def _exception(row: CsvRow, rules: CalendarRules) -> CalendarException:
    on = row.read("date", cells.calendar_date)
    kind = row.read("kind", cells.choice(_KINDS))
    status = row.read("status", cells.choice(_STATUSES))
    windows = row.read("windows", local_windows)
    name = row.read("name_vi", cells.text)
    known_on = row.read("known_from", cells.optional(cells.calendar_date))
    if row.valid:
        if not rules.first_date <= on <= rules.last_date:
            row.fault(
                f"{on} is outside calendar {rules.name}, which covers {rules.first_date} to {rules.last_date}.", "date"
            )
        if kind == "off" and windows:
            row.fault("A day off has no windows. Leave this empty, or correct the kind.", "windows")
        if status in ("statutory", "decided", "unconfirmed") and not row.cells["decided_by"]:
            row.fault(
                f"A value is required: the document of a {status} exception. Without one it is projected.", "decided_by"
            )
    if not row.valid:
        return _INVALID_EXCEPTION
    return CalendarException(
        on=on,
        kind=kind,
        status=status,
        windows=windows,
        name=name,
        decided_by=row.cells["decided_by"] or None,
        known_from=datetime.combine(known_on, time(0), ZoneInfo(rules.zone)) if known_on else None,
    )


_INVALID_EXCEPTION = CalendarException(date(2000, 1, 1), "off", "projected")


def _check_duplicates(file: str, rows: Sequence[tuple[int, CalendarException]], faults: Faults) -> None:
    """Add a fault for each exception with the date and the `known_from` of an earlier line.

    Several exceptions of one date are allowed otherwise: the one that became known last counts.
    """
    seen: dict[tuple[date, datetime | None], int] = {}
    for line, exception in rows:
        key = (exception.on, exception.known_from)
        if key in seen:
            reason = f"{exception.on} is also on line {seen[key]}, known from the same day. Keep one."
            faults.add(file, reason, line=line, column="date")
        seen.setdefault(key, line)


def local_windows(cell: str) -> tuple[Window, ...]:
    """Parse windows such as 07:00-11:30, separated by semicolons; an empty tuple for an empty cell.

    Raises ValueError unless each window is valid and they are ascending without overlap.
    """
    windows: list[Window] = []
    for part in cells.several(_WINDOW)(cell):
        opens, closes = (cells.clock_time(end) for end in part.split("-"))
        if opens >= closes:
            raise ValueError(f"{part!r} ends before it starts. Write a window such as 07:00-11:30.")
        if windows and opens < windows[-1].closes:
            raise ValueError(f"{part!r} overlaps the previous window. Write ascending windows without overlap.")
        windows.append(Window(opens, closes))
    return tuple(windows)
