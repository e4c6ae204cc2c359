"""Reader of event logs as CSV: a header with the columns' names, then one row per event."""

import csv
import io
from collections.abc import Sequence
from sys import intern

from motcua.lab.scenarios.event_log.log import MAX_ROWS, Log, LogRefusedError, LogRow
from shared.catalogue.faults import Fault


def read_csv(name: str, raw: bytes, *, delimiter: str = ",") -> Log:
    """Read a log from the bytes of an uncompressed file: UTF-8, a header, and rows of the same width.

    A byte order mark and empty lines are ignored; `name` is the file's name in faults. Raises LogRefusedError with
    every row of another width, or with the fault that ended the reading: bytes, header, quotes or the number of rows.
    """
    text = _text(name, raw)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    header: list[str] | None = None
    rows: list[LogRow] = []
    faults: list[Fault] = []
    before = 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if header is None:
                header = [cell.strip() for cell in cells]
                _check_header(name, header)
            elif not cells:
                continue  # an empty line is not an event
            elif len(cells) != len(header):
                reason = f"{len(cells)} values, but {len(header)} columns. Quote values that contain the delimiter."
                faults.append(Fault(name, reason, line))
            else:
                named = {intern(column): intern(cell) for column, cell in zip(header, cells, strict=True) if cell}
                rows.append(LogRow(line, named))
                if len(rows) > MAX_ROWS:
                    raise LogRefusedError([Fault(name, f"More than {MAX_ROWS} rows. Split the log.", line)])
    except csv.Error as error:
        faults.append(Fault(name, f"Not readable as CSV ({error}). Check the quotes.", before + 1))
    if header is None:
        faults.append(Fault(name, "The file is empty. The first line must name the columns.", 1))
    elif not rows and not faults:
        faults.append(Fault(name, "No event below the header.", 1))
    if faults or header is None:
        raise LogRefusedError(faults)
    return Log(name, tuple(header), tuple(rows))


def _text(name: str, raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise LogRefusedError(
            [Fault(name, f"Byte {error.start + 1} is not UTF-8. Save the file as UTF-8.", line)]
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise LogRefusedError([Fault(name, "The file contains a NUL character. Remove it.", line)])
    return text


def _check_header(name: str, header: Sequence[str]) -> None:
    faults = [Fault(name, "A column has no name. Name it.", 1) for column in header if not column]
    faults += [
        Fault(name, "The column name is not unique. Rename or remove one of the columns.", 1, column)
        for column in sorted({column for column in header if column and header.count(column) > 1})
    ]
    if faults:
        raise LogRefusedError(faults)
