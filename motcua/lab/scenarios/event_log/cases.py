"""Cases of a log: its rows grouped by case, with every cell parsed and every fault listed with line and column."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from motcua.lab.scenarios.event_log.instants import parse_instant
from motcua.lab.scenarios.event_log.log import Log, LogRow
from motcua.lab.scenarios.event_log.mapping import LogMapping, Source
from shared.catalogue.faults import Fault


@dataclass(frozen=True, slots=True)
class CaseRow:
    """An event of a case, with its cells parsed.

    `key` identifies the row in the log: the cells of `columns.key`, or else the case, activity, time and the row's
    number among equal rows.
    """

    line: int
    activity: str
    at: datetime
    key: tuple[str, ...]
    resource: str | None
    group: str | None
    attributes: Mapping[str, str]


@dataclass(slots=True)
class LogCase:
    """A case: the parsed values of its own columns, and its rows in time order. `line` is where it first occurs."""

    id: str
    line: int
    procedure: str = ""
    department: str = ""
    channel: str = ""
    outcome: str = ""
    start: datetime | None = None
    end: datetime | None = None
    deadline: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    rows: list[CaseRow] = field(default_factory=list)


@dataclass(slots=True)
class LogCases:
    """All cases in the order of the file, the faults found, and the cells with an ambiguous local time."""

    cases: list[LogCase] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    ambiguous: list[tuple[str, int, str]] = field(default_factory=list)
    """Case, line and column."""


def read_cases(log: Log, mapping: LogMapping) -> LogCases:
    """Group the rows of a log that has the mapping's columns into cases.

    Faults are listed in the result, not raised. If there are any, the cases must not be used.
    """
    return _Reader(log, mapping).read()


class _Reader:
    def __init__(self, log: Log, mapping: LogMapping) -> None:
        self._log = log
        self._mapping = mapping
        self._zone = ZoneInfo(mapping.zone) if mapping.zone else None
        self._found = LogCases()
        self._case_columns = sorted({column for _, column in mapping.case_columns()})

    def read(self) -> LogCases:
        mapping = self._mapping
        first: dict[str, LogRow] = {}
        cases: dict[str, LogCase] = {}
        keys: dict[tuple[str, ...], int] = {}
        alike: dict[tuple[str, ...], int] = {}
        for row in self._log.rows:
            case_id = self._cell(row, mapping.columns.case)
            if not case_id:
                self._fault(row, mapping.columns.case, "Empty, but every row must name its case.")
                continue
            if case_id not in first:
                first[case_id] = row
                cases[case_id] = self._case(case_id, row)
            elif differing := next((c for c in self._case_columns if self._differs(row, first[case_id], c)), None):
                reason = (
                    f"Differs from line {first[case_id].line} of the same case. Name a column that is the same in all "
                    "its rows."
                )
                self._fault(row, differing, reason)
            if row.is_event and (read := self._row(case_id, row, alike)) is not None:
                if read.key in keys:
                    reason = f"The same as in line {keys[read.key]}. columns.key must be unique in each row."
                    self._fault(row, ", ".join(mapping.columns.key) or mapping.columns.case, reason)
                keys.setdefault(read.key, row.line)
                cases[case_id].rows.append(read)
        for case in cases.values():
            case.rows.sort(key=lambda read: read.at)  # stable: rows of one instant stay in the order of the file
            if case.start is None and not case.rows and not self._found.faults:
                self._found.faults.append(
                    Fault(self._log.file, f"Case {case.id} has neither a start nor an event.", case.line)
                )
        self._found.cases = list(cases.values())
        return self._found

    def _row(self, case_id: str, row: LogRow, alike: dict[tuple[str, ...], int]) -> CaseRow | None:
        columns = self._mapping.columns
        activity = self._cell(row, columns.activity)
        at = self._instant(case_id, row, columns.time)
        if activity is None:
            self._fault(row, columns.activity, "Empty, but every row must name its activity.")
        if at is None and not self._cell(row, columns.time):
            self._fault(row, columns.time, "Empty, but every row must have a time.")
        if activity is None or at is None:
            return None
        key = tuple(self._cell(row, column) or "" for column in columns.key)
        if columns.key and not all(key):
            self._fault(row, columns.key[key.index("")], "Empty, but part of columns.key.")
        if not columns.key:
            same = (case_id, activity, at.isoformat())
            alike[same] = alike.get(same, 0) + 1
            key = (*same, str(alike[same]))
        return CaseRow(
            line=row.line,
            activity=activity,
            at=at,
            key=key,
            resource=self._cell(row, columns.resource),
            group=self._cell(row, columns.group),
            attributes=self._attributes(row, self._mapping.attributes.row),
        )

    def _case(self, case_id: str, row: LogRow) -> LogCase:
        parts = self._mapping.dossier
        return LogCase(
            id=case_id,
            line=row.line,
            procedure=self._word(row, "procedure", parts.procedure),
            department=self._word(row, "department", parts.department),
            channel=self._word(row, "channel", parts.channel),
            outcome=self._word(row, "outcome", parts.outcome),
            start=self._instant(case_id, row, parts.start),
            end=self._instant(case_id, row, parts.end),
            deadline=self._instant(case_id, row, parts.deadline),
            attributes=self._attributes(row, self._mapping.attributes.case),
        )

    def _word(self, row: LogRow, place: str, source: Source) -> str:
        if source.column is None:
            return source.value or ""
        cell = self._cell(row, source.column)
        if cell is None:
            self._fault(row, source.column, f"Empty, but it names the {place}.")
            return ""
        if source.words is not None and cell not in source.words:
            self._fault(row, source.column, f"{cell!r} is not in dossier.{place}.words. Add it.")
            return ""
        return source.words[cell] if source.words is not None else cell

    def _instant(self, case_id: str, row: LogRow, column: str | None) -> datetime | None:
        cell = self._cell(row, column)
        if cell is None or column is None:
            return None
        try:
            found = parse_instant(cell, self._zone)
        except ValueError as error:
            self._fault(row, column, str(error))
            return None
        if found.ambiguous:
            self._found.ambiguous.append((case_id, row.line, column))
        return found.at

    def _attributes(self, row: LogRow, columns: tuple[str, ...]) -> dict[str, str]:
        return {column: cell for column in columns if (cell := self._cell(row, column)) is not None}

    def _cell(self, row: LogRow, column: str | None) -> str | None:
        cell = row.cells.get(column, "").strip() if column is not None else ""
        return None if not cell or cell in self._mapping.empty else cell

    def _differs(self, row: LogRow, other: LogRow, column: str) -> bool:
        return self._cell(row, column) != self._cell(other, column)

    def _fault(self, row: LogRow, column: str, reason: str) -> None:
        self._found.faults.append(Fault(self._log.file, reason, row.line, column))
