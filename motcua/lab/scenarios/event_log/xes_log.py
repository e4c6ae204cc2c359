"""Reader of event logs as XES (IEEE 1849). The attributes of events and traces become the cells of flat rows.

The names of a trace's attributes get the prefix `case:`. The parser is the standard library's expat. A document type
is rejected, and with it every declared entity, so nothing is expanded and no other file is opened.
"""

from collections.abc import Iterable
from sys import intern
from xml.parsers import expat

from motcua.lab.scenarios.event_log.log import MAX_ROWS, Log, LogRefusedError, LogRow
from shared.catalogue.faults import Fault

_ATTRIBUTES = frozenset({"string", "date", "int", "float", "boolean", "id"})
_NESTED = frozenset({"list", "container"})
_MAX_DEPTH = 40


def read_xes(name: str, chunks: Iterable[bytes]) -> Log:
    """Read a log from the bytes of an uncompressed file, in chunks; `name` is the file's name in faults.

    Raises LogRefusedError with the line of each fault. XML that is not well-formed ends the reading as the only fault.
    """
    reader = _Reader(name)
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = reader.refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    reader.parser = parser
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        reason = f"Not well-formed XML ({expat.ErrorString(error.code)}). Export the log again."
        raise LogRefusedError([Fault(name, reason, error.lineno)]) from error
    return reader.log()


class _Reader:
    """Collector of a log's rows and faults. `refuse_doctype`, `start` and `end` are callbacks of the XML parser."""

    parser: "expat.XMLParserType"

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: list[str] = []
        self._trace: dict[str, str] = {}
        self._trace_line = 0
        self._events: list[tuple[int, dict[str, str]]] = []
        self._key = ""  # the column of the last attribute
        self._columns: dict[str, None] = {}
        self._left_out: dict[str, None] = {}
        self._rows: list[LogRow] = []
        self._faults: list[Fault] = []

    def refuse_doctype(self, *_: object) -> None:
        """Raise LogRefusedError for a document type: a log needs none, and its entities may be dangerous to expand."""
        raise self._refused("The file has a document type (DOCTYPE). Remove it; a log does not need it.")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element: begin a trace or an event, or store an attribute as a cell of either.

        Other elements are ignored. An attribute's fault is collected. Raises LogRefusedError if the outermost element
        is not `log` or the nesting is too deep.
        """
        kind = tag.rpartition(":")[2]
        if not self._open and kind != "log":
            raise self._refused(f"The outermost element is <{tag}>, but that of an XES log is <log>.")
        if len(self._open) >= _MAX_DEPTH:
            raise self._refused(f"More than {_MAX_DEPTH} nested elements, so this is not an event log.")
        inside = self._open[-1] if self._open else ""
        self._open.append(kind)
        if kind == "trace" and inside == "log":
            self._trace, self._trace_line, self._events = {}, self._line, []
        elif kind == "event" and inside == "trace":
            self._events.append((self._line, {}))
        elif inside == "trace":
            self._take(kind, attributes, self._trace, "case:")
        elif inside == "event" and self._open[1] == "trace":
            self._take(kind, attributes, self._events[-1][1], "")
        elif inside in _ATTRIBUTES and self._open[1] == "trace":
            self._left_out[f"{self._key}/{attributes.get('key', kind)}"] = None

    def end(self, tag: str) -> None:
        """Handle the end of an element: a trace adds a row for each of its events, or one row if it has none.

        Raises LogRefusedError if there are too many rows.
        """
        kind = self._open.pop()
        if kind != "trace" or self._open != ["log"]:
            return
        if not self._events:
            self._add(LogRow(self._trace_line, self._trace, is_event=False))
        for line, cells in self._events:
            self._add(LogRow(line, {**self._trace, **cells}))

    def log(self) -> Log:
        """Return the log that was read. Raises LogRefusedError with the collected faults, or if it has no trace."""
        if not self._rows and not self._faults:
            self._faults.append(Fault(self._name, "The log has no trace.", 1))
        if self._faults:
            raise LogRefusedError(self._faults)
        return Log(self._name, tuple(self._columns), tuple(self._rows), tuple(self._left_out))

    @property
    def _line(self) -> int:
        return self.parser.CurrentLineNumber

    def _take(self, kind: str, attributes: dict[str, str], cells: dict[str, str], prefix: str) -> None:
        if kind not in _ATTRIBUTES | _NESTED:
            self._faults.append(Fault(self._name, f"<{kind}> is not an attribute of XES.", self._line))
            return
        key = attributes.get("key", "").strip()
        self._key = prefix + key
        if kind in _NESTED:
            self._left_out[f"{prefix}{key or kind}"] = None
            return
        column = intern(prefix + key)
        if not key or "value" not in attributes:
            self._faults.append(
                Fault(self._name, "An attribute must have a key and a value.", self._line, column or None)
            )
        elif column in cells:
            self._faults.append(Fault(self._name, "The attribute occurs twice. Remove one.", self._line, column))
        else:
            self._columns[column] = None
            if attributes["value"]:
                cells[column] = intern(attributes["value"])

    def _add(self, row: LogRow) -> None:
        self._rows.append(row)
        if len(self._rows) > MAX_ROWS:
            raise self._refused(f"More than {MAX_ROWS} events. Split the log.")

    def _refused(self, reason: str) -> LogRefusedError:
        return LogRefusedError([*self._faults, Fault(self._name, reason, self._line)])
